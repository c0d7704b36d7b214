/* SPDX-License-Identifier: MIT */
#pragma once

/* The addresses of a target. */

#include <stddef.h>
#include <sys/socket.h>

#include "place.h"

enum { ADDRESSES_MAX = 16, ADDRESS_TEXT_BYTES = 128 };

struct address {
        struct sockaddr_storage bytes;
        socklen_t size;
        char text[ADDRESS_TEXT_BYTES]; /* "127.0.0.1:50051", "[::1]:50051", or a path */
};

struct addresses {
        struct address list[ADDRESSES_MAX]; /* @count of them; further ones are left out */
        size_t count;
};

/* Adds one of IPv4 or IPv6, with the port in place of its own. Others, and what there is no room for, are left out. */
void addresses_add(struct addresses *addresses, const struct sockaddr *bytes, uint16_t port);

/* Adds the host of @place, if it is an address, or its path. False: it is a name. */
bool addresses_add_place(struct addresses *addresses, const struct place *place);
