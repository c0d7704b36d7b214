/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/json.h"
#include "client/service_config.h"
#include "upb/mem/arena.h"

/*
 * Service configs. What is refused has one line of text that says why; what is taken is within the bounds that the rest of the client
 * relies on, and can be looked up by any path.
 *
 * Input: the text, also as a list of configs for some clients. Its first line is the path of a method too.
 */
static void check_problem(const char *problem)
{
        size_t size = strlen(problem);

        assert(size > 0 && size < SERVICE_CONFIG_PROBLEM_BYTES);
        for (size_t i = 0; i < size; i++)
                assert(problem[i] >= ' ' && problem[i] <= '~');
}

static void check_attempts(unsigned attempts_max)
{
        assert(attempts_max != 1 && attempts_max <= SERVICE_CONFIG_ATTEMPTS_MAX);
}

static void check_method(const struct method_config *method)
{
        const struct retry_policy *retry = &method->retry;

        check_attempts(retry->attempts_max);
        check_attempts(method->hedging.attempts_max);
        assert(retry->attempts_max == 0 || method->hedging.attempts_max == 0);
        assert(!status_set_has(retry->codes | method->hedging.codes, QUOIT_OK));
        if (retry->attempts_max > 0)
                assert(retry->initial_ns > 0 && retry->max_ns > 0 && retry->multiplier > 0 &&
                        retry->codes != 0);
}

static void look_up(const struct service_config *config, const uint8_t *data, size_t size)
{
        const uint8_t *end = memchr(data, '\n', size);
        size_t length = end ? (size_t)(end - data) : size;
        char *path = malloc(length + 2);

        path[0] = '/';
        memcpy(path + 1, data, length);
        path[length + 1] = '\0';
        check_method(service_config_find(config, path));
        free(path);
        check_method(service_config_find(config, "/a/M"));
        check_method(service_config_find(config, "/b/M"));
}

static void check(const struct service_config *config)
{
        const struct throttling *throttling = &config->throttling;

        assert(throttling->tokens_max <= 1000 * 1000);
        assert((throttling->tokens_max > 0) == (throttling->token_ratio > 0));
        assert(!config->has_balancing || config->balancing.policy);
        assert(config->balancing.ring_size_min <= config->balancing.ring_size_max);
        assert(!config->health_check || config->health_check->type == JSON_OBJECT);
}

static void check_outcome(
        int r, struct service_config *config, const char *problem, const uint8_t *data, size_t size)
{
        if (r < 0) {
                assert(r == -EINVAL && !config);
                check_problem(problem);
        } else if (config) {
                check(config);
                look_up(config, data, size);
                assert(!service_config_unref(config));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        upb_StringView text = upb_StringView_FromDataAndSize((const char *)data, size);
        char problem[SERVICE_CONFIG_PROBLEM_BYTES] = "";
        struct service_config *config = NULL;
        int r = service_config_new(text, &config, problem);

        assert(r < 0 || config);
        check_outcome(r, config, problem, data, size);
        config = NULL;
        r = service_config_choose(text, "host", 50, &config, problem);
        check_outcome(r, config, problem, data, size);
        return 0;
}
