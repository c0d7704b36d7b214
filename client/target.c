/* SPDX-License-Identifier: MIT */
#include "client/target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/number.h"
#include "codec/percent.h"

#define DEFAULT_PORT 443 /* of gRPC's naming document */
#define DNS_PORT 53
#define TEXT_BYTES 256 /* of one address */

static int refuse(struct target *target, const char *problem)
{
        target->problem = problem;
        return -EINVAL;
}

/* All of @text. 0 or -EINVAL. */
static int parse_number(const char *text, uint32_t max, uint32_t *ret_number)
{
        uint64_t number;

        if (number_parse(text, strlen(text), max, &number) < 0)
                return -EINVAL;
        *ret_number = (uint32_t)number;
        return 0;
}

/* The next address of @target; NULL: there is no room. */
static struct endpoint *new_address(struct target *target)
{
        return target->count < QUOIT_CHANNEL_ADDRESSES_MAX ? target->addresses + target->count++
                                                           : NULL;
}

/* ---- addresses of IP ---- */

/* Cuts the port off @text: "HOST:PORT", "[HOST]:PORT" or either without a port, which is @port then. *@ret_host is without brackets. */
static int split_port(
        struct target *target, char *text, uint32_t port, char **ret_host, uint16_t *ret_port)
{
        char *end = *text == '[' ? strchr(text, ']') : NULL, *colon;

        if (*text == '[' && !end)
                return refuse(target, "a \"[\" without a \"]\"");
        colon = end ? (end[1] == ':' ? end + 1 : NULL) : strchr(text, ':');
        if (end && end[1] && !colon)
                return refuse(target, "only :PORT can follow a \"]\"");
        if (!end && colon && strchr(colon + 1, ':'))
                return refuse(target, "an address of IPv6 stands in brackets: [ADDRESS]:PORT");
        if (colon && (parse_number(colon + 1, UINT16_MAX, &port) < 0 || port == 0))
                return refuse(target, "its port is not a number from 1 to 65535");
        if (colon)
                *colon = '\0';
        if (end)
                *end = '\0';
        *ret_host = end ? text + 1 : text;
        *ret_port = (uint16_t)port;
        return 0;
}

static int set_v4(struct target *target, const char *host, uint16_t port)
{
        struct endpoint *endpoint = new_address(target);

        if (!endpoint)
                return -E2BIG;
        *endpoint = (struct endpoint){ .bytes = sizeof(endpoint->v4),
                .v4 = { .sin_family = AF_INET, .sin_port = htons(port) } };
        return inet_pton(AF_INET, host, &endpoint->v4.sin_addr) == 1 ? 0 : -EINVAL;
}

/* The number of a link: of an interface by its name, or the number itself. */
static int parse_zone(const char *zone, uint32_t *ret_scope)
{
        *ret_scope = endpoint_find_interface(zone);
        return *ret_scope > 0 ? 0 : parse_number(zone, UINT32_MAX, ret_scope);
}

static int set_v6(struct target *target, char *host, uint16_t port)
{
        struct endpoint *endpoint = new_address(target);
        char *zone = strchr(host, '%');

        if (!endpoint)
                return -E2BIG;
        *endpoint = (struct endpoint){ .bytes = sizeof(endpoint->v6),
                .v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) } };
        if (zone)
                *zone++ = '\0';
        if (inet_pton(AF_INET6, host, &endpoint->v6.sin6_addr) != 1)
                return -EINVAL;
        return zone ? parse_zone(zone, &endpoint->v6.sin6_scope_id) : 0;
}

enum family {
        FAMILY_ANY, /* a name too */
        FAMILY_4,
        FAMILY_6,
};

static bool is_v4(const char *host)
{
        struct in_addr address;

        return inet_pton(AF_INET, host, &address) == 1;
}

/* It looks like an address and is none: a name does not end in a number. Some take "50051" for the address 0.0.195.131. */
static bool is_number(const char *host)
{
        struct in_addr address;

        return host[strspn(host, "0123456789.")] == '\0' || inet_aton(host, &address) == 1;
}

bool target_is_name(const char *host)
{
        size_t size =
                strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");

        return size > 0 && host[size] == '\0';
}

static int set_host(struct target *target, const char *host)
{
        if (!*host)
                return refuse(target, "it has no host before its port: HOST:PORT");
        if (!target_is_name(host))
                return refuse(target, "its host has characters that names do not have");
        if (is_number(host))
                return refuse(target, "its host is a number, neither a name nor an address like "
                                      "127.0.0.1: HOST:PORT");
        if (strlen(host) >= sizeof(target->host))
                return refuse(target, "its host is too long");
        strcpy(target->host, host);
        return 0;
}

/* It is one of DNS. One that is too long is not good either. */
static void set_tunnel(struct target *target, const char *host, uint16_t port)
{
        snprintf(target->tunnel_host, sizeof(target->tunnel_host), "%s", host);
        target->port = port;
}

/* @text is altered. */
static int add_ip(struct target *target, char *text, enum family family)
{
        uint16_t port;
        char *host;
        int r = split_port(target, text, DEFAULT_PORT, &host, &port);

        if (r < 0)
                return r;
        if (family == FAMILY_ANY)
                set_tunnel(target, host, port);
        if (family != FAMILY_6 && is_v4(host))
                return set_v4(target, host, port);
        if (family != FAMILY_4 && strchr(host, ':'))
                return set_v6(target, host, port);
        return family == FAMILY_ANY ? set_host(target, host) : -EINVAL;
}

/* Copies @size bytes of @text, with %XX decoded. 0, -EINVAL. */
static int unescape(const char *text, size_t size, char *out, size_t out_bytes)
{
        if (size == 0 || size >= out_bytes)
                return -EINVAL;
        size = percent_decode(out, text, size);
        out[size] = '\0';
        return strlen(out) == size ? 0 : -EINVAL;
}

/* The addresses of a list, separated by commas. */
static int parse_list(const char *text, struct target *target, enum family family)
{
        char one[TEXT_BYTES];
        int r = 0;

        snprintf(target->authority, sizeof(target->authority), "%.*s", (int)strcspn(text, ","),
                text);
        while (r == 0) {
                size_t size = strcspn(text, ",");

                r = unescape(text, size, one, sizeof(one));
                if (r == 0)
                        r = add_ip(target, one, family);
                if (text[size] == '\0')
                        break;
                text += size + 1;
        }
        return r;
}

static int parse_v4(const char *text, struct target *target)
{
        return parse_list(text, target, FAMILY_4);
}

static int parse_v6(const char *text, struct target *target)
{
        return parse_list(text, target, FAMILY_6);
}

/* A server of DNS, by its address: @size bytes of @text. */
static int set_dns_server(struct target *target, const char *text, size_t size)
{
        char one[TEXT_BYTES], *host;
        struct in6_addr address;
        uint16_t port;
        bool is_v6;
        int r = unescape(text, size, one, sizeof(one));

        r = r < 0 ? r : split_port(target, one, DNS_PORT, &host, &port);
        if (r < 0)
                return r;
        is_v6 = inet_pton(AF_INET6, host, &address) == 1;
        if (!is_v6 && !is_v4(host))
                return refuse(target, "its server of DNS is not an address");
        snprintf(target->dns_server, sizeof(target->dns_server), is_v6 ? "[%s]:%u" : "%s:%u", host,
                port);
        return 0;
}

/* HOST:PORT, ///HOST:PORT, //SERVER/HOST:PORT */
static int parse_dns(const char *text, struct target *target)
{
        int r = 0;

        if (strncmp(text, "//", 2) == 0) {
                const char *server = text + 2;
                size_t size = strcspn(server, "/");

                if (server[size] == '\0')
                        return -EINVAL;
                r = size > 0 ? set_dns_server(target, server, size) : 0;
                text = server + size + 1;
        }
        if (r == 0 && strchr(text, ','))
                r = refuse(target, "only ipv4: and ipv6: take lists");
        return r < 0 ? r : parse_list(text, target, FAMILY_ANY);
}

/* ---- others ---- */

/* A path, or behind a zero byte a name: @size bytes at @name. */
static int set_local(struct target *target, const char *name, size_t size, bool is_abstract)
{
        struct endpoint *endpoint = new_address(target);
        size_t at = is_abstract;

        *endpoint = (struct endpoint){ .local.sun_family = AF_UNIX };
        if (at + size >= sizeof(endpoint->local.sun_path))
                return -ENAMETOOLONG;
        memcpy(endpoint->local.sun_path + at, name, size);
        endpoint->bytes =
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + at + size + !is_abstract);
        strcpy(target->authority, "localhost");
        return 0;
}

static int parse_unix(const char *path, struct target *target)
{
        char name[TEXT_BYTES];
        int r;

        if (strncmp(path, "//", 2) == 0 && *(path += 2) != '/')
                return -EINVAL; /* unix://PATH: there it has to be absolute */
        r = unescape(path, strlen(path), name, sizeof(name));
        return r < 0 ? r : set_local(target, name, strlen(name), false);
}

static int parse_abstract(const char *text, struct target *target)
{
        char name[TEXT_BYTES];
        int r = unescape(text, strlen(text), name, sizeof(name));

        return r < 0 ? r : set_local(target, name, strlen(name), true);
}

/* CID:PORT */
static int parse_vsock(const char *text, struct target *target)
{
        struct endpoint *endpoint = new_address(target);
        char cid[16];
        size_t size = strcspn(text, ":");

        if (text[size] == '\0' || size >= sizeof(cid))
                return -EINVAL;
        memcpy(cid, text, size);
        cid[size] = '\0';
        *endpoint = (struct endpoint){ .bytes = sizeof(endpoint->vm), .vm.svm_family = AF_VSOCK };
        strcpy(target->authority, "localhost");
        return parse_number(cid, UINT32_MAX, &endpoint->vm.svm_cid) < 0 ||
                               parse_number(text + size + 1, UINT32_MAX, &endpoint->vm.svm_port) < 0
                       ? -EINVAL
                       : 0;
}

int target_parse(const char *text, struct target *ret_target)
{
        static const struct {
                const char *prefix;
                int (*parse)(const char *rest, struct target *target);
        } schemes[] = {
                { "ipv4:", parse_v4 },
                { "ipv6:", parse_v6 },
                { "unix:", parse_unix },
                { "unix-abstract:", parse_abstract },
                { "vsock:", parse_vsock },
                { "dns:", parse_dns },
        };

        ret_target->text = text;
        ret_target->has_scheme = true;
        ret_target->count = 0;
        ret_target->problem = NULL;
        ret_target->host[0] = '\0';
        ret_target->tunnel_host[0] = '\0';
        ret_target->dns_server[0] = '\0';
        for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
                size_t size = strlen(schemes[i].prefix);

                if (strncmp(text, schemes[i].prefix, size) == 0)
                        return schemes[i].parse(text + size, ret_target);
        }
        if (strstr(text, "://"))
                return refuse(ret_target, "there is no such scheme: use HOST:PORT");
        ret_target->has_scheme = false;
        return parse_dns(text, ret_target);
}

const char *target_problem(const struct target *target, int error)
{
        switch (error) {
        case -E2BIG:
                return "it has too many addresses";
        case -ENAMETOOLONG:
                return "its path is too long for a unix socket";
        default:
                return target->problem ? target->problem : "it is not as its scheme wants it";
        }
}
