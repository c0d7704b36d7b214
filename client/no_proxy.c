/* SPDX-License-Identifier: MIT */
#include "client/no_proxy.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "codec/number.h"

#define ENTRY_BYTES 260 /* a name, a port, and more than any other that can match */

struct address {
        size_t bytes; /* 4 or 16; 0: it is none */
        uint8_t at[16];
};

/* An address of IPv4 as one of IPv6 is that address. */
static struct address address_of(const char *text)
{
        static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
        struct address address = { .bytes = 0 };

        if (inet_pton(AF_INET, text, address.at) == 1) {
                address.bytes = 4;
        } else if (inet_pton(AF_INET6, text, address.at) == 1) {
                address.bytes = 16;
                if (memcmp(address.at, mapped, sizeof(mapped)) == 0) {
                        memmove(address.at, address.at + 12, 4);
                        address.bytes = 4;
                }
        }
        return address;
}

static bool begins_alike(const struct address *one, const struct address *other, size_t bits)
{
        size_t whole = bits / 8;
        uint8_t mask = (uint8_t)(0xff00 >> bits % 8);

        return memcmp(one->at, other->at, whole) == 0 &&
               (mask == 0 || ((one->at[whole] ^ other->at[whole]) & mask) == 0);
}

/* "ADDRESS/BITS", or "ADDRESS". @text is altered. */
static bool matches_address(char *text, const struct address *host)
{
        char *slash = strchr(text, '/');
        struct address address;
        uint64_t bits;

        if (slash)
                *slash = '\0';
        address = address_of(text);
        if (address.bytes == 0 || address.bytes != host->bytes)
                return false;
        bits = address.bytes * 8;
        if (slash && number_parse(slash + 1, strlen(slash + 1), bits, &bits) < 0)
                return false;
        return begins_alike(&address, host, bits);
}

static bool matches_name(const char *name, const char *host)
{
        size_t name_size, host_size = strlen(host);
        bool is_below;

        if (strncmp(name, "*.", 2) == 0)
                name++;
        is_below = *name == '.';
        name_size = strlen(name);
        if (name_size == 0 || name_size > host_size ||
                strcasecmp(host + host_size - name_size, name) != 0)
                return false;
        return is_below ? host_size > name_size
                        : host_size == name_size || host[host_size - name_size - 1] == '.';
}

/* Cuts a port and brackets off. NULL: it is for another port, or none. */
static char *cut_port(char *entry, uint16_t port)
{
        char *end = *entry == '[' ? strchr(entry, ']') : NULL;
        char *colon = end ? end + 1 : strchr(entry, ':');
        uint64_t number;

        if (end)
                *end = '\0';
        if (!end && colon && strchr(colon + 1, ':')) /* of an address */
                return entry;
        if (colon && *colon) {
                if (*colon != ':' ||
                        number_parse(colon + 1, strlen(colon + 1), UINT16_MAX, &number) < 0 ||
                        number != port)
                        return NULL;
                *colon = '\0';
        }
        return end ? entry + 1 : entry;
}

/* @entry is altered. */
static bool matches(char *entry, const char *host, uint16_t port)
{
        struct address address = address_of(host);

        if (strcmp(entry, "*") == 0)
                return true;
        entry = cut_port(entry, port);
        if (!entry)
                return false;
        return address.bytes > 0 ? matches_address(entry, &address) : matches_name(entry, host);
}

bool no_proxy_has(const char *list, const char *host, uint16_t port)
{
        static const char separators[] = ", \t";

        while (*(list += strspn(list, separators))) {
                size_t size = strcspn(list, separators);
                char entry[ENTRY_BYTES];

                if (size < sizeof(entry)) {
                        memcpy(entry, list, size);
                        entry[size] = '\0';
                        if (matches(entry, host, port))
                                return true;
                }
                list += size;
        }
        return false;
}

bool no_proxy_is_here(const char *host)
{
        return no_proxy_has("localhost 127.0.0.0/8 ::1", host, 0);
}
