/* SPDX-License-Identifier: MIT */
#include "link/workers.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/thread.h"

void workers_init(struct workers *workers)
{
        *workers = (struct workers){ 0 };
        list_init(&workers->queue);
        fair_queue_init(&workers->fair);
        pthread_mutex_init(&workers->mutex, NULL);
        pthread_cond_init(&workers->has_work, NULL);
}

/* A moving average with weight 1/8, as TCP smooths its round trips (RFC 6298). Under the mutex. */
static void note_service(struct workers *workers, uint64_t took_ns)
{
        if (workers->service_ns == 0)
                workers->service_ns = took_ns;
        else
                workers->service_ns += took_ns / 8 - workers->service_ns / 8;
}

static struct work *work_of(struct piece *piece)
{
        return CONTAINER_OF(piece, struct work, piece);
}

/* Under the mutex. */
static struct work *dequeue(struct workers *workers)
{
        struct list *link = list_pop(&workers->queue);

        workers->queued--;
        return work_of(
                link ? CONTAINER_OF(link, struct piece, link) : fair_queue_take(&workers->fair));
}

/* @took_ns: how long the thread's last piece of work took; 0: there was none. */
static struct work *take(struct workers *workers, uint64_t took_ns)
{
        struct work *work = NULL;

        pthread_mutex_lock(&workers->mutex);
        if (took_ns > 0)
                note_service(workers, took_ns);
        while (workers->queued == 0 && !workers->spare && !workers->stopping) {
                workers->idle++;
                pthread_cond_wait(&workers->has_work, &workers->mutex);
                workers->idle--;
        }
        if (workers->queued > 0) {
                work = dequeue(workers);
        } else if (!workers->stopping) {
                work = workers->spare;
                workers->spare = NULL;
        }
        pthread_mutex_unlock(&workers->mutex);
        return work;
}

static void *run(void *user)
{
        struct workers *workers = user;
        struct coders coders = { 0 };
        uint64_t took_ns = 0;
        struct work *work;

        while ((work = take(workers, took_ns))) {
                const struct ring *ring = work->ring; /* the work may be freed */
                uint64_t began_ns = ring_clock_ns(ring);
                uint64_t waited_ns = work->on_work(work, &coders);

                /* waiting for a peer does not count: the thread is given up if other work wants it */
                took_ns = ring_clock_ns(ring) - began_ns - waited_ns;
        }
        coders_deinit(&coders);
        return NULL;
}

int workers_start(struct workers *workers, unsigned count, const char *name)
{
        int r = 0;

        workers->threads = calloc(count, sizeof(*workers->threads));
        if (!workers->threads)
                return -ENOMEM;
        while (r == 0 && workers->thread_count < count) {
                r = thread_start_named(workers->threads + workers->thread_count, name,
                        workers->thread_count, run, workers);
                workers->thread_count += r == 0;
        }
        if (workers->thread_count == 0) {
                free(workers->threads);
                workers->threads = NULL;
        }
        return r;
}

/* Under the mutex. */
static void note_queued(struct workers *workers)
{
        assert(workers->thread_count > 0);
        workers->queued++;
        pthread_cond_signal(&workers->has_work);
}

static void submit(struct workers *workers, struct work *work, bool goes_first)
{
        struct list *place = &workers->queue;

        pthread_mutex_lock(&workers->mutex);
        list_append(goes_first ? place->next : place, &work->piece.link);
        note_queued(workers);
        pthread_mutex_unlock(&workers->mutex);
}

void workers_submit(struct workers *workers, struct work *work)
{
        submit(workers, work, false);
}

void workers_submit_first(struct workers *workers, struct work *work)
{
        submit(workers, work, true);
}

bool workers_submit_idle(struct workers *workers, struct work *work)
{
        bool is_free;

        pthread_mutex_lock(&workers->mutex);
        is_free = !workers->spare;
        if (is_free) {
                workers->spare = work;
                pthread_cond_signal(&workers->has_work);
        }
        pthread_mutex_unlock(&workers->mutex);
        return is_free;
}

struct work *workers_submit_fairly(struct workers *workers, struct work *work, struct turn *turn,
        bool is_small, size_t queued_max)
{
        struct work *surplus = NULL;

        pthread_mutex_lock(&workers->mutex);
        fair_queue_put(&workers->fair, &work->piece, turn, is_small);
        note_queued(workers);
        if (workers->queued > workers->idle + queued_max) {
                surplus = work_of(fair_queue_give_up(&workers->fair));
                workers->queued--;
        }
        pthread_mutex_unlock(&workers->mutex);
        return surplus;
}

void workers_know(struct workers *workers, struct turn *turn)
{
        pthread_mutex_lock(&workers->mutex);
        fair_queue_know(&workers->fair, turn);
        pthread_mutex_unlock(&workers->mutex);
}

struct workers_load workers_load(struct workers *workers)
{
        struct workers_load load;

        pthread_mutex_lock(&workers->mutex);
        load.queued = workers->queued;
        /* rounded down: with few in the queue a thread can be free at once, and a refusal in error is worse than a wait */
        load.wait_ns = workers->thread_count > 0
                               ? load.queued / workers->thread_count * workers->service_ns
                               : 0;
        pthread_mutex_unlock(&workers->mutex);
        return load;
}

bool workers_yield(struct workers *workers)
{
        bool is_wanted;

        pthread_mutex_lock(&workers->mutex);
        is_wanted = workers->queued > workers->idle + workers->yielding;
        workers->yielding += is_wanted;
        pthread_mutex_unlock(&workers->mutex);
        return is_wanted;
}

void workers_yielded(struct workers *workers)
{
        pthread_mutex_lock(&workers->mutex);
        workers->yielding--;
        pthread_mutex_unlock(&workers->mutex);
}

void workers_stop(struct workers *workers)
{
        pthread_mutex_lock(&workers->mutex);
        workers->stopping = true;
        pthread_cond_broadcast(&workers->has_work);
        pthread_mutex_unlock(&workers->mutex);
        for (unsigned i = 0; i < workers->thread_count; i++)
                pthread_join(workers->threads[i], NULL);
        workers->thread_count = 0;
}

void workers_deinit(struct workers *workers)
{
        workers_stop(workers);
        free(workers->threads);
        pthread_cond_destroy(&workers->has_work);
        pthread_mutex_destroy(&workers->mutex);
}
