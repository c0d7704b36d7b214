/* SPDX-License-Identifier: MIT */
#include "link/workers.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "core/thread_name.h"

void workers_init(struct workers *workers)
{
        *workers = (struct workers){ 0 };
        list_init(&workers->queue);
        pthread_mutex_init(&workers->mutex, NULL);
        pthread_cond_init(&workers->has_work, NULL);
}

/* A moving average: an eighth of each new value, as TCP smooths round-trip times (RFC 6298). Under the mutex. */
static void note_service(struct workers *workers, uint64_t took_ns)
{
        if (workers->service_ns == 0)
                workers->service_ns = took_ns;
        else
                workers->service_ns += took_ns / 8 - workers->service_ns / 8;
}

/* Under the mutex. */
static struct work *dequeue(struct workers *workers, struct list *link)
{
        list_remove(link);
        workers->queued--;
        return CONTAINER_OF(link, struct work, link);
}

static bool comes_before(const struct work *work, const struct work *other)
{
        if (work->goes_on != other->goes_on)
                return work->goes_on;
        return *work->turn < *other->turn;
}

/* The newest work of the owner whose last turn is longest ago. Under the mutex. */
static struct work *dequeue_next(struct workers *workers)
{
        struct work *next = CONTAINER_OF(workers->queue.next, struct work, link);

        if (next->turn) {
                for (struct list *link = next->link.next; link != &workers->queue;
                        link = link->next) {
                        struct work *work = CONTAINER_OF(link, struct work, link);

                        if (comes_before(work, next))
                                next = work;
                }
                if (!next->goes_on)
                        *next->turn = ++workers->turns;
        }
        return dequeue(workers, &next->link);
}

/* Waits for work. @took_ns: what the thread's last piece took; 0: it had none. */
static struct work *take(struct workers *workers, uint64_t took_ns)
{
        struct work *work = NULL;

        pthread_mutex_lock(&workers->mutex);
        if (took_ns > 0)
                note_service(workers, took_ns);
        while (list_is_empty(&workers->queue) && !workers->stopping) {
                workers->idle++;
                pthread_cond_wait(&workers->has_work, &workers->mutex);
                workers->idle--;
        }
        if (!list_is_empty(&workers->queue))
                work = dequeue_next(workers);
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

                /* waiting for a peer does not count: that thread yields to other work */
                took_ns = ring_clock_ns(ring) - began_ns - waited_ns;
        }
        coders_deinit(&coders);
        return NULL;
}

int workers_start(struct workers *workers, unsigned count, const char *name)
{
        sigset_t all, old;
        int r = 0;

        workers->threads = calloc(count, sizeof(*workers->threads));
        if (!workers->threads)
                return -ENOMEM;
        /* signals are for the application's own threads */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        while (r == 0 && workers->thread_count < count) {
                r = -pthread_create(workers->threads + workers->thread_count, NULL, run, workers);
                if (r == 0) {
                        thread_name(workers->threads[workers->thread_count], name,
                                workers->thread_count);
                        workers->thread_count++;
                }
        }
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        return r;
}

/* Under the mutex. */
static void enqueue(struct workers *workers, struct work *work, bool goes_first)
{
        list_append(goes_first ? workers->queue.next : &workers->queue, &work->link);
        workers->queued++;
        pthread_cond_signal(&workers->has_work);
}

static void submit(struct workers *workers, struct work *work, bool goes_first)
{
        assert(workers->thread_count > 0);
        work->turn = NULL;
        pthread_mutex_lock(&workers->mutex);
        enqueue(workers, work, goes_first);
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

/* The one that has waited longest: of those that begin something, if there are any. Under the mutex. */
static struct list *oldest_of(struct workers *workers)
{
        struct list *link = workers->queue.prev;

        while (link != &workers->queue && CONTAINER_OF(link, struct work, link)->goes_on)
                link = link->prev;
        return link != &workers->queue ? link : workers->queue.prev;
}

struct work *workers_submit_fairly(
        struct workers *workers, struct work *work, uint64_t *turn, bool goes_on, size_t queued_max)
{
        struct work *oldest = NULL;

        assert(workers->thread_count > 0);
        work->turn = turn;
        work->goes_on = goes_on;
        pthread_mutex_lock(&workers->mutex);
        enqueue(workers, work, true);
        if (workers->queued > workers->idle + queued_max)
                oldest = dequeue(workers, oldest_of(workers));
        pthread_mutex_unlock(&workers->mutex);
        return oldest;
}

struct workers_load workers_load(struct workers *workers)
{
        struct workers_load load;

        pthread_mutex_lock(&workers->mutex);
        load.queued = workers->queued;
        /* only whole rounds count: with little queued a thread may be free at once, and a wrong refusal costs more */
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
