/* SPDX-License-Identifier: MIT */
#include "way.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/version.h>

#include "../doctor/addresses.h"
#include "../doctor/dns.h"
#include "../doctor/elapsed.h"
#include "../doctor/tcp.h"
#include "secure.h"

#define CONNECT_MS 10000 /* one address; above: the next one is tried */

struct http1_way {
        const struct connection_flags *flags;
        struct place place;
        struct addresses addresses;
        SSL_CTX *context; /* NULL: in the clear */
        char host[PLACE_HOST_BYTES + 16];
};

static __attribute__((format(printf, 4, 5))) int fail(
        quoit_error *ret_error, quoit_status status, int r, const char *format, ...)
{
        va_list arguments;

        ret_error->status = status;
        va_start(arguments, format);
        vsnprintf(ret_error->text, sizeof(ret_error->text), format, arguments);
        va_end(arguments);
        return r;
}

static unsigned left_ms(const struct http1_way *way, uint64_t deadline_ns)
{
        unsigned most = way->flags->connect_ms ? way->flags->connect_ms : CONNECT_MS;
        unsigned left = (unsigned)elapsed_left_ms(deadline_ns);

        return left < most ? left : most;
}

static int find_addresses(struct http1_way *way, uint64_t deadline_ns, quoit_error *ret_error)
{
        struct report report = { 0 }; /* nobody reads it */
        bool has_some = addresses_add_place(&way->addresses, &way->place) ||
                        dns_check(&report, &way->place, left_ms(way, deadline_ns), &way->addresses);

        report_deinit(&report);
        return has_some ? 0
                        : fail(ret_error, QUOIT_UNAVAILABLE, -ENOENT, "cannot resolve %s",
                                  way->place.host);
}

static void spell_host(struct http1_way *way)
{
        bool is_v6 = strchr(way->place.host, ':');

        if (way->flags->authority)
                snprintf(way->host, sizeof(way->host), "%s", way->flags->authority);
        else if (way->place.kind == PLACE_UNIX)
                snprintf(way->host, sizeof(way->host), "localhost");
        else
                snprintf(way->host, sizeof(way->host), "%s%s%s:%u", is_v6 ? "[" : "",
                        way->place.host, is_v6 ? "]" : "", way->place.port);
}

static int fill(struct http1_way *way, const char *target, enum scheme scheme, uint64_t deadline_ns,
        quoit_error *ret_error)
{
        int r;

        place_parse(&way->place, target, false);
        if (way->place.kind == PLACE_OTHER)
                return fail(ret_error, QUOIT_INVALID_ARGUMENT, -EINVAL,
                        "%s: by HTTP/1.1 a target is HOST:PORT or unix:PATH", target);
        spell_host(way);
        r = scheme == SCHEME_TLS ? secure_new(way->flags, &way->context, ret_error) : 0;
        return r < 0 ? r : find_addresses(way, deadline_ns, ret_error);
}

int http1_way_new(const struct connection_flags *flags, const char *target, enum scheme scheme,
        uint64_t deadline_ns, struct http1_way **ret_way, quoit_error *ret_error)
{
        struct http1_way *way = calloc(1, sizeof(*way));
        int r;

        if (!way)
                return fail(ret_error, QUOIT_UNAVAILABLE, -ENOMEM, "out of memory");
        way->flags = flags;
        r = fill(way, target, scheme, deadline_ns, ret_error);
        if (r < 0) {
                http1_way_free(way);
                return r;
        }
        *ret_way = way;
        return 0;
}

struct http1_way *http1_way_free(struct http1_way *way)
{
        if (!way)
                return NULL;
        SSL_CTX_free(way->context);
        free(way);
        return NULL;
}

const char *http1_way_host(const struct http1_way *way)
{
        return way->host;
}

void http1_way_agent(const struct http1_way *way, char *text, size_t size)
{
        const char *own = way->flags->user_agent;

        snprintf(text, size, "%s%squoit/%s", own ? own : "", own ? " " : "", QUOIT_VERSION);
}

/* ---- connecting ---- */

static const char *name_of(const struct http1_way *way)
{
        if (way->flags->server_name)
                return way->flags->server_name;
        return way->place.kind == PLACE_UNIX ? "localhost" : way->place.host;
}

/* One address. */
static int connect_to(struct http1_way *way, const struct address *address, uint64_t deadline_ns,
        struct wire *ret_wire, quoit_error *ret_error)
{
        unsigned most_ms = left_ms(way, deadline_ns);
        struct wire wire = { .deadline_ns = clock_now_ns() + most_ms * UINT64_C(1000000) };
        int r;

        wire.fd = tcp_connect(address, most_ms);
        if (wire.fd < 0)
                return fail(ret_error, QUOIT_UNAVAILABLE, wire.fd, "%s", strerror(-wire.fd));
        r = way->context ? secure_handshake(way->context, name_of(way), &wire, ret_error) : 0;
        if (r < 0) {
                wire_close(&wire);
                return r;
        }
        wire.deadline_ns = deadline_ns;
        *ret_wire = wire;
        return 0;
}

int http1_way_connect(
        struct http1_way *way, uint64_t deadline_ns, struct wire *ret_wire, quoit_error *ret_error)
{
        size_t used = 0;
        int r = -ENOENT;

        for (size_t i = 0; i < way->addresses.count; i++) {
                const struct address *address = &way->addresses.list[i];
                quoit_error error = { .text = "out of memory" };

                r = connect_to(way, address, deadline_ns, ret_wire, &error);
                if (r == 0)
                        return 0;
                if (used < sizeof(ret_error->text))
                        used += (size_t)snprintf(ret_error->text + used,
                                sizeof(ret_error->text) - used, "%s%s: %.200s", i > 0 ? "; " : "",
                                address->text, error.text);
        }
        ret_error->status = r == -ETIMEDOUT && elapsed_left_ms(deadline_ns) == 0
                                    ? QUOIT_DEADLINE_EXCEEDED
                                    : QUOIT_UNAVAILABLE;
        return r;
}

/* ---- what is there ---- */

enum { LINE_BYTES = 12 }; /* "HTTP/1.1 200" */

int http1_way_try(struct http1_way *way, uint64_t deadline_ns, quoit_error *ret_error)
{
        char request[1024], agent[256], line[LINE_BYTES + 1] = "";
        struct wire wire;
        int size, r;

        http1_way_agent(way, agent, sizeof(agent));
        size = snprintf(request, sizeof(request),
                "HEAD / HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nConnection: close\r\n\r\n",
                way->host, agent);
        if (size >= (int)sizeof(request))
                return fail(ret_error, QUOIT_INVALID_ARGUMENT, -EINVAL,
                        "the target, or --user-agent, is too long");
        r = http1_way_connect(way, deadline_ns, &wire, ret_error);
        if (r < 0)
                return r;
        r = wire_write(&wire, request, (size_t)size);
        if (r == 0)
                r = wire_read(&wire, line, LINE_BYTES);
        wire_close(&wire);
        if (r < 0)
                return fail(ret_error, QUOIT_UNAVAILABLE, r, "HTTP/1.1: %s", strerror(-r));
        if (r == 0 || strncmp(line, "HTTP/1.", 7) != 0 || !strcmp(line + 9, "400"))
                return fail(ret_error, QUOIT_UNAVAILABLE, -EPROTO, "it does not speak HTTP/1.1");
        return 0;
}
