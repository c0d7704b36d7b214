/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * gRPC's service config: what a service wants of its callers, by method (grpc.service_config.ServiceConfig as JSON; gRPC's document
 * "Service Config in gRPC", its proposals A2, A6 and A21). It is checked as a whole and never changes, so threads can share one.
 * Members that are not known are ignored; null is the same as no member. A text has at most QUOIT_SERVICE_CONFIG_BYTES_MAX, as a server
 * of DNS may send it.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/client.h>

#include "upb/base/string_view.h"

#include "client/balancing.h"

struct json;
struct upb_Arena;

/* Larger numbers of attempts count as this (A6). */
#define SERVICE_CONFIG_ATTEMPTS_MAX 5
/* Room for what is wrong with one: a line, with a zero. */
#define SERVICE_CONFIG_PROBLEM_BYTES 256

/* A set of status codes: 1 << code. */
typedef uint32_t status_set;

static inline bool status_set_has(status_set set, quoit_status status)
{
        return status <= QUOIT_UNAUTHENTICATED && (set >> status & 1);
}

struct retry_policy {
        unsigned
                attempts_max; /* with the first: 2 to SERVICE_CONFIG_ATTEMPTS_MAX; 0: there is no policy */
        status_set codes; /* that are tried again */
        double multiplier;
        uint64_t initial_ns, max_ns; /* of the backoff */
};

struct hedging_policy {
        unsigned attempts_max; /* as above */
        status_set codes; /* that are not fatal */
        uint64_t delay_ns; /* between the attempts */
};

/* What a service config says about a method. */
struct method_config {
        uint64_t timeout_ns; /* UINT64_MAX: none */
        size_t request_bytes_max, response_bytes_max; /* SIZE_MAX: nothing is said */
        bool waits_for_ready; /* where the call does not say */
        struct retry_policy retry;
        struct hedging_policy hedging; /* at most one of the two */
};

/* In thousandths, as A6 counts. */
struct throttling {
        uint32_t tokens_max; /* 0: there is none */
        uint32_t token_ratio;
};

struct named_config;

struct service_config {
        atomic_uint refs;
        struct upb_Arena *arena; /* has all of it */
        struct throttling throttling;
        bool has_balancing; /* it says which policy its callers are to use: */
        struct balancing balancing;
        const struct json *
                health_check; /* NULL: nothing is said. healthCheckConfig: an object; its serviceName is a string */
        unsigned
                connections_max; /* to each address (A105), at most QUOIT_CHANNEL_CONNECTIONS_MAX; 0: nothing is said */
        const struct named_config *methods; /* by name, sorted */
        size_t method_count;
};

/*
 * *@ret_config from @text, with one reference. 0; -EINVAL: it is bad, and @ret_problem says what and where; -ENOMEM. Any thread.
 */
int service_config_new(upb_StringView text, struct service_config **ret_config,
        char ret_problem[static SERVICE_CONFIG_PROBLEM_BYTES]);

/*
 * The same from a list of configs, as a name's record of TXT has it (A2): the first that is meant for clients in C, for this @host_name,
 * and for a client that stands at @percent, 1 to 100, of all. *@ret_config is NULL if none is.
 */
int service_config_choose(upb_StringView text, const char *host_name, unsigned percent,
        struct service_config **ret_config, char ret_problem[static SERVICE_CONFIG_PROBLEM_BYTES]);

/* Any thread. Both take NULL. */
struct service_config *service_config_ref(struct service_config *config);
struct service_config *service_config_unref(struct service_config *config); /* returns NULL */

/*
 * What @config says about the method with this @path, "/SERVICE/METHOD"; else about its service, or all. Never NULL: where it says
 * nothing, or is NULL, a config that sets nothing. Allocates nothing; it lives as long as @config. Any thread.
 */
const struct method_config *service_config_find(
        const struct service_config *config, const char *path);
