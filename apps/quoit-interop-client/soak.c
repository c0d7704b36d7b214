/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <time.h>

#include "../common/clock.h"
#include "../common/program.h"
#include "cases.h"

#define MS_PER_S 1000
#define NS_PER_MS 1000000

static int64_t now_ms(void)
{
        return (int64_t)(clock_now_ns() / NS_PER_MS);
}

static void sleep_until_ms(int64_t time_ms)
{
        const struct timespec time = {
                .tv_sec = time_ms / MS_PER_S,
                .tv_nsec = time_ms % MS_PER_S * NS_PER_MS,
        };

        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) != 0)
                ;
}

/* One iteration, which has until then. */
static bool call_once(struct run *run, int64_t end_ms)
{
        const struct soak_options *soak = &run->options->soak;
        upb_Arena *arena = upb_Arena_New();
        int64_t began_ms = now_ms(), left_ms = end_ms - began_ms, took_ms;
        struct talk talk =
                unary_talk(talk_simple_request(arena, soak->request_bytes, soak->reply_bytes));
        bool ok;

        talk.options.timeout_ms = left_ms > 0 ? (uint32_t)left_ms : 1;
        ok = run_talk(run, &talk, QUOIT_OK) &&
             run_expect_replies(run, &talk, (const int64_t[]){ soak->reply_bytes }, 1);
        took_ms = now_ms() - began_ms;
        upb_Arena_Free(arena);
        if (ok && took_ms > soak->latency_ms_max)
                return run_fail(run, "an iteration took %jd ms", (intmax_t)took_ms);
        return ok;
}

/* With a channel of its own. */
static bool call_once_anew(struct run *run, int64_t end_ms)
{
        quoit_channel *shared = run->channel;
        bool ok;

        if (quoit_channel_new(run->client, run->target, &run->channel_options, &run->channel) < 0)
                return run_fail(run, "no channel");
        ok = call_once(run, end_ms);
        quoit_channel_free(run->channel);
        run->channel = shared;
        return ok;
}

static bool repeat(struct run *run, bool (*once)(struct run *run, int64_t end_ms))
{
        const struct soak_options *soak = &run->options->soak;
        int64_t end_ms = now_ms() + (int64_t)soak->timeout_s * MS_PER_S;
        unsigned failures = 0, done = 0;

        for (; done < soak->iterations && now_ms() < end_ms; done++) {
                int64_t began_ms = now_ms();

                if (!once(run, end_ms)) {
                        failures++;
                        program_say(QUOIT_LOG_WARNING, "iteration %u: %s", done, run->problem);
                }
                if (began_ms + soak->interval_ms > now_ms())
                        sleep_until_ms(began_ms + soak->interval_ms);
        }
        if (done < soak->iterations)
                return run_fail(run, "%u of %u iterations were done in %u s", done,
                        soak->iterations, soak->timeout_s);
        return failures <= soak->failures_max ||
               run_fail(run, "%u of %u iterations failed", failures, soak->iterations);
}

bool rpc_soak(struct run *run)
{
        return repeat(run, call_once);
}

bool channel_soak(struct run *run)
{
        return repeat(run, call_once_anew);
}
