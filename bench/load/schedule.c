/* SPDX-License-Identifier: MIT */
#include "bench/load/schedule.h"

#include <math.h>

#include "bench/clock.h"

#define CALLS_PER_SECOND_MAX 5e6 /* of one connection-handling thread, generously */

static bool is_open(const struct schedule *schedule)
{
        return schedule->options.rate > 0;
}

void schedule_init(struct schedule *schedule, const struct schedule_options *options)
{
        *schedule = (struct schedule){
                .options = *options,
                .begin_ns = UINT64_MAX,
                .measure_ns = UINT64_MAX,
                .end_ns = UINT64_MAX,
                /* Any but 0. Always the same, so that runs can be compared. */
                .random = 0x9e3779b97f4a7c15,
        };
        if (!is_open(schedule))
                return;
        schedule->warmup_calls = (uint64_t)ceil(options->rate * options->warmup_seconds);
        schedule->total_calls =
                schedule->warmup_calls +
                (options->calls == CALLS_UNLIMITED
                                ? (uint64_t)ceil(options->rate * options->duration_seconds)
                                : options->calls);
}

void schedule_begin(struct schedule *schedule, uint64_t now_ns)
{
        const struct schedule_options *options = &schedule->options;

        schedule->begin_ns = now_ns;
        schedule->measure_ns = now_ns + (uint64_t)(options->warmup_seconds * (double)NS_PER_SECOND);
        if (options->duration_seconds > 0)
                schedule->end_ns = schedule->measure_ns +
                                   (uint64_t)(options->duration_seconds * (double)NS_PER_SECOND);
}

void schedule_lane_init(
        const struct schedule *schedule, struct schedule_lane *lane, uint64_t connection)
{
        lane->next = is_open(schedule) ? connection : 0;
}

/* xorshift64 */
static unsigned pick_method(struct schedule *schedule)
{
        uint64_t random = schedule->random;

        if (schedule->options.second_percent <= 0)
                return 0;
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        schedule->random = random;
        return (double)(random >> 11) / (double)(1ull << 53) * 100 <
               schedule->options.second_percent;
}

static uint64_t start_of(const struct schedule *schedule, uint64_t call)
{
        return schedule->begin_ns +
               (uint64_t)((double)call * ((double)NS_PER_SECOND / schedule->options.rate));
}

static bool take_open(
        struct schedule *schedule, struct schedule_lane *lane, struct schedule_call *ret_call)
{
        uint64_t call = lane->next;

        if (call >= schedule->due)
                return false;
        lane->next += schedule->options.connections;
        ret_call->start_ns = start_of(schedule, call);
        ret_call->measured = call >= schedule->warmup_calls;
        return true;
}

static bool take_closed(struct schedule *schedule, struct schedule_lane *lane, uint64_t now_ns,
        struct schedule_call *ret_call)
{
        if (now_ns < schedule->begin_ns || now_ns >= schedule->end_ns ||
                schedule->begun >= schedule->options.calls ||
                lane->next >= schedule->options.connection_calls_max)
                return false;
        ret_call->start_ns = now_ns;
        ret_call->measured = now_ns >= schedule->measure_ns;
        schedule->begun += ret_call->measured;
        lane->next++;
        return true;
}

bool schedule_take(struct schedule *schedule, struct schedule_lane *lane, uint64_t now_ns,
        struct schedule_call *ret_call)
{
        bool taken = is_open(schedule) ? take_open(schedule, lane, ret_call)
                                       : take_closed(schedule, lane, now_ns, ret_call);

        if (taken)
                ret_call->method = pick_method(schedule);
        return taken;
}

uint64_t schedule_advance(struct schedule *schedule, uint64_t now_ns, uint64_t *ret_connection)
{
        uint64_t before = schedule->due;

        if (now_ns < schedule->begin_ns)
                return 0;
        while (schedule->due < schedule->total_calls && start_of(schedule, schedule->due) <= now_ns)
                schedule->due++;
        *ret_connection = before % schedule->options.connections;
        return schedule->due - before;
}

bool schedule_take_missed(
        struct schedule *schedule, struct schedule_lane *lane, struct schedule_call *ret_call)
{
        do {
                if (!is_open(schedule) || !take_open(schedule, lane, ret_call))
                        return false;
        } while (!ret_call->measured);
        ret_call->method = pick_method(schedule);
        return true;
}

uint64_t schedule_wake_ns(const struct schedule *schedule, uint64_t now_ns)
{
        if (now_ns < schedule->begin_ns)
                return schedule->begin_ns;
        if (is_open(schedule))
                return schedule->due < schedule->total_calls ? start_of(schedule, schedule->due)
                                                             : UINT64_MAX;
        if (now_ns < schedule->measure_ns)
                return schedule->measure_ns;
        return now_ns < schedule->end_ns ? schedule->end_ns : UINT64_MAX;
}

bool schedule_is_over(const struct schedule *schedule, uint64_t now_ns)
{
        if (is_open(schedule))
                return schedule->due >= schedule->total_calls;
        return now_ns >= schedule->end_ns || schedule->begun >= schedule->options.calls;
}

uint64_t schedule_calls_max(const struct schedule *schedule)
{
        if (is_open(schedule))
                return schedule->total_calls - schedule->warmup_calls;
        if (schedule->options.calls != CALLS_UNLIMITED)
                return schedule->options.calls;
        return (uint64_t)(schedule->options.duration_seconds * CALLS_PER_SECOND_MAX);
}
