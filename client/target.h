/* SPDX-License-Identifier: MIT */
#pragma once

/* What a channel's target says: gRPC's naming document (grpc/doc/naming.md). Pure. */

#include <quoit/client.h>

#include "core/endpoint.h"

#define TARGET_AUTHORITY_BYTES 300
#define TARGET_HOST_BYTES 256
#define TARGET_DNS_SERVER_BYTES 64

struct target {
        const char *text; /* the whole: the caller's */
        bool has_scheme; /* it says what kind it is */
        struct endpoint addresses[QUOIT_CHANNEL_ADDRESSES_MAX];
        unsigned count; /* 0: they are those of `host` */
        char host[TARGET_HOST_BYTES];
        uint16_t port; /* with that, or with ... */
        char tunnel_host
                [TARGET_HOST_BYTES]; /* ... a name, or an address without brackets, that may be reached by a proxy (proxy.h); "": there is none */
        char dns_server
                [TARGET_DNS_SERVER_BYTES]; /* with that: "ADDRESS:PORT", "[ADDRESS]:PORT"; "": the system's */
        const char *
                problem; /* what is wrong, after an error: static, goes behind the text. NULL: not such a target */
        char authority[TARGET_AUTHORITY_BYTES]; /* where the caller sets none */
};

/* Errors as quoit_channel_new() has them; of *@ret_target only @problem is defined then. */
int target_parse(const char *text, struct target *ret_target);

/* Whether it consists of what names of hosts do: letters, digits, "-", "_" and ".". */
bool target_is_name(const char *host);

/* What is wrong, after an @error of target_parse(). Static. */
const char *target_problem(const struct target *target, int error);
