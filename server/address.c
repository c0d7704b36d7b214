/* SPDX-License-Identifier: MIT */
#include "server/address.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <linux/vm_sockets.h>

#include "codec/number.h"
#include "codec/percent.h"

/* The colon before the port; NULL where there is none, or where an IPv6 address lacks its brackets. */
static const char *find_port(const char *text)
{
        const char *colon;

        if (*text == '[') {
                colon = strchr(text, ']');
                return colon && colon[1] == ':' ? colon + 1 : NULL;
        }
        colon = strchr(text, ':');
        return colon && !strchr(colon + 1, ':') ? colon : NULL;
}

static int parse_tcp(const char *text, struct address *address)
{
        const char *colon = find_port(text);
        uint64_t port;
        size_t size;
        int r;

        if (!colon)
                return -EINVAL;
        r = number_parse(colon + 1, strlen(colon + 1), UINT16_MAX, &port);
        if (r < 0)
                return r;
        address->port = (uint32_t)port;
        size = (size_t)(colon - text);
        if (*text == '[') {
                text++;
                size -= 2;
                if (size == 0 ||
                        *text == '*') /* an empty variable must not stand for every address */
                        return -EINVAL;
        } else if (size == 1 && *text == '*') {
                size = 0;
        }
        if (size >= sizeof(address->host))
                return -EINVAL;
        memcpy(address->host, text, size);
        return 0;
}

/* Decodes every %XX in @text. If it is too long it is cut, to what is still too long for any kind of name. 0, -EINVAL. */
static int unescape(const char *text, struct address *address)
{
        size_t size = strnlen(text, sizeof(address->name) - 1);

        size = percent_decode(address->name, text, size);
        address->name[size] = '\0';
        return size > 0 && size == strlen(address->name) ? 0 : -EINVAL;
}

/* "ADDRESS:PORT" of a URI: the '%' before a zone is "%25" there (RFC 6874), and brackets may be escaped too. */
static int parse_ip(const char *text, struct address *address)
{
        int r = strlen(text) < sizeof(address->name) ? unescape(text, address) : -EINVAL;

        if (r == 0)
                r = parse_tcp(address->name, address);
        *address->name = '\0';
        return r;
}

static int parse_unix(const char *path, struct address *address)
{
        if (strncmp(path, "//", 2) == 0) {
                path += 2; /* unix://PATH: there it has to be absolute */
                if (*path != '/')
                        return -EINVAL;
        }
        return unescape(path, address);
}

/* A CID or port of vsock, or "any". */
static int parse_vsock_number(const char *text, size_t size, uint32_t any, uint32_t *ret_number)
{
        uint64_t number = any;
        int r = 0;

        if (size != 3 || memcmp(text, "any", 3) != 0)
                r = number_parse(text, size, UINT32_MAX, &number);
        if (r == 0)
                *ret_number = (uint32_t)number;
        return r;
}

/* CID:PORT */
static int parse_vsock(const char *text, struct address *address)
{
        const char *colon = strchr(text, ':');
        int r;

        if (!colon)
                return -EINVAL;
        r = parse_vsock_number(text, (size_t)(colon - text), VMADDR_CID_ANY, &address->cid);
        if (r < 0)
                return r;
        return parse_vsock_number(colon + 1, strlen(colon + 1), VMADDR_PORT_ANY, &address->port);
}

static int parse_systemd(const char *name, struct address *address)
{
        memcpy(address->name, name, strnlen(name, sizeof(address->name) - 1));
        return *name ? 0 : -EINVAL;
}

static int parse_fd(const char *text, struct address *address)
{
        uint64_t fd;
        int r = number_parse(text, strlen(text), INT_MAX, &fd);

        if (r < 0)
                return r;
        address->fd = (int)fd;
        return 0;
}

#define PORT_IS_TOO_LARGE "a port is at most 65535"

static const struct scheme {
        const char *prefix;
        enum address_kind kind;
        int (*parse)(const char *rest, struct address *address);
        const char *too_large; /* what -ERANGE means */
} schemes[] = {
        { "ipv4:", ADDRESS_TCP, parse_ip, PORT_IS_TOO_LARGE },
        { "ipv6:", ADDRESS_TCP, parse_ip, PORT_IS_TOO_LARGE },
        { "unix:", ADDRESS_UNIX, parse_unix, NULL },
        { "unix-abstract:", ADDRESS_UNIX_ABSTRACT, unescape, NULL },
        { "vsock:", ADDRESS_VSOCK, parse_vsock,
                "a CID and a port of vsock are at most 4294967295" },
        { "fd:", ADDRESS_FD, parse_fd, "a descriptor is at most 2147483647" },
        { "systemd:", ADDRESS_SYSTEMD, parse_systemd, NULL },
        { "", ADDRESS_TCP, parse_tcp, PORT_IS_TOO_LARGE },
};

static const struct scheme *scheme_of(const char *text)
{
        const struct scheme *scheme = schemes;

        while (strncmp(text, scheme->prefix, strlen(scheme->prefix)) != 0)
                scheme++;
        return scheme;
}

int address_parse(const char *text, struct address *ret_address)
{
        const struct scheme *scheme = scheme_of(text);
        struct address address = { .kind = scheme->kind };
        int r;

        if (strcmp(text, "systemd") == 0) {
                *ret_address = (struct address){ .kind = ADDRESS_SYSTEMD };
                return 0;
        }
        r = scheme->parse(text + strlen(scheme->prefix), &address);
        if (r == 0)
                *ret_address = address;
        return r;
}

const char *address_problem(const char *text, int error)
{
        if (error == -ERANGE)
                return scheme_of(text)->too_large;
        return "give HOST:PORT, [IPV6]:PORT, unix:PATH, unix-abstract:NAME, vsock:CID:PORT, fd:N "
               "or systemd[:NAME]";
}
