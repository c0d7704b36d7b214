/* SPDX-License-Identifier: MIT */
#pragma once

/* Spans that wait to be sent. Rings put them in, and one thread takes them out. */

#include <pthread.h>
#include <stddef.h>

#include "services/span.h"

struct span_queue {
        size_t max; /* spans */
        size_t batch_max; /* spans that are taken at once */
        uint64_t batch_ns; /* how long the first one of them waits */

        pthread_mutex_t mutex; /* held at most for the time of a copy; protects: */
        pthread_cond_t changed; /* for who takes */
        pthread_cond_t progressed; /* for who waits until it has sent */
        struct span *spans; /* a ring of @max */
        size_t first;
        size_t count;
        uint64_t dropped;
        uint64_t taken; /* spans, ever; those that are there came behind them */
        uint64_t sent; /* as many of them are sent, or lost */
        uint64_t hurry_until; /* the first so many spans shall not wait for a batch */
        bool closes; /* nothing will be waited for */
};

/* @batch_max becomes at most @max. 0, -ENOMEM. */
int span_queue_init(struct span_queue *queue, size_t max, size_t batch_max, uint64_t batch_ms);

void span_queue_deinit(struct span_queue *queue);

/* Adds a copy of @span, or counts it as dropped. Any thread. */
void span_queue_put(struct span_queue *queue, const struct span *span);

/*
 * Waits for a batch and moves it to @ret_spans. Returns how many there are; 0: the queue is closed, and there is nothing left. What was
 * taken before has been sent.
 */
size_t span_queue_take(struct span_queue *queue, struct span *ret_spans);

/* Waits until all that is there now was sent, or is lost; what comes meanwhile is not waited for. 0; -ETIMEDOUT: not within @timeout_ms. */
int span_queue_flush(struct span_queue *queue, uint64_t timeout_ms);

/* From here on nothing is waited for. */
void span_queue_close(struct span_queue *queue);

uint64_t span_queue_dropped(struct span_queue *queue);
