/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The way between a call's ring and the worker that runs one of its events.
 *
 * The ring hands the call out and gets it back by mail (link/workers.h); in between
 * messages that the handler sends travel by mail one by one, so a blocking handler streams while it
 * runs. The worker waits while more than `call_queue_bytes_max` of its messages are unsent: not longer than `stall_ms` at
 * once, and as soon as another call wants the worker not longer than `worker_wait_ms` in all.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/mailbox.h"

struct coders;
struct encoding;
struct offload;
struct quoit_call;

/* NULL if memory is short. */
struct offload *offload_new(struct quoit_call *call);
void offload_free(struct offload *offload);

/*
 * On a worker: mails a copy of the message; waits for room, not once the call is cancelled. 0, -ENOMEM;
 * -ETIMEDOUT: none came in the time that its peer has; -ENOSPC: the ring has no room for it (room.h).
 */
int offload_send(struct offload *offload, const struct encoding *encoding);

/* On a worker: mails that the headers are to go out. */
int offload_send_headers(struct offload *offload);

/* On a worker: whether offload_send() would not have to wait. */
bool offload_is_writable(struct offload *offload);

/* On a worker, which begins with the call: its @coders, for the functions of the call that it runs. */
void offload_begin(struct offload *offload, struct coders *coders);
struct coders *offload_coders(struct offload *offload);

/* On a worker, which is through with the call for now: how long it was kept waiting, and whether it was given up for others. */
struct offload_wait {
        uint64_t waited_ns;
        bool yielded;
};
struct offload_wait offload_end(struct offload *offload);

/* On the ring: the call is cancelled, a waiting worker goes on. Takes NULL. */
void offload_interrupt(struct offload *offload);
