/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Load balancing: which of a channel's addresses has a call. One of gRPC's policies, or one of your own.
 *
 *      const quoit_load_balancing balancing = { .policy = "round_robin" };
 *      const quoit_channel_options options = { .load_balancing = &balancing };
 *
 *      quoit_channel_new(client, "dns:///service.example:443", &options, &channel);
 *
 * But for pick_first, a channel has a connection to each of its addresses, on each ring of its client; a ring balances its own calls.
 * Calls go to addresses that are READY, while one is; meanwhile the others connect again by themselves, after their own pauses. If
 * the service config has a healthCheckConfig, an address is READY when its server says so (gRPC's proposal A17); one without the service
 * grpc.health.v1.Health always is.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/export.h>
#include <quoit/method.h>
#include <quoit/status.h>

QUOIT_BEGIN_DECLS

/* ---- a policy of your own --------------------------------------------------------------------- */

/* A READY address of a channel, on one ring. Opaque. It lives until on_update is told of others, and it has no call any more. */
typedef struct quoit_balancer_address quoit_balancer_address;

/* The address, like "ipv4:127.0.0.1:50051". Lives as long as it. The ring's thread. */
QUOIT_API const char *quoit_balancer_address_text(const quoit_balancer_address *address);

/* How many calls are under way there. The ring's thread. */
QUOIT_API uint32_t quoit_balancer_address_calls(const quoit_balancer_address *address);

/* Whether a call could begin there now: the server's limit of streams is not reached. The ring's thread. */
QUOIT_API bool quoit_balancer_address_has_room(const quoit_balancer_address *address);

/* What a policy is told of a call. Valid until pick returns. */
typedef struct quoit_balancer_call {
        const quoit_method *method; /* that is called */
        bool has_hash; /* it has a `hash_key` */
        uint64_t hash; /* XXH64 of that */
} quoit_balancer_call;

/* From pick: the call waits until the addresses change or a call ends. */
#define QUOIT_BALANCER_WAIT (-1)

/*
 * A policy. Its functions run on a ring's thread, must not block, and do not free the channel's client. A client with several rings calls
 * them on all of its threads at once, each with addresses of its own.
 */
typedef struct quoit_balancer {
        /* The READY addresses are these from now on, @count of them. They are given to pick in the same order. Can be NULL. */
        void (*on_update)(const quoit_balancer_address *const *addresses, size_t count, void *user);
        /*
         * The index of the address that the call goes to, or QUOIT_BALANCER_WAIT. There is at least one. A call that is sent where there
         * is no room waits for it there. While there is none, calls wait or fail as with all policies.
         */
        int (*pick)(const quoit_balancer_call *call, const quoit_balancer_address *const *addresses,
                size_t count, void *user);
        /* A call that was picked for @address is over. Can be NULL. */
        void (*on_done)(const quoit_balancer_address *address, quoit_status status, void *user);
} quoit_balancer;

/* ---- the choice ------------------------------------------------------------------------------- */

/*
 * Outlier detection (gRPC's proposal A50): an address whose calls fail more often than the others' gets none for a while. Not with
 * pick_first. Zero in a member takes the default; UINT32_MAX in an enforcement is never.
 */
typedef struct quoit_outlier_detection {
        uint32_t interval_ms; /* between two looks at all addresses. 10 000 */
        uint32_t
                base_ejection_ms; /* how long one is ejected for the first time in a row, and so much longer each time. 30 000 */
        uint32_t max_ejection_ms; /* at most; never less than the base. 300 000 */
        uint32_t
                max_ejection_percent; /* of all addresses; while fewer are, one more may be. Default: 10. */
        uint32_t
                success_rate_stdev_factor; /* worse than the mean by so many thousandths of the standard deviation. Default: 1900. */
        uint32_t
                success_rate_enforcement; /* how many percent of those are ejected. Default: 100. */
        uint32_t
                success_rate_hosts_min; /* looks only if so many addresses have had enough calls. Default: 5. */
        uint32_t success_rate_calls_min; /* of an address, in an interval. Default: 100. */
        uint32_t
                failure_threshold_percent; /* more than so many percent of the calls fail. Default: 85. */
        uint32_t failure_enforcement; /* as above. Default: 100. */
        uint32_t failure_hosts_min; /* as above. Default: 5. */
        uint32_t failure_calls_min; /* as above. Default: 50. */
} quoit_outlier_detection;

/* The longest name of a header in a quoit_load_balancing, with a zero at its end. */
#define QUOIT_HASH_HEADER_BYTES 64

/* Zero (or NULL) in a member takes the default. Members that are not of its policy have no effect. Times are in milliseconds. */
typedef struct quoit_load_balancing {
        /*
         * pick_first              the first address that can be connected to has all calls (A61, A62)
         * round_robin             all addresses in turn
         * weighted_round_robin    in turn, those more often that report less load for the calls they have (A58)
         * least_request           of a few at random the one with the fewest calls (A48)
         * ring_hash               calls with the same `hash_key` go to the same one, while it can be connected to (A42, A61, A76)
         *
         * "_experimental" may follow the last two names, as in gRPC's. pick_first
         */
        const char *policy;
        bool shuffles; /* pick_first: tries the addresses in an order by chance (A62) */
        uint32_t choice_count; /* least_request: of how many, 2 to 10. Default: 2. */
        const char *
                hash_header; /* ring_hash: metadata that is the key of calls without a `hash_key`. None: by chance */
        uint32_t ring_size_min; /* ring_hash: places in all, at least. Default: 1024. */
        uint32_t ring_size_max; /* ring_hash: places in all, at most. 4096, which is the most */
        uint32_t
                blackout_ms; /* weighted_round_robin: an address's reports count when they have come for so long. 10 000 */
        uint32_t
                weight_expiration_ms; /* weighted_round_robin: without reports for so long it has no weight. 180 000 */
        uint32_t
                weight_update_ms; /* weighted_round_robin: weights are taken anew so often, at least 100. Default: 1000. */
        /* weighted_round_robin: utilization that is added for errors, times their share; below 0 is none. Default: 1.0. */
        double error_penalty;
        /*
         * weighted_round_robin: servers report their load by a stream on each connection (gRPC's proposal A51,
         * xds.service.orca.v3.OpenRcaService), and what comes with calls does not count. One without this service has no weight.
         */
        bool reports_out_of_band;
        uint32_t
                reporting_ms; /* weighted_round_robin: how often they are asked to, with that. 10 000 */
        const quoit_outlier_detection
                *outlier_detection; /* only read. None: no address is ejected */
        const quoit_balancer *
                balancer; /* in place of `policy`. It lives as long as the client. Default: none. */
        void *user; /* handed to its functions */
} quoit_load_balancing;

QUOIT_END_DECLS
