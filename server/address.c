/* SPDX-License-Identifier: MIT */
#include "server/address.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Decimal digits only, 0..65535. */
static bool parse_port(const char *text, uint16_t *ret_port)
{
        unsigned port = 0;

        if (!*text || strlen(text) > 5)
                return false;
        for (; *text; text++) {
                if (*text < '0' || *text > '9')
                        return false;
                port = port * 10 + (unsigned)(*text - '0');
        }
        if (port > UINT16_MAX)
                return false;
        *ret_port = (uint16_t)port;
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

int address_parse(const char *text, struct address *ret_address)
{
        struct address address = { 0 };
        const char *colon;
        size_t size;

        if (strncmp(text, "unix:", 5) == 0) {
                if (!text[5])
                        return -EINVAL;
                address.unix_path = text + 5;
                *ret_address = address;
                return 0;
        }
        colon = find_port(text);
        if (!colon || !parse_port(colon + 1, &address.port))
                return -EINVAL;
        size = (size_t)(colon - text);
        if (*text == '[') {
                text++;
                size -= 2;
        }
        if (size >= sizeof(address.host))
                return -EINVAL;
        memcpy(address.host, text, size);
        *ret_address = address;
        return 0;
}
