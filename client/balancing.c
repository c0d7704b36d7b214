/* SPDX-License-Identifier: MIT */
#include "client/balancing.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/balancer.h"
#include "client/custom_balancer.h"
#include "client/pick_first.h"
#include "client/ring_hash.h"
#include "client/spread.h"
#include "core/clock.h"

const struct balancing balancing_defaults = {
        .policy = &pick_first,
        .choice_count = 2,
        .ring_size_min = 1024,
        .ring_size_max = BALANCING_RING_SIZE_MAX,
        .blackout_ns = 10 * NS_PER_S,
        .expiration_ns = 180 * NS_PER_S,
        .update_ns = NS_PER_S,
        .error_penalty = 1.0,
};

const struct balancer_policy *balancing_policy(upb_StringView name)
{
        static const struct {
                const char *name;
                const struct balancer_policy *policy;
        } policies[] = {
                { "pick_first", &pick_first },
                { "round_robin", &round_robin.policy },
                { "weighted_round_robin", &weighted_round_robin.policy },
                { "least_request", &least_request.policy },
                { "least_request_experimental", &least_request.policy },
                { "ring_hash", &ring_hash },
                { "ring_hash_experimental", &ring_hash },
        };

        for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
                if (upb_StringView_IsEqual(name, upb_StringView_FromString(policies[i].name)))
                        return policies[i].policy;
        }
        return NULL;
}

static void set(uint32_t *number, uint32_t wanted)
{
        if (wanted > 0)
                *number = wanted;
}

static void set_time(uint64_t *time_ns, uint32_t wanted_ms)
{
        if (wanted_ms > 0)
                *time_ns = wanted_ms * NS_PER_MS;
}

static void set_enforcement(uint32_t *percent, uint32_t wanted)
{
        set(percent, wanted);
        if (wanted == UINT32_MAX)
                *percent = 0;
}

static int set_outliers(struct balancing *balancing, const quoit_outlier_detection *options)
{
        struct outlier_rules *rules = &balancing->outliers;

        *rules = outlier_defaults;
        set_time(&rules->interval_ns, options->interval_ms);
        set_time(&rules->base_ns, options->base_ejection_ms);
        set_time(&rules->max_ns, options->max_ejection_ms);
        set(&rules->ejected_percent_max, options->max_ejection_percent);
        set(&rules->stdev_factor, options->success_rate_stdev_factor);
        set_enforcement(
                &rules->success_rate.enforcement_percent, options->success_rate_enforcement);
        set(&rules->success_rate.hosts_min, options->success_rate_hosts_min);
        set(&rules->success_rate.calls_min, options->success_rate_calls_min);
        set(&rules->threshold_percent, options->failure_threshold_percent);
        set_enforcement(
                &rules->failure_percentage.enforcement_percent, options->failure_enforcement);
        set(&rules->failure_percentage.hosts_min, options->failure_hosts_min);
        set(&rules->failure_percentage.calls_min, options->failure_calls_min);
        balancing->ejects = balancing->policy != &pick_first;
        return rules->ejected_percent_max <= 100 && rules->threshold_percent <= 100 &&
                               rules->success_rate.enforcement_percent <= 100 &&
                               rules->failure_percentage.enforcement_percent <= 100
                       ? 0
                       : -EINVAL;
}

static int set_policy(struct balancing *balancing, const quoit_load_balancing *options)
{
        if (options->balancer) {
                balancing->policy = &custom_balancer.policy;
                balancing->balancer = options->balancer;
                balancing->user = options->user;
                return options->balancer->pick ? 0 : -EINVAL;
        }
        if (options->policy)
                balancing->policy = balancing_policy(upb_StringView_FromString(options->policy));
        return balancing->policy ? 0 : -EINVAL;
}

static int set_ring(struct balancing *balancing, const quoit_load_balancing *options)
{
        const char *header = options->hash_header ? options->hash_header : "";

        set(&balancing->ring_size_min, options->ring_size_min);
        set(&balancing->ring_size_max, options->ring_size_max);
        if (strlen(header) >= sizeof(balancing->hash_header) ||
                balancing->ring_size_max > BALANCING_RING_SIZE_MAX ||
                balancing->ring_size_min > balancing->ring_size_max)
                return -EINVAL;
        strcpy(balancing->hash_header, header);
        return 0;
}

static int set_weights(struct balancing *balancing, const quoit_load_balancing *options)
{
        set_time(&balancing->blackout_ns, options->blackout_ms);
        set_time(&balancing->expiration_ns, options->weight_expiration_ms);
        set_time(&balancing->update_ns, options->weight_update_ms);
        if (options->reports_out_of_band) {
                balancing->reporting_ns = BALANCING_REPORTING_MS * NS_PER_MS;
                set_time(&balancing->reporting_ns, options->reporting_ms);
        }
        if (options->error_penalty > 0)
                balancing->error_penalty = options->error_penalty;
        else if (options->error_penalty < 0)
                balancing->error_penalty = 0;
        return options->error_penalty == options->error_penalty /* a number */ &&
                               balancing->update_ns >= BALANCING_UPDATE_MS_MIN * NS_PER_MS
                       ? 0
                       : -EINVAL;
}

int balancing_from_options(const quoit_load_balancing *options, struct balancing *ret_balancing)
{
        struct balancing balancing = balancing_defaults;
        int r = 0;

        if (options) {
                balancing.shuffles = options->shuffles;
                set(&balancing.choice_count, options->choice_count);
                if (balancing.choice_count < 2 || balancing.choice_count > BALANCING_CHOICES_MAX)
                        return -EINVAL;
                r = set_policy(&balancing, options);
                if (r == 0)
                        r = set_ring(&balancing, options);
                if (r == 0)
                        r = set_weights(&balancing, options);
                if (r == 0 && options->outlier_detection)
                        r = set_outliers(&balancing, options->outlier_detection);
        }
        if (r == 0)
                *ret_balancing = balancing;
        return r;
}
