/* SPDX-License-Identifier: MIT */
#pragma once

/* Inside core/engine/epoll*.c only. */

#include "core/buffers.h"
#include "core/engine.h"

#include <sys/epoll.h>

enum { EPOLL_EVENTS_MAX = 256 };

/* The state of a ring that runs on epoll. */
struct epoll {
        int fd;
        int timer_fd; /* serves all timers of the ring */
        uint64_t alarm_ns; /* when it goes off, TIMER_NEVER when it is not set */
        int event_count; /* of the last wait */
        struct op *done; /* operations that have ended and are not delivered, oldest first */
        struct op **done_end;
        struct list due; /* files on which something may go on, by their `due` */
        struct epoll_event events[EPOLL_EVENTS_MAX];
};

/* @op ended with @result; delivered in the next harvest. */
void epoll_deliver(struct ring *ring, struct op *op, int result);

/* Delivers it now. From the harvest only. */
static inline void epoll_queue_result(
        struct ring *ring, struct op *op, struct completion completion)
{
        ring->stats.completions++;
        ring_complete(ring, op, completion);
}

/* core/engine/epoll_verbs.c */
void epoll_receive(struct ring *ring, struct engine_file *file, struct receive_op *op, bool once);
void epoll_send(
        struct ring *ring, struct engine_file *file, struct op *op, const struct msghdr *message);
void epoll_send_prompt(struct ring *ring, struct engine_file *file, struct prompt_op *op,
        const struct msghdr *message);
void epoll_accept(struct ring *ring, struct engine_file *file, struct accept_op *op);
void epoll_connect(struct ring *ring, struct engine_file *file, struct op *op,
        const struct sockaddr *address, socklen_t address_bytes);
void epoll_await(struct ring *ring, struct engine_file *file, struct op *op, uint32_t events);
void epoll_cancel(struct ring *ring, struct engine_file *file, struct op *op, struct op *target);
void epoll_cancel_all(struct ring *ring, struct engine_file *file, struct op *op);
void epoll_close_file(struct ring *ring, struct engine_file *file, struct op *op);

/* core/engine/epoll_files.c: files and their readiness. */

/* Registers @file with epoll, also for room to send if @sending. 0 or a negative errno. */
int epoll_watch(struct ring *ring, struct engine_file *file, bool sending);
void epoll_unwatch(struct ring *ring, struct engine_file *file);

/* Notes the events that epoll reported. */
void epoll_note(struct ring *ring, struct engine_file *file, uint32_t events);

/* An operation on @file may be able to go on: the next harvest tries it. */
void epoll_try_later(struct ring *ring, struct engine_file *file);

/* Tries the operations in flight on @file and delivers results. From the harvest; @file may be freed by that. */
void epoll_try_operations(struct ring *ring, struct engine_file *file);

/* Sends as much of @message as fits; -EAGAIN: nothing fits. Unless all was sent, @file waits for room. */
int epoll_try_send(struct ring *ring, struct engine_file *file, const struct msghdr *message);

size_t epoll_message_bytes(const struct msghdr *message);

/* core/engine/epoll_buffers.c */
int epoll_buffers_open(struct buffers *buffers);
void epoll_buffers_close(struct buffers *buffers);
void epoll_buffers_give(struct buffers *buffers, unsigned id);

/* The buffer to lend next, -1: none. It is not lent until epoll_buffers_lend(). */
int epoll_buffers_next(struct buffers *buffers);
unsigned char *epoll_buffers_lend(struct buffers *buffers);
