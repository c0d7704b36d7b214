/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* Where to listen, taken apart: a unix path, or a host and a port. */
struct address {
        char host[256]; /* without brackets; "" with a unix path */
        uint16_t port;
        const char *unix_path; /* within the text that was parsed; NULL for TCP */
};

/* Parses "HOST:PORT", "[IPV6]:PORT" or "unix:PATH". 0, or -EINVAL. */
int address_parse(const char *text, struct address *ret_address);
