/* SPDX-License-Identifier: MIT */
#pragma once

/* Where a target is, as far as it can be looked at step by step: a host and a port, or a unix socket. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

enum place_kind {
        PLACE_HOST, /* a name, or an address */
        PLACE_UNIX, /* a unix socket with a path */
        PLACE_OTHER, /* another form of target: it is only called */
};

enum { PLACE_HOST_BYTES = 256, PLACE_PORT_DEFAULT = 443 };

struct place {
        enum place_kind kind;
        char host[PLACE_HOST_BYTES]; /* without brackets */
        uint16_t port;
        char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/*
 * Parses a target as quoit_channel_new() takes it; @is_unix: it is a path. What it cannot take apart, wrong or not, is PLACE_OTHER. Pure.
 */
void place_parse(struct place *ret_place, const char *target, bool is_unix);
