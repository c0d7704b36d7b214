/* SPDX-License-Identifier: MIT */
#include "client/balancing_config.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "client/balancer.h"
#include "client/balancing.h"
#include "client/pick_first.h"
#include "client/ring_hash.h"
#include "client/service_config_read.h"
#include "client/spread.h"
#include "core/clock.h"

#define OUTLIER_DETECTION "outlier_detection_experimental"
#define POLICY_NAME_BYTES 32
#define PENALTY_DECIMALS 6
#define PENALTY_UNIT 1e6

/* ---- values ---- */

static int read_number(const struct place *up, const struct json *object, const char *name,
        uint32_t least, uint32_t most, uint32_t *ret_number)
{
        struct field field;
        uint64_t number;
        int r = config_find(up, object, name, JSON_NUMBER, &field);

        if (r < 0 || !field.json)
                return r;
        if (json_whole(field.json, most, &number) < 0 || number < least)
                return config_refuse(
                        &field.place, "a whole number from %u to %u is wanted", least, most);
        *ret_number = (uint32_t)number;
        return 0;
}

static int read_penalty(const struct place *up, const struct json *object, double *ret_penalty)
{
        struct field field;
        uint64_t millionths;
        int r = config_find(up, object, "errorUtilizationPenalty", JSON_NUMBER, &field);

        if (r < 0 || !field.json)
                return r;
        if (json_decimal(field.json, PENALTY_DECIMALS, INT64_MAX, &millionths) < 0)
                return config_refuse(&field.place, "a number that is not negative is wanted");
        *ret_penalty = (double)millionths / PENALTY_UNIT;
        return 0;
}

static int read_header(const struct place *up, const struct json *object, char *ret_header)
{
        struct field field;
        int r = config_find(up, object, "requestHashHeader", JSON_STRING, &field);

        if (r < 0 || !field.json)
                return r;
        if (field.json->text.size >= QUOIT_HASH_HEADER_BYTES)
                return config_refuse(&field.place, "the name is too long");
        memcpy(ret_header, field.json->text.data, field.json->text.size);
        ret_header[field.json->text.size] = '\0';
        return 0;
}

/* ---- policies ---- */

static int read_pick_first(
        const struct place *place, const struct json *object, struct balancing *balancing)
{
        struct field field;
        int r = config_find(place, object, "shuffleAddressList", JSON_BOOL, &field);

        balancing->shuffles = r == 0 && field.json && field.json->is_true;
        return r;
}

static int read_least_request(
        const struct place *place, const struct json *object, struct balancing *balancing)
{
        int r = read_number(place, object, "choiceCount", 2, UINT32_MAX, &balancing->choice_count);

        if (balancing->choice_count > BALANCING_CHOICES_MAX)
                balancing->choice_count = BALANCING_CHOICES_MAX;
        return r;
}

static int read_ring_hash(
        const struct place *place, const struct json *object, struct balancing *balancing)
{
        const uint32_t sizes_max = 8 << 20; /* A42's; what is more than ours counts as that */
        int r = read_number(place, object, "minRingSize", 1, sizes_max, &balancing->ring_size_min);

        if (r == 0)
                r = read_number(
                        place, object, "maxRingSize", 1, sizes_max, &balancing->ring_size_max);
        if (r == 0 && balancing->ring_size_min > balancing->ring_size_max)
                return config_refuse(place, "minRingSize is larger than maxRingSize");
        if (balancing->ring_size_min > BALANCING_RING_SIZE_MAX)
                balancing->ring_size_min = BALANCING_RING_SIZE_MAX;
        if (balancing->ring_size_max > BALANCING_RING_SIZE_MAX)
                balancing->ring_size_max = BALANCING_RING_SIZE_MAX;
        return r < 0 ? r : read_header(place, object, balancing->hash_header);
}

/* Whether reports come out of band, and how often. */
static int read_reporting(
        const struct place *place, const struct json *object, uint64_t *ret_reporting_ns)
{
        uint64_t period_ns = BALANCING_REPORTING_MS * NS_PER_MS;
        struct field field;
        int r = config_find(place, object, "enableOobLoadReport", JSON_BOOL, &field);

        if (r == 0)
                r = config_read_duration(place, object, "oobReportingPeriod", &period_ns);
        if (r == 0 && field.json && field.json->is_true)
                *ret_reporting_ns = period_ns > 0 ? period_ns : 1;
        return r;
}

static int read_weighted(
        const struct place *place, const struct json *object, struct balancing *balancing)
{
        const uint64_t update_min_ns = BALANCING_UPDATE_MS_MIN * NS_PER_MS;
        int r = config_read_duration(place, object, "blackoutPeriod", &balancing->blackout_ns);

        if (r == 0)
                r = config_read_duration(
                        place, object, "weightExpirationPeriod", &balancing->expiration_ns);
        if (r == 0)
                r = config_read_duration(
                        place, object, "weightUpdatePeriod", &balancing->update_ns);
        if (r == 0)
                r = read_reporting(place, object, &balancing->reporting_ns);
        if (balancing->update_ns < update_min_ns)
                balancing->update_ns = update_min_ns;
        return r < 0 ? r : read_penalty(place, object, &balancing->error_penalty);
}

static int read_policy(
        const struct place *place, const struct json *object, struct balancing *balancing)
{
        if (balancing->policy == &pick_first)
                return read_pick_first(place, object, balancing);
        if (balancing->policy == &least_request.policy)
                return read_least_request(place, object, balancing);
        if (balancing->policy == &ring_hash)
                return read_ring_hash(place, object, balancing);
        if (balancing->policy == &weighted_round_robin.policy)
                return read_weighted(place, object, balancing);
        return 0; /* round_robin has no members */
}

/* ---- outlier detection ---- */

/* One of the two; @threshold_name and what it is are its own. Without the member there is no such check. */
static int read_check(const struct place *up, const struct json *object, const char *name,
        const char *threshold_name, uint32_t threshold_max, uint32_t *ret_threshold,
        struct outlier_check *check)
{
        struct field field;
        int r = config_find(up, object, name, JSON_OBJECT, &field);

        if (r == 0 && !field.json)
                check->enforcement_percent = 0;
        if (r < 0 || !field.json)
                return r;
        r = read_number(&field.place, field.json, threshold_name, 0, threshold_max, ret_threshold);
        if (r == 0)
                r = read_number(&field.place, field.json, "enforcementPercentage", 0, 100,
                        &check->enforcement_percent);
        if (r == 0)
                r = read_number(
                        &field.place, field.json, "minimumHosts", 0, UINT32_MAX, &check->hosts_min);
        return r < 0 ? r
                     : read_number(&field.place, field.json, "requestVolume", 0, UINT32_MAX,
                               &check->calls_min);
}

static int read_rules(
        const struct place *place, const struct json *object, struct outlier_rules *rules)
{
        int r = config_read_duration(place, object, "interval", &rules->interval_ns);

        if (r == 0)
                r = config_read_duration(place, object, "baseEjectionTime", &rules->base_ns);
        if (r == 0)
                r = config_read_duration(place, object, "maxEjectionTime", &rules->max_ns);
        if (r == 0)
                r = read_number(
                        place, object, "maxEjectionPercent", 0, 100, &rules->ejected_percent_max);
        if (r == 0)
                r = read_check(place, object, "successRateEjection", "stdevFactor", UINT32_MAX,
                        &rules->stdev_factor, &rules->success_rate);
        if (r == 0)
                r = read_check(place, object, "failurePercentageEjection", "threshold", 100,
                        &rules->threshold_percent, &rules->failure_percentage);
        if (r == 0 && rules->interval_ns < NS_PER_MS)
                return config_refuse(place, "the interval is too short");
        return r;
}

/* ---- lists ---- */

static int read_list(const struct place *list_place, const struct json *list, bool may_eject,
        struct balancing *balancing);

static int read_outlier_detection(
        const struct place *place, const struct json *object, struct balancing *balancing)
{
        struct field child;
        int r = config_find(place, object, "childPolicy", JSON_ARRAY, &child);

        if (r == 0 && !child.json)
                return config_refuse(&child.place, "it is missing");
        balancing->outliers = outlier_defaults;
        if (r == 0)
                r = read_rules(place, object, &balancing->outliers);
        if (r == 0)
                r = read_list(&child.place, child.json, false, balancing);
        balancing->ejects = r == 0 && balancing->policy != &pick_first;
        return r;
}

/* The first that is known. @may_eject: where outlier detection can stand. */
static int read_list(const struct place *list_place, const struct json *list, bool may_eject,
        struct balancing *balancing)
{
        unsigned index = 0;

        for (const struct json *json = list->first; json; json = json->next) {
                struct place place = element_place(list_place, index++);
                const struct json *config = json->type == JSON_OBJECT ? json->first : NULL;
                const struct balancer_policy *policy;
                bool ejects;

                if (!config || config->next)
                        return config_refuse(&place, "an object with one member is wanted");
                ejects = may_eject && upb_StringView_IsEqual(config->name,
                                              upb_StringView_FromString(OUTLIER_DETECTION));
                policy = balancing_policy(config->name);
                if (!ejects && !policy)
                        continue;
                if (config_want(&place, config, JSON_OBJECT) < 0)
                        return -EINVAL;
                if (ejects)
                        return read_outlier_detection(&place, config, balancing);
                balancing->policy = policy;
                return read_policy(&place, config, balancing);
        }
        return config_refuse(list_place, "none of its policies is known");
}

/* In any case of letters, as "ROUND_ROBIN"; one that is not known says nothing. */
static const struct balancer_policy *find_policy(upb_StringView name)
{
        char lower[POLICY_NAME_BYTES];

        if (name.size >= sizeof(lower))
                return NULL;
        for (size_t i = 0; i < name.size; i++)
                lower[i] = (char)tolower((unsigned char)name.data[i]);
        return balancing_policy(upb_StringView_FromDataAndSize(lower, name.size));
}

int balancing_read(const struct place *whole, const struct json *object,
        struct balancing *ret_balancing, bool *ret_is_said)
{
        struct balancing balancing = balancing_defaults;
        const struct balancer_policy *policy;
        struct field list, name;
        int r = config_find(whole, object, "loadBalancingConfig", JSON_ARRAY, &list);

        if (r == 0)
                r = config_find(whole, object, "loadBalancingPolicy", JSON_STRING, &name);
        if (r < 0)
                return r;
        if (list.json && list.json->first) {
                r = read_list(&list.place, list.json, true, &balancing);
                if (r < 0)
                        return r;
                *ret_is_said = true;
        } else {
                policy = name.json ? find_policy(name.json->text) : NULL;
                if (policy)
                        balancing.policy = policy;
                *ret_is_said = policy != NULL;
        }
        *ret_balancing = balancing;
        return 0;
}
