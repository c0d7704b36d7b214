/* SPDX-License-Identifier: MIT */
#include "figures.h"

#include <string.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define SECONDS (FIGURES_WINDOW_S + 1)

/* ---- latencies ---- */

static unsigned bucket_of(uint64_t us)
{
        unsigned power, bucket;

        if (us < 8)
                return (unsigned)us;
        power = 63 - (unsigned)__builtin_clzll(us);
        bucket = (power - 2) * 8 + (unsigned)(us >> (power - 3) & 7);
        return bucket < FIGURES_BUCKETS ? bucket : FIGURES_BUCKETS - 1;
}

/* The first value above the bucket. */
static uint64_t bucket_end_us(unsigned bucket)
{
        if (bucket < 8)
                return bucket + 1;
        return (UINT64_C(8) + bucket % 8 + 1) << (bucket / 8 - 1);
}

static double percentile_ms(const uint64_t *latencies, uint64_t count, unsigned percent)
{
        uint64_t rank = (count * percent + 99) / 100;
        uint64_t seen = 0;
        unsigned bucket = 0;

        for (; bucket < FIGURES_BUCKETS - 1; bucket++) {
                seen += latencies[bucket];
                if (seen >= rank)
                        break;
        }
        return (double)bucket_end_us(bucket) / 1000;
}

/* ---- seconds ---- */

static struct figures_second *second_at(struct figures *figures, uint64_t now_ns)
{
        uint64_t second = now_ns / NS_PER_SECOND;
        struct figures_second *at = &figures->seconds[second % SECONDS];

        if (at->second != second)
                *at = (struct figures_second){ .second = second };
        return at;
}

static bool is_recent(const struct figures_second *at, uint64_t now_ns)
{
        return at->second + FIGURES_WINDOW_S >= now_ns / NS_PER_SECOND;
}

/* ---- calls ---- */

void figures_begin_call(struct figures *figures)
{
        pthread_mutex_lock(&figures->mutex);
        figures->running++;
        pthread_mutex_unlock(&figures->mutex);
}

void figures_end_call(
        struct figures *figures, enum figures_end end, uint64_t now_ns, uint64_t latency_ns)
{
        struct figures_second *second;

        pthread_mutex_lock(&figures->mutex);
        second = second_at(figures, now_ns);
        second->calls++;
        if (end == FIGURES_ANSWERED)
                second->latencies[bucket_of(latency_ns / 1000)]++;
        figures->running--;
        figures->calls++;
        figures->failures += end == FIGURES_FAILED;
        pthread_mutex_unlock(&figures->mutex);
}

/* Adds up what is recent. Returns how many there are. */
static uint64_t add_latencies(
        const struct figures *figures, uint64_t now_ns, uint64_t latencies[FIGURES_BUCKETS])
{
        uint64_t count = 0;

        for (unsigned i = 0; i < SECONDS; i++) {
                const struct figures_second *second = &figures->seconds[i];

                if (!is_recent(second, now_ns))
                        continue;
                for (unsigned bucket = 0; bucket < FIGURES_BUCKETS; bucket++) {
                        latencies[bucket] += second->latencies[bucket];
                        count += second->latencies[bucket];
                }
        }
        return count;
}

void figures_read(struct figures *figures, uint64_t now_ns, struct figures_summary *ret_summary)
{
        uint64_t latencies[FIGURES_BUCKETS] = { 0 };
        uint64_t last = now_ns / NS_PER_SECOND - 1, count;
        const struct figures_second *second = &figures->seconds[last % SECONDS];

        pthread_mutex_lock(&figures->mutex);
        *ret_summary = (struct figures_summary){
                .calls = figures->calls,
                .failures = figures->failures,
                .running = figures->running,
                .calls_per_second = second->second == last ? second->calls : 0,
        };
        count = add_latencies(figures, now_ns, latencies);
        pthread_mutex_unlock(&figures->mutex);
        if (count == 0)
                return;
        ret_summary->has_latency = true;
        ret_summary->p50_ms = percentile_ms(latencies, count, 50);
        ret_summary->p90_ms = percentile_ms(latencies, count, 90);
        ret_summary->p99_ms = percentile_ms(latencies, count, 99);
}
