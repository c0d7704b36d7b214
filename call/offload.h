/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The way between a call's ring and the worker that runs one of its events.
 *
 * The ring lends the call (link/workers.h) and gets it back by mail. Meanwhile each message that the handler sends
 * travels by mail, so a blocking handler streams while it runs. The worker waits while more than
 * `call_queue_bytes_max` of its messages are unsent: at most `stall_ms` at once, and at most `worker_wait_ms` in all
 * when another call wants the worker.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mailbox.h"

struct coders;
struct encoding;
struct offload;
struct quoit_call;

/* With @lender_bytes for who lends the call, so that lending it once more takes no memory. NULL if memory is short. */
struct offload *offload_new(struct quoit_call *call, size_t lender_bytes);
void *offload_lender(struct offload *offload);
void offload_free(struct offload *offload);

/*
 * On a worker: mails a copy of the message. Waits for room, but not if the call is cancelled. 0; -ENOMEM;
 * -ETIMEDOUT: the peer made no room in time; -ENOSPC: the ring has no room for it (room.h).
 */
int offload_send(struct offload *offload, const struct encoding *encoding);

/* On a worker after -ETIMEDOUT: whether another call wanted the worker (`worker_wait_ms`), before `stall_ms` was over. */
bool offload_has_yielded(const struct offload *offload);

/* On a worker: asks the ring by mail to send the headers. */
int offload_send_headers(struct offload *offload);

/* On a worker: whether offload_send() would not have to wait. */
bool offload_is_writable(struct offload *offload);

/* On a worker that begins to run the call: its @coders, for the functions of that call. */
void offload_begin(struct offload *offload, struct coders *coders);
struct coders *offload_coders(struct offload *offload);

/*
 * On a worker, before a handler that can make much: while the ring has no memory left, waits until it has taken back what
 * workers have finished, but not for long. Workers that are faster than the ring would fill memory with calls that it only
 * has to refuse.
 */
void offload_let_ring_catch_up(struct offload *offload);

/* On a worker that has run the call: how long it waited for room, and whether it stopped because another call wanted the worker. */
struct offload_wait {
        uint64_t waited_ns;
        bool yielded;
};
struct offload_wait offload_end(struct offload *offload);

/* On the ring: the call is cancelled, so a worker that waits for room stops waiting. Takes NULL. */
void offload_interrupt(struct offload *offload);
