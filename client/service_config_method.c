/* SPDX-License-Identifier: MIT */

/* What a service config says about a method, and about retries of all. */

#include <errno.h>

#include "client/service_config_read.h"

#define MULTIPLIER_DECIMALS 6
#define MULTIPLIER_UNITS 1000000
#define TOKENS_MAX 1000
#define TOKEN_DECIMALS 3
#define TOKEN_UNITS 1000

/* ---- policies ---- */

/* One that must be there, and be longer than nothing. */
static int read_backoff(
        const struct place *up, const struct json *object, const char *name, uint64_t *ret_ns)
{
        uint64_t ns = 0;
        int r = config_read_duration(up, object, name, &ns);

        if (r < 0)
                return r;
        if (ns == 0)
                return config_refuse(up, "%s is wanted, and more than 0s", name);
        *ret_ns = ns;
        return 0;
}

static int read_attempts(const struct place *up, const struct json *object, unsigned *ret_attempts)
{
        struct field field;
        uint64_t attempts = 0;
        int r = config_find(up, object, "maxAttempts", JSON_NUMBER, &field);

        if (r < 0)
                return r;
        if (!field.json || json_whole(field.json, UINT32_MAX, &attempts) < 0 || attempts < 2)
                return config_refuse(&field.place, "a whole number from 2 is wanted");
        *ret_attempts = attempts < SERVICE_CONFIG_ATTEMPTS_MAX ? (unsigned)attempts
                                                               : SERVICE_CONFIG_ATTEMPTS_MAX;
        return 0;
}

static int read_multiplier(const struct place *up, const struct json *object, double *ret_factor)
{
        struct field field;
        uint64_t units = 0;
        int r = config_find(up, object, "backoffMultiplier", JSON_NUMBER, &field);

        if (r < 0)
                return r;
        if (!field.json || json_decimal(field.json, MULTIPLIER_DECIMALS, UINT32_MAX, &units) < 0 ||
                units == 0)
                return config_refuse(&field.place, "a number from 0.000001 to 4294 is wanted");
        *ret_factor = (double)units / MULTIPLIER_UNITS;
        return 0;
}

static int read_retry(
        const struct place *up, const struct json *object, struct retry_policy *ret_policy)
{
        struct field field;
        int r = config_find(up, object, "retryPolicy", JSON_OBJECT, &field);

        if (r < 0 || !field.json)
                return r;
        r = read_attempts(&field.place, field.json, &ret_policy->attempts_max);
        if (r == 0)
                r = read_backoff(
                        &field.place, field.json, "initialBackoff", &ret_policy->initial_ns);
        if (r == 0)
                r = read_backoff(&field.place, field.json, "maxBackoff", &ret_policy->max_ns);
        if (r == 0)
                r = read_multiplier(&field.place, field.json, &ret_policy->multiplier);
        if (r == 0)
                r = config_read_codes(
                        &field.place, field.json, "retryableStatusCodes", &ret_policy->codes);
        if (r == 0 && ret_policy->codes == 0)
                r = config_refuse(
                        &field.place, "retryableStatusCodes is wanted, with one code or more");
        return r;
}

static int read_hedging(
        const struct place *up, const struct json *object, struct hedging_policy *ret_policy)
{
        struct field field;
        int r = config_find(up, object, "hedgingPolicy", JSON_OBJECT, &field);

        if (r < 0 || !field.json)
                return r;
        r = read_attempts(&field.place, field.json, &ret_policy->attempts_max);
        if (r == 0)
                r = config_read_duration(
                        &field.place, field.json, "hedgingDelay", &ret_policy->delay_ns);
        if (r == 0)
                r = config_read_codes(
                        &field.place, field.json, "nonFatalStatusCodes", &ret_policy->codes);
        return r;
}

/* ---- a method ---- */

static int read_wait_for_ready(
        const struct place *up, const struct json *object, struct method_config *config)
{
        struct field field;
        int r = config_find(up, object, "waitForReady", JSON_BOOL, &field);

        if (r < 0 || !field.json)
                return r;
        config->waits_for_ready = field.json->is_true;
        return 0;
}

int config_read_method(
        const struct place *place, const struct json *object, struct method_config *config)
{
        int r = config_read_duration(place, object, "timeout", &config->timeout_ns);

        if (r == 0)
                r = config_read_size(
                        place, object, "maxRequestMessageBytes", &config->request_bytes_max);
        if (r == 0)
                r = config_read_size(
                        place, object, "maxResponseMessageBytes", &config->response_bytes_max);
        if (r == 0)
                r = read_wait_for_ready(place, object, config);
        if (r == 0)
                r = read_retry(place, object, &config->retry);
        if (r == 0)
                r = read_hedging(place, object, &config->hedging);
        if (r == 0 && config->retry.attempts_max > 0 && config->hedging.attempts_max > 0)
                r = config_refuse(place, "either retryPolicy or hedgingPolicy is wanted, not both");
        return r;
}

/* ---- throttling ---- */

int config_read_throttling(
        const struct place *up, const struct json *object, struct throttling *ret_throttling)
{
        struct field field, tokens, ratio;
        uint64_t max = 0, per_call = 0;
        int r = config_find(up, object, "retryThrottling", JSON_OBJECT, &field);

        if (r < 0 || !field.json)
                return r;
        r = config_find(&field.place, field.json, "maxTokens", JSON_NUMBER, &tokens);
        if (r == 0)
                r = config_find(&field.place, field.json, "tokenRatio", JSON_NUMBER, &ratio);
        if (r < 0)
                return r;
        if (!tokens.json || json_whole(tokens.json, TOKENS_MAX, &max) < 0 || max == 0)
                return config_refuse(&tokens.place, "a whole number from 1 to 1000 is wanted");
        if (!ratio.json ||
                json_decimal(ratio.json, TOKEN_DECIMALS, TOKENS_MAX * TOKEN_UNITS, &per_call) < 0 ||
                per_call == 0)
                return config_refuse(&ratio.place, "a number from 0.001 to 1000 is wanted");
        *ret_throttling = (struct throttling){ .tokens_max = (uint32_t)max * TOKEN_UNITS,
                .token_ratio = (uint32_t)per_call };
        return 0;
}
