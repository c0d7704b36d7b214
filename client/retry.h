/* SPDX-License-Identifier: MIT */
#pragma once

/* When a call is tried again by a policy (gRPC's proposal A6). Pure. */

#include <stddef.h>
#include <stdint.h>

#include "client/service_config.h"

/* What grpc-retry-pushback-ms in a failed attempt's trailers says. */
enum pushback {
        PUSHBACK_NONE, /* nothing */
        PUSHBACK_WAIT, /* to wait for so long */
        PUSHBACK_STOP, /* not to try again: it is negative, or cannot be read */
};

/* *@ret_ns: with WAIT. */
enum pushback pushback_parse(const char *value, size_t size, uint64_t *ret_ns);

/* A call's part. */
struct retry {
        struct retry_policy
                policy; /* its channel's config may be another meanwhile. Of an attempt: none */
        unsigned attempts; /* begun by the policy, with the first */
        unsigned pauses; /* in a row that the policy has chosen */
};

/*
 * The pause before an attempt, in nanoseconds: the @number'th in a row that the policy chooses, from 1; plus or minus a fifth by @jitter,
 * a random number.
 */
uint64_t retry_pause_ns(const struct retry_policy *policy, unsigned number, uint64_t jitter);
