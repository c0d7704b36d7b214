/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* What percent-encoding means in a part of a URL (RFC 3986, section 2.1). */
enum url_part {
        URL_SEGMENT, /* one segment of a path: everything is decoded */
        URL_SEGMENTS, /* several: %2F stays as it is, so that it is not taken for a border of segments */
        URL_QUERY, /* a name or value of a query, as HTML forms send it: '+' is a space */
};

/*
 * Decodes into @out, which has room for @size bytes and may be @text itself. Returns the bytes written, which can be any; or
 * -EINVAL: a '%' without two hexadecimal digits after it.
 */
ssize_t url_decode(char *out, const char *text, size_t size, enum url_part part);
