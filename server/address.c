/* SPDX-License-Identifier: MIT */
#include "server/address.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include <linux/vm_sockets.h>

/* @size decimal digits and nothing else, 0..@max. */
static bool parse_number(const char *text, size_t size, uint64_t max, uint64_t *ret_number)
{
        uint64_t number = 0;

        if (size == 0 || size > 10)
                return false;
        for (size_t i = 0; i < size; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return false;
                number = number * 10 + (uint64_t)(text[i] - '0');
        }
        if (number > max)
                return false;
        *ret_number = number;
        return true;
}

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

static bool parse_tcp(const char *text, struct address *address)
{
        const char *colon = find_port(text);
        uint64_t port;
        size_t size;

        if (!colon || !parse_number(colon + 1, strlen(colon + 1), UINT16_MAX, &port))
                return false;
        address->port = (uint32_t)port;
        size = (size_t)(colon - text);
        if (*text == '[') {
                text++;
                size -= 2;
        }
        if (size == 1 && *text == '*')
                size = 0;
        if (size >= sizeof(address->host))
                return false;
        memcpy(address->host, text, size);
        return true;
}

static bool parse_unix(const char *path, struct address *address)
{
        if (strncmp(path, "//", 2) == 0) {
                path += 2; /* unix://PATH: there it has to be absolute */
                if (*path != '/')
                        return false;
        }
        address->name = path;
        return *path;
}

static bool parse_name(const char *name, struct address *address)
{
        address->name = name;
        return *name;
}

/* CID:PORT; a word for CID or PORT means any. */
static bool parse_vsock(const char *text, struct address *address)
{
        const char *colon = strchr(text, ':');
        uint64_t cid = VMADDR_CID_ANY, port = VMADDR_PORT_ANY;
        size_t size;

        if (!colon)
                return false;
        size = (size_t)(colon - text);
        if (!(size == 3 && memcmp(text, "any", 3) == 0) &&
                !parse_number(text, size, UINT32_MAX, &cid))
                return false;
        text = colon + 1;
        if (strcmp(text, "any") != 0 && !parse_number(text, strlen(text), UINT32_MAX, &port))
                return false;
        address->cid = (uint32_t)cid;
        address->port = (uint32_t)port;
        return true;
}

static bool parse_fd(const char *text, struct address *address)
{
        uint64_t fd;

        if (!parse_number(text, strlen(text), INT_MAX, &fd))
                return false;
        address->fd = (int)fd;
        return true;
}

int address_parse(const char *text, struct address *ret_address)
{
        static const struct {
                const char *prefix;
                enum address_kind kind;
                bool (*parse)(const char *rest, struct address *address);
        } schemes[] = {
                { "unix:", ADDRESS_UNIX, parse_unix },
                { "unix-abstract:", ADDRESS_UNIX_ABSTRACT, parse_name },
                { "vsock:", ADDRESS_VSOCK, parse_vsock },
                { "fd:", ADDRESS_FD, parse_fd },
                { "systemd:", ADDRESS_SYSTEMD, parse_name },
        };
        struct address address = { .kind = ADDRESS_TCP };

        if (strcmp(text, "systemd") == 0) {
                *ret_address = (struct address){ .kind = ADDRESS_SYSTEMD };
                return 0;
        }
        for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
                size_t size = strlen(schemes[i].prefix);

                if (strncmp(text, schemes[i].prefix, size) != 0)
                        continue;
                address.kind = schemes[i].kind;
                if (!schemes[i].parse(text + size, &address))
                        return -EINVAL;
                *ret_address = address;
                return 0;
        }
        if (!parse_tcp(text, &address))
                return -EINVAL;
        *ret_address = address;
        return 0;
}
