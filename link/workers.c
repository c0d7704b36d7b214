/* SPDX-License-Identifier: MIT */
#include "link/workers.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "core/thread_name.h"

#define SMALL_IN_ROW_MAX 8 /* while large pieces wait: many small ones take time, too */

/* The turn that counts for @turn's owner: its own, or its network's. */
static struct turn *taker(struct turn *turn)
{
        return turn->is_known || !turn->network ? turn : turn->network;
}

static void count_queued(const struct work *work, int count)
{
        work->turn->queued += (size_t)count;
        if (taker(work->turn) != work->turn)
                work->turn->network->queued += (size_t)count;
}

void workers_init(struct workers *workers)
{
        *workers = (struct workers){ 0 };
        list_init(&workers->queue);
        list_init(&workers->large);
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

/* Under the mutex, as the functions below. */
static struct work *dequeue(struct workers *workers, struct list *link)
{
        struct work *work = CONTAINER_OF(link, struct work, link);

        list_remove(link);
        workers->queued--;
        if (work->turn)
                count_queued(work, -1);
        return work;
}

static bool comes_before(const struct work *work, const struct work *other)
{
        bool is_small = work->is_small;
        uint64_t last = taker(work->turn)->last[is_small];
        uint64_t other_last = taker(other->turn)->last[is_small];

        if (last != other_last)
                return last < other_last;
        last = work->turn->last[is_small];
        other_last = other->turn->last[is_small];
        if (last != other_last)
                return last < other_last;
        return work->came > other->came;
}

static void take_turn(struct workers *workers, struct work *work)
{
        workers->small_in_row = work->is_small ? workers->small_in_row + 1 : 0;
        work->turn->last[work->is_small] = ++workers->turns;
        taker(work->turn)->last[work->is_small] = workers->turns;
}

/* The newest piece of the owner whose last turn was longest ago. */
static struct work *dequeue_next(struct workers *workers)
{
        bool is_large =
                !list_is_empty(&workers->large) &&
                (list_is_empty(&workers->queue) || workers->small_in_row >= SMALL_IN_ROW_MAX);
        struct list *queue = is_large ? &workers->large : &workers->queue;
        struct work *next = CONTAINER_OF(queue->next, struct work, link);

        if (next->turn) {
                for (struct list *link = next->link.next; link != queue; link = link->next) {
                        struct work *work = CONTAINER_OF(link, struct work, link);

                        if (comes_before(work, next))
                                next = work;
                }
                take_turn(workers, next);
        }
        return dequeue(workers, &next->link);
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
                work = dequeue_next(workers);
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
        sigset_t all, old;
        int r = 0;

        workers->threads = calloc(count, sizeof(*workers->threads));
        if (!workers->threads)
                return -ENOMEM;
        /* signals are the application's, on threads of its own */
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
static void enqueue(struct workers *workers, struct list *place, struct work *work)
{
        list_append(place, &work->link);
        workers->queued++;
        pthread_cond_signal(&workers->has_work);
}

static void submit(struct workers *workers, struct work *work, bool goes_first)
{
        assert(workers->thread_count > 0);
        work->turn = NULL;
        pthread_mutex_lock(&workers->mutex);
        enqueue(workers, goes_first ? workers->queue.next : &workers->queue, work);
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

static bool gives_way_before(const struct work *work, const struct work *other)
{
        size_t queued = taker(work->turn)->queued, other_queued = taker(other->turn)->queued;

        if (queued != other_queued)
                return queued > other_queued;
        if (work->is_small != other->is_small)
                return other->is_small;
        if (work->turn->queued != other->turn->queued)
                return work->turn->queued > other->turn->queued;
        return work->came < other->came;
}

/* The piece to be removed: from @queue, or @last. */
static struct work *last_of(const struct list *queue, struct work *last)
{
        for (struct list *link = queue->next; link != queue; link = link->next) {
                struct work *work = CONTAINER_OF(link, struct work, link);

                if (!last || gives_way_before(work, last))
                        last = work;
        }
        return last;
}

/* Removes a piece of the owner or network that has the most. Under the mutex. */
static struct work *dequeue_last(struct workers *workers)
{
        struct work *last = last_of(&workers->queue, last_of(&workers->large, NULL));

        return dequeue(workers, &last->link);
}

struct work *workers_submit_fairly(struct workers *workers, struct work *work, struct turn *turn,
        bool is_small, size_t queued_max)
{
        struct work *last = NULL;

        assert(workers->thread_count > 0);
        work->turn = turn;
        work->is_small = is_small;
        pthread_mutex_lock(&workers->mutex);
        workers->came++;
        if (work->came == 0)
                work->came = workers->came;
        if (taker(turn)->last[is_small] == 0)
                taker(turn)->last[is_small] = ++workers->turns;
        count_queued(work, 1);
        enqueue(workers, is_small ? &workers->queue : &workers->large, work);
        if (workers->queued > workers->idle + queued_max)
                last = dequeue_last(workers);
        pthread_mutex_unlock(&workers->mutex);
        return last;
}

void workers_know(struct workers *workers, struct turn *turn)
{
        pthread_mutex_lock(&workers->mutex);
        if (taker(turn) != turn) /* from here on its work counts for itself */
                turn->network->queued -= turn->queued;
        turn->is_known = true;
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
