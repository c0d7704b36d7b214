/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A thread that calls: with a client of its own, whose ring it turns, and its share of the connections and calls. So threads have nothing
 * in common while they call.
 *
 * Closed loop: a call begins as soon as one before it is over. Open loop: when it is due, whatever the server does; one that finds as many
 * in flight as there may be begins later, and its latency counts from when it was due. So what waits need not be queued.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "gate.h"
#include "plan.h"
#include "tally.h"

struct flight;

struct worker {
        /* Set by worker_init(). */
        struct plan *plan;
        struct gate *gate;
        unsigned number;
        int news_fd; /* an eventfd: written when the thread is connected, and when it is through */

        /* Its results. */
        struct tally tally;
        atomic_bool is_connected, is_done;
        quoit_error error; /* no calls were made, or the ring broke: why; QUOIT_OK: all is well */

        /* Its own. */
        pthread_t thread;
        quoit_client *client;
        quoit_channel **channels;
        unsigned channel_count;
        struct flight *flights; /* as many as calls may be in flight */
        unsigned flight_count;
        struct flight *idle; /* those without a call */
        struct flight *
                parked; /* closed loop: their channel has no connection; they try again at the next tick */
        _Atomic unsigned in_flight;
        unsigned next_channel;
        struct payload_maker maker;
        quoit_problem payload_problem; /* the last one */
        struct arrivals arrivals;
        uint64_t due_ns; /* open loop: of the next call; UINT64_MAX: there is none */
        uint64_t tick_ns; /* of the next tick */
        bool is_behind; /* open loop: calls are due that found no room */
        uint64_t seq; /* of the next call */
        uint64_t left; /* measured calls that may begin; PLAN_UNLIMITED */
        uint64_t begin_ns; /* of all calls */
        uint64_t over_ns; /* when the last one was due; 0: not yet */
        uint64_t measure_ns, end_ns; /* of the measured time; UINT64_MAX */
        bool gives_up; /* calls that end have no answer */
};

/* @number is less than the plan's threads. 0 or -ENOMEM. */
int worker_init(
        struct worker *worker, struct plan *plan, struct gate *gate, unsigned number, int news_fd);
void worker_deinit(struct worker *worker);

/* The thread: @arg is the worker. */
void *worker_run(void *arg);
