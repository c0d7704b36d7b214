/* SPDX-License-Identifier: MIT */
#include "place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is behind the first of @prefixes that @text begins with; NULL: none. */
static const char *behind(const char *text, const char *const *prefixes)
{
        for (; *prefixes; prefixes++)
                if (strncmp(text, *prefixes, strlen(*prefixes)) == 0)
                        return text + strlen(*prefixes);
        return NULL;
}

/* Of a path with %XX, which is rare, only the call is tried. */
static bool take_path(struct place *place, const char *path)
{
        if (*path == '\0' || strchr(path, '%') || strlen(path) >= sizeof(place->path))
                return false;
        place->kind = PLACE_UNIX;
        strcpy(place->path, path);
        return true;
}

static bool take_port(struct place *place, const char *text)
{
        char *end;
        unsigned long port;

        place->port = PLACE_PORT_DEFAULT;
        if (*text == '\0')
                return true;
        if (text[0] != ':' || strspn(text + 1, "0123456789") != strlen(text + 1) || text[1] == '\0')
                return false;
        port = strtoul(text + 1, &end, 10);
        place->port = (uint16_t)port;
        return port > 0 && port <= UINT16_MAX;
}

/* NAME:PORT, ADDRESS:PORT, [ADDRESS]:PORT, each also without a port. */
static bool take_host(struct place *place, const char *text)
{
        const char *begin = text[0] == '[' ? text + 1 : text;
        size_t size = strcspn(begin, text[0] == '[' ? "]" : ":");
        const char *rest = begin + size;

        if (text[0] == '[' && *rest++ != ']')
                return false;
        if (size == 0 || size >= sizeof(place->host) || memchr(begin, '/', size) ||
                memchr(begin, ',', size))
                return false;
        place->kind = PLACE_HOST;
        memcpy(place->host, begin, size);
        place->host[size] = '\0';
        return take_port(place, rest);
}

void place_parse(struct place *ret_place, const char *target, bool is_unix)
{
        static const char *const paths[] = { "unix://", "unix:", NULL };
        static const char *const hosts[] = { "dns:///", "dns:", "ipv4:", "ipv6:", NULL };
        static const char *const others[] = { "dns://", "unix-abstract:", "vsock:", NULL };
        const char *path = is_unix ? target : behind(target, paths);
        const char *host = behind(target, hosts);
        struct place place = { 0 };
        bool ok;

        if (path)
                ok = take_path(&place, path);
        else
                ok = (host || !behind(target, others)) && take_host(&place, host ? host : target);
        if (!ok)
                place = (struct place){ .kind = PLACE_OTHER };
        *ret_place = place;
}
