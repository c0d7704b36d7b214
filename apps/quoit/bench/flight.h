/* SPDX-License-Identifier: MIT */
#pragma once

/* One call after the other: what is in flight on a worker. On the worker's thread. */

#include "worker.h"

/* One cache line: thousands may be in flight, and each is touched when its call begins and when it ends. */
struct flight {
        struct worker *worker;
        union {
                struct flight *next; /* in a list of the worker's */
                quoit_outcall *call; /* while it is in flight */
        };
        quoit_channel *channel;
        uint64_t seq;
        uint64_t due_ns;
        const char *refusal; /* it is cancelled, since its message could not be sent: why */
        uint32_t requests; /* messages of this call */
        uint32_t replies;
        bool is_in_flight;
        bool is_measured;
        bool is_half_closed;
} __attribute__((aligned(64)));

/* Closed loop: begins the first calls; all others follow them. */
void flights_launch(struct worker *worker, uint64_t now_ns);

/* Closed loop: tries again those whose channel had no connection. */
void flights_retry_parked(struct worker *worker, uint64_t now_ns);

/* Open loop: finds out when the first call is due. */
void flights_set_out(struct worker *worker);

/* Open loop: begins calls that are due, some at a time. */
void flights_push(struct worker *worker, uint64_t now_ns);

/* No call becomes due any more; in an open loop some may not have begun. */
bool flights_are_over(const struct worker *worker, uint64_t now_ns);

/* At the end: cancels what is in flight; the calls of an open loop that were due and have not begun have failed. */
void flights_give_up(struct worker *worker, uint64_t now_ns);
