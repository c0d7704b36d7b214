/* SPDX-License-Identifier: MIT */
#pragma once

/* What a run is to do. All threads share it; it is fixed before they start, but for the stop. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <quoit/client.h>

#include "payload.h"
#include "profile.h"

#define PLAN_UNLIMITED UINT64_MAX

struct plan {
        quoit_client_options client; /* of each thread; made `stepped` */
        quoit_channel_options channel;
        const char *target;
        quoit_method method; /* payload_method() */
        quoit_call_options call;
        struct payload payload;

        unsigned threads;
        unsigned connections; /* of all threads, at least one each */
        unsigned
                concurrency; /* calls in flight at most, of all threads; closed loop: always, at least one each */
        uint32_t messages; /* sent in a call */
        bool ping_pong; /* the next when one was answered */

        const struct profile *profile; /* open loop, with the warm-up; NULL: closed loop */
        bool by_chance; /* open loop: a Poisson process */
        uint64_t seed;
        uint64_t warmup_ns;
        uint64_t duration_ns; /* without the warm-up; PLAN_UNLIMITED */
        uint64_t requests; /* measured calls; PLAN_UNLIMITED */

        atomic_bool is_stopped; /* from outside: no call begins any more */
};

struct bench_options;
struct connection;

/*
 * What the flags say, for the server of @connection; @plan has its method, payload and metadata already. @profile is filled for an open
 * loop. Both must live as long as the plan. EXIT_DONE, or an exit status, when all was said.
 */
int plan_init(struct plan *plan, const struct bench_options *options,
        const struct connection *connection, struct profile *profile);

/* How many of @total are the share of thread @number. */
static inline uint64_t plan_share(uint64_t total, unsigned threads, unsigned number)
{
        return total == PLAN_UNLIMITED ? total : total / threads + (number < total % threads);
}
