/* SPDX-License-Identifier: MIT */
#pragma once

/* How a channel's calls are balanced: what quoit_load_balancing says, checked and complete. A value. Pure. */

#include <quoit/balancing.h>

#include "client/outlier.h"
#include "upb/base/string_view.h"

struct balancer_policy;

#define BALANCING_CHOICES_MAX 10
#define BALANCING_RING_SIZE_MAX 4096
#define BALANCING_UPDATE_MS_MIN 100
#define BALANCING_REPORTING_MS 10000

struct balancing {
        const struct balancer_policy *policy;
        bool shuffles;
        uint32_t choice_count;
        char hash_header[QUOIT_HASH_HEADER_BYTES]; /* "": none */
        uint32_t ring_size_min, ring_size_max;
        uint64_t blackout_ns, expiration_ns, update_ns;
        uint64_t reporting_ns; /* reports come so often out of band; 0: with calls */
        double error_penalty;
        bool ejects; /* outliers, as @outliers says */
        struct outlier_rules outliers;
        const quoit_balancer *balancer; /* the user's */
        void *user;
};

/* gRPC's defaults, with pick_first. */
extern const struct balancing balancing_defaults;

/* The policy of this name; NULL: there is none. */
const struct balancer_policy *balancing_policy(upb_StringView name);

/* @options: NULL for defaults. 0; -EINVAL. */
int balancing_from_options(const quoit_load_balancing *options, struct balancing *ret_balancing);
