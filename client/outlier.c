/* SPDX-License-Identifier: MIT */
#include "client/outlier.h"

#include "core/clock.h"

const struct outlier_rules outlier_defaults = {
        .interval_ns = 10 * NS_PER_S,
        .base_ns = 30 * NS_PER_S,
        .max_ns = 300 * NS_PER_S,
        .ejected_percent_max = 10,
        .success_rate = { .enforcement_percent = 100, .hosts_min = 5, .calls_min = 100 },
        .stdev_factor = 1900,
        .failure_percentage = { .enforcement_percent = 100, .hosts_min = 5, .calls_min = 50 },
        .threshold_percent = 85,
};

struct look {
        const struct outlier_rules *rules;
        struct outlier *const *outliers;
        uint32_t count;
        uint64_t now_ns;
        uint64_t (*draw)(void *user);
        void *user;
};

static bool has_volume(const struct outlier *outlier, const struct outlier_check *check)
{
        uint64_t calls = (uint64_t)outlier->succeeded + outlier->failed;

        return calls > 0 && calls >= check->calls_min;
}

static double success_rate(const struct outlier *outlier)
{
        return outlier->succeeded / ((double)outlier->succeeded + outlier->failed);
}

static bool is_due(const struct look *look, const struct outlier_check *check)
{
        uint32_t hosts = 0;

        for (uint32_t i = 0; i < look->count; i++)
                hosts += has_volume(look->outliers[i], check);
        return check->enforcement_percent > 0 && hosts > 0 && hosts >= check->hosts_min;
}

static bool may_eject(const struct look *look)
{
        uint64_t ejected = 0;

        for (uint32_t i = 0; i < look->count; i++)
                ejected += outlier_is_ejected(look->outliers[i]);
        return ejected * 100 < (uint64_t)look->rules->ejected_percent_max * look->count;
}

/* Those with enough calls whose success rate is below @least. */
static void eject_below(const struct look *look, const struct outlier_check *check, double least)
{
        for (uint32_t i = 0; i < look->count && may_eject(look); i++) {
                struct outlier *outlier = look->outliers[i];

                if (!has_volume(outlier, check) || outlier_is_ejected(outlier) ||
                        success_rate(outlier) >= least ||
                        look->draw(look->user) % 100 >= check->enforcement_percent)
                        continue;
                outlier->ejected_ns = look->now_ns;
                outlier->multiplier++;
        }
}

/* Without libm. Newton's method from above, which falls until it stays. */
static double square_root(double value)
{
        double root = value > 1 ? value : 1, next = root;

        if (value <= 0)
                return 0;
        do {
                root = next;
                next = (root + value / root) / 2;
        } while (next < root);
        return root;
}

static void check_success_rates(const struct look *look)
{
        const struct outlier_check *check = &look->rules->success_rate;
        double sum = 0, squares = 0, mean;
        uint32_t hosts = 0;

        if (!is_due(look, check))
                return;
        for (uint32_t i = 0; i < look->count; i++) {
                if (has_volume(look->outliers[i], check)) {
                        sum += success_rate(look->outliers[i]);
                        hosts++;
                }
        }
        mean = sum / hosts;
        for (uint32_t i = 0; i < look->count; i++) {
                double off = has_volume(look->outliers[i], check)
                                     ? success_rate(look->outliers[i]) - mean
                                     : 0;

                squares += off * off;
        }
        eject_below(look, check,
                mean - square_root(squares / hosts) * look->rules->stdev_factor / 1000);
}

static void check_failures(const struct look *look)
{
        const struct outlier_check *check = &look->rules->failure_percentage;

        if (is_due(look, check))
                eject_below(look, check, (100.0 - look->rules->threshold_percent) / 100);
}

static uint64_t ejection_ns(const struct outlier_rules *rules, const struct outlier *outlier)
{
        uint64_t max_ns = rules->max_ns > rules->base_ns ? rules->max_ns : rules->base_ns;

        return outlier->multiplier < max_ns / (rules->base_ns ? rules->base_ns : 1)
                       ? rules->base_ns * outlier->multiplier
                       : max_ns;
}

static void begin_anew(const struct look *look, struct outlier *outlier)
{
        outlier->succeeded = outlier->failed = 0;
        if (!outlier_is_ejected(outlier))
                outlier->multiplier -= outlier->multiplier > 0;
        else if (look->now_ns - outlier->ejected_ns >= ejection_ns(look->rules, outlier))
                outlier->ejected_ns = 0;
}

void outlier_look(const struct outlier_rules *rules, struct outlier *const *outliers,
        uint32_t count, uint64_t now_ns, uint64_t (*draw)(void *user), void *user)
{
        const struct look look = { rules, outliers, count, now_ns, draw, user };

        check_success_rates(&look);
        check_failures(&look);
        for (uint32_t i = 0; i < count; i++)
                begin_anew(&look, outliers[i]);
}
