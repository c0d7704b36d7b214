/* SPDX-License-Identifier: MIT */
#include "transport/malformed.h"

#include <string.h>

static bool is_one_of(const char *name, size_t size, const char *const *names)
{
        for (; *names; names++) {
                if (strlen(*names) == size && memcmp(*names, name, size) == 0)
                        return true;
        }
        return false;
}

static bool has_capital(const char *name, size_t size)
{
        for (size_t i = 0; i < size; i++) {
                if (name[i] >= 'A' && name[i] <= 'Z')
                        return true;
        }
        return false;
}

static bool is_token(const char *name, size_t size)
{
        for (size_t i = 0; i < size; i++) {
                char c = name[i];

                if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                            (c != '\0' && strchr("!#$%&'*+-.^_`|~", c))))
                        return false;
        }
        return size > 0;
}

static const char *pseudo_rule(const char *name, size_t size, bool response, bool trailer)
{
        static const char *const of_requests[] = { ":method", ":scheme", ":path", ":authority",
                NULL };
        static const char *const of_responses[] = { ":status", NULL };

        if (response && !is_one_of(name, size, of_responses))
                return "HTTP/2 has no such pseudo field in responses";
        if (!response && !is_one_of(name, size, of_requests))
                return "HTTP/2 has no such pseudo field in requests";
        if (trailer)
                return "a pseudo field among the trailers";
        return "it is there twice, or behind other fields, or has a value that it can't have";
}

const char *malformed_field_rule(const char *name, size_t size, bool response, bool trailer)
{
        static const char *const http1[] = { "connection", "keep-alive", "proxy-connection",
                "transfer-encoding", "upgrade", NULL };
        static const char *const te[] = { "te", NULL }, *const host[] = { "host", NULL },
                                 *const length[] = { "content-length", NULL };

        if (size == 0)
                return "a field without a name";
        if (*name == ':')
                return pseudo_rule(name, size, response, trailer);
        if (has_capital(name, size))
                return "its name has capital letters";
        if (!is_token(name, size))
                return "its name has bytes that HTTP does not allow";
        if (is_one_of(name, size, http1))
                return "it belongs to HTTP/1";
        if (!response && is_one_of(name, size, te))
                return "its value is not \"trailers\"";
        if (is_one_of(name, size, host))
                return "it is there twice, or its value has bytes that HTTP does not allow";
        if (is_one_of(name, size, length))
                return "it is there twice, or is no number";
        return "its value has bytes that HTTP does not allow";
}
