/* SPDX-License-Identifier: MIT */
#include "services/span_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

static uint64_t now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Under the mutex. False: it is @until_ns. */
static bool wait_until(struct span_queue *queue, pthread_cond_t *condition, uint64_t until_ns)
{
        struct timespec until = { (time_t)(until_ns / NS_PER_S), (long)(until_ns % NS_PER_S) };

        return pthread_cond_timedwait(condition, &queue->mutex, &until) == 0;
}

int span_queue_init(struct span_queue *queue, size_t max, size_t batch_max, uint64_t batch_ms)
{
        pthread_condattr_t attributes;

        *queue = (struct span_queue){ .max = max,
                .batch_max = batch_max < max ? batch_max : max,
                .batch_ns = batch_ms * NS_PER_MS,
                .spans = calloc(max, sizeof(*queue->spans)) };
        if (!queue->spans)
                return -ENOMEM;
        pthread_mutex_init(&queue->mutex, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&queue->changed, &attributes);
        pthread_cond_init(&queue->progressed, &attributes);
        pthread_condattr_destroy(&attributes);
        return 0;
}

void span_queue_deinit(struct span_queue *queue)
{
        pthread_cond_destroy(&queue->changed);
        pthread_cond_destroy(&queue->progressed);
        pthread_mutex_destroy(&queue->mutex);
        free(queue->spans);
}

void span_queue_put(struct span_queue *queue, const struct span *span)
{
        pthread_mutex_lock(&queue->mutex);
        if (queue->count == queue->max) {
                queue->dropped++;
        } else {
                queue->spans[(queue->first + queue->count++) % queue->max] = *span;
                /* the first one begins the wait, and a whole batch ends it */
                if (queue->count == 1 || queue->count == queue->batch_max)
                        pthread_cond_signal(&queue->changed);
        }
        pthread_mutex_unlock(&queue->mutex);
}

/* Under the mutex. */
static void await_batch(struct span_queue *queue)
{
        uint64_t until_ns;

        while (queue->count == 0 && !queue->closes)
                pthread_cond_wait(&queue->changed, &queue->mutex);
        until_ns = now_ns() + queue->batch_ns;
        while (queue->count < queue->batch_max && queue->taken >= queue->hurry_until &&
                !queue->closes && wait_until(queue, &queue->changed, until_ns))
                ;
}

size_t span_queue_take(struct span_queue *queue, struct span *ret_spans)
{
        size_t taken = 0;

        pthread_mutex_lock(&queue->mutex);
        queue->sent = queue->taken;
        pthread_cond_broadcast(&queue->progressed);
        await_batch(queue);
        while (queue->count > 0 && taken < queue->batch_max) {
                ret_spans[taken++] = queue->spans[queue->first];
                queue->first = (queue->first + 1) % queue->max;
                queue->count--;
        }
        queue->taken += taken;
        pthread_mutex_unlock(&queue->mutex);
        return taken;
}

int span_queue_flush(struct span_queue *queue, uint64_t timeout_ms)
{
        uint64_t until_ns = now_ns() + timeout_ms * NS_PER_MS;
        bool is_sent, is_early = true;
        uint64_t target;

        pthread_mutex_lock(&queue->mutex);
        target = queue->taken + queue->count;
        queue->hurry_until = target; /* there was never more to hurry for */
        pthread_cond_signal(&queue->changed);
        while (queue->sent < target && is_early)
                is_early = wait_until(queue, &queue->progressed, until_ns);
        is_sent = queue->sent >= target;
        pthread_mutex_unlock(&queue->mutex);
        return is_sent ? 0 : -ETIMEDOUT;
}

void span_queue_close(struct span_queue *queue)
{
        pthread_mutex_lock(&queue->mutex);
        queue->closes = true;
        pthread_cond_signal(&queue->changed);
        pthread_mutex_unlock(&queue->mutex);
}

uint64_t span_queue_dropped(struct span_queue *queue)
{
        uint64_t dropped;

        pthread_mutex_lock(&queue->mutex);
        dropped = queue->dropped;
        pthread_mutex_unlock(&queue->mutex);
        return dropped;
}
