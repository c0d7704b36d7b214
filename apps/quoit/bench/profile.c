/* SPDX-License-Identifier: MIT */
#include "profile.h"

#include <math.h>
#include <string.h>

#include "../flags.h"

#define NS_PER_SECOND 1e9
#define MS_PER_SECOND 1e3
#define RATE_MAX 1e9
#define THOUSAND 1e3

/* ---- parsing ---- */

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* A rate, and moves *@text behind it. Not by strtod(), which takes the first dot of "100..200", "inf" and "0x10". */
static bool parse_rate(const char **text, double *ret_rate)
{
        const char *at = *text;
        double rate = 0, place = 1;

        if (!is_digit(*at))
                return false;
        for (; is_digit(*at); at++)
                rate = rate * 10 + (*at - '0');
        if (at[0] == '.' && is_digit(at[1]))
                for (at++; is_digit(*at); at++)
                        rate += (*at - '0') * (place /= 10);
        if (*at == 'k') {
                rate *= THOUSAND;
                at++;
        }
        *text = at;
        *ret_rate = rate;
        return rate <= RATE_MAX;
}

/* "RATE", "RATE..RATE", "RATE@TIME", "RATE..RATE@TIME". NULL, or what is wrong. Without a time @seconds is 0. */
static const char *parse_stage(struct stage *stage, const char *text, size_t size)
{
        const char *end = text + size;
        double ms;

        *stage = (struct stage){ 0 };
        if (!parse_rate(&text, &stage->first_rate))
                return "a rate is calls a second: 1000, 2.5, 10k";
        stage->last_rate = stage->first_rate;
        if (strncmp(text, "..", 2) == 0) {
                text += 2;
                if (!parse_rate(&text, &stage->last_rate))
                        return "a rate that changes is 100..2000";
        }
        if (text == end)
                return NULL;
        if (*text++ != '@' || !flag_parse_time(text, (size_t)(end - text), &ms) || ms <= 0)
                return "a stage is RATE, RATE..RATE or one of them and @TIME: 100..2000@10s";
        stage->seconds = ms / MS_PER_SECOND;
        return NULL;
}

/* What is left of @seconds is for the stages that have no time. */
static const char *share_time(struct profile *profile, double seconds)
{
        double taken = 0;
        size_t without = 0;

        for (size_t i = 0; i < profile->count; i++) {
                taken += profile->stages[i].seconds;
                without += profile->stages[i].seconds == 0;
        }
        if (without == 0)
                return NULL;
        if (isinf(seconds) && (profile->count > 1 || profile->stages[0].first_rate !=
                                                             profile->stages[0].last_rate))
                return "stages need a time each, or a --duration that they share";
        if (taken >= seconds)
                return "stages with a time leave nothing of --duration for those without";
        for (size_t i = 0; i < profile->count; i++)
                if (profile->stages[i].seconds == 0)
                        profile->stages[i].seconds = (seconds - taken) / (double)without;
        return NULL;
}

const char *profile_parse(struct profile *profile, const char *text, double seconds)
{
        const char *problem = NULL;
        size_t size;

        profile->count = 0;
        for (bool more = true; more && !problem; text += size + 1) {
                size = strcspn(text, ",");
                more = text[size] == ',';
                if (profile->count == PROFILE_STAGES_MAX)
                        return "there are too many stages";
                problem = parse_stage(&profile->stages[profile->count++], text, size);
        }
        if (!problem)
                problem = share_time(profile, seconds);
        if (!problem && profile_calls(profile) == 0)
                problem = "a rate of 0 has no calls";
        return problem;
}

/* ---- the rate over time ---- */

void profile_warm_up(struct profile *profile, double seconds)
{
        double rate = profile->stages[0].first_rate;

        memmove(profile->stages + 1, profile->stages, profile->count * sizeof(*profile->stages));
        profile->stages[0] = (struct stage){ seconds, rate, rate };
        profile->count++;
}

double profile_seconds(const struct profile *profile)
{
        double seconds = 0;

        for (size_t i = 0; i < profile->count; i++)
                seconds += profile->stages[i].seconds;
        return seconds;
}

double profile_rate(const struct profile *profile, double seconds)
{
        for (size_t i = 0; i < profile->count; i++) {
                const struct stage *stage = &profile->stages[i];

                if (isinf(stage->seconds))
                        return stage->first_rate;
                if (seconds < stage->seconds)
                        return stage->first_rate +
                               (stage->last_rate - stage->first_rate) * seconds / stage->seconds;
                seconds -= stage->seconds;
        }
        return 0;
}

static double stage_calls(const struct stage *stage)
{
        double rate = (stage->first_rate + stage->last_rate) / 2;

        return rate > 0 ? rate * stage->seconds : 0;
}

double profile_calls(const struct profile *profile)
{
        double calls = 0;

        for (size_t i = 0; i < profile->count; i++)
                calls += stage_calls(&profile->stages[i]);
        return calls;
}

/* ---- calls ---- */

/*
 * When the area under the stage's rate is @calls. At time t it is first * t + growth * t^2 / 2; so t is the root of a quadratic equation,
 * in the form that loses no digits where the growth is small.
 */
static double time_of(const struct stage *stage, double calls)
{
        double growth, root;

        if (calls <= 0)
                return 0; /* with a first rate of 0 the root is 0 too */
        if (stage->first_rate == stage->last_rate)
                return calls / stage->first_rate;
        growth = (stage->last_rate - stage->first_rate) / stage->seconds;
        root = stage->first_rate * stage->first_rate + 2 * growth * calls;
        return 2 * calls / (stage->first_rate + sqrt(root > 0 ? root : 0));
}

void arrivals_init(struct arrivals *arrivals, const struct profile *profile, unsigned lane,
        unsigned lanes, bool by_chance, uint64_t seed)
{
        *arrivals = (struct arrivals){
                .profile = profile,
                .next = lane,
                .step = lanes,
                .by_chance = by_chance,
                .chance.state = seed + lane,
        };
        if (by_chance)
                arrivals->next = arrivals->step * chance_exponential(&arrivals->chance);
}

uint64_t arrivals_next_ns(struct arrivals *arrivals)
{
        const struct profile *profile = arrivals->profile;
        double place = arrivals->next, seconds;

        for (; arrivals->stage < profile->count; arrivals->stage++) {
                const struct stage *stage = &profile->stages[arrivals->stage];
                double calls = stage_calls(stage);

                if (place - arrivals->stage_calls < calls) {
                        seconds = arrivals->stage_begin +
                                  time_of(stage, place - arrivals->stage_calls);
                        arrivals->next +=
                                arrivals->by_chance
                                        ? arrivals->step * chance_exponential(&arrivals->chance)
                                        : arrivals->step;
                        return (uint64_t)(seconds * NS_PER_SECOND);
                }
                arrivals->stage_calls += calls;
                arrivals->stage_begin += stage->seconds;
        }
        return UINT64_MAX;
}
