/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * When calls begin, and on which connection.
 *
 * Closed loop: as soon as a connection has room, until the calls or the time are used up.
 *
 * Open loop: call number i at begin + i / rate, whatever the server does, on connection i modulo
 * their number; where that has no room it begins later, and its latency counts from when it should
 * have begun. So nothing needs to be queued: a connection's next number says how far it is behind.
 *
 * Calls that begin (should have begun) in the warm-up are not measured; all others are, and are
 * awaited.
 */

#define CALLS_UNLIMITED UINT64_MAX

struct schedule_options {
        uint64_t connections;
        double rate; /* calls a second in all; 0: closed loop */
        double warmup_seconds;
        double duration_seconds; /* 0: as long as @calls take */
        uint64_t calls; /* measured ones; CALLS_UNLIMITED: as many as fit the duration */
        uint64_t connection_calls_max; /* closed loop; CALLS_UNLIMITED */
        double second_percent; /* of the calls go to the second method */
};

struct schedule {
        struct schedule_options options;
        uint64_t begin_ns;
        uint64_t measure_ns; /* the warm-up is over */
        uint64_t end_ns; /* closed loop: nothing begins any more */
        uint64_t begun; /* closed loop: measured calls */
        uint64_t warmup_calls; /* open loop: the first, unmeasured */
        uint64_t total_calls; /* open loop */
        uint64_t due; /* open loop: calls whose time has come */
        uint64_t random;
};

/* Which calls of a connection come next. */
struct schedule_lane {
        uint64_t next; /* open loop: the number of the next call; closed: how many began */
};

struct schedule_call {
        uint64_t start_ns; /* latency counts from here */
        unsigned method; /* 0 or 1 */
        bool measured;
};

/* Nothing begins before schedule_begin. */
void schedule_init(struct schedule *schedule, const struct schedule_options *options);
void schedule_begin(struct schedule *schedule, uint64_t now_ns);

void schedule_lane_init(
        const struct schedule *schedule, struct schedule_lane *lane, uint64_t connection);

/* Takes the next call of a connection with room; false: none (yet). */
bool schedule_take(struct schedule *schedule, struct schedule_lane *lane, uint64_t now_ns,
        struct schedule_call *ret_call);

/* Open loop: lets the calls whose time has come be taken. Returns how many, the first of them on
 * *ret_connection, the others on those that follow. */
uint64_t schedule_advance(struct schedule *schedule, uint64_t now_ns, uint64_t *ret_connection);

/* When something is due next that no answer brings about; UINT64_MAX: never. */
uint64_t schedule_wake_ns(const struct schedule *schedule, uint64_t now_ns);

/* No call becomes due any more (though in open loop some may not have begun). */
bool schedule_is_over(const struct schedule *schedule, uint64_t now_ns);

/* Open loop, after the end: the next measured call of a connection that never began. */
bool schedule_take_missed(
        struct schedule *schedule, struct schedule_lane *lane, struct schedule_call *ret_call);

/* Most calls that can be measured, for CALLS_UNLIMITED by what no machine reaches. */
uint64_t schedule_calls_max(const struct schedule *schedule);
