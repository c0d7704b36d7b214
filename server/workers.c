/* SPDX-License-Identifier: MIT */
#include "server/workers.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

void workers_init(struct workers *workers)
{
        *workers = (struct workers){ 0 };
        pthread_mutex_init(&workers->mutex, NULL);
        pthread_cond_init(&workers->has_work, NULL);
}

static struct work *take(struct workers *workers)
{
        struct work *work;

        pthread_mutex_lock(&workers->mutex);
        while (!workers->first && !workers->stopping)
                pthread_cond_wait(&workers->has_work, &workers->mutex);
        work = workers->first;
        if (work) {
                workers->first = work->next;
                workers->queued--;
        }
        pthread_mutex_unlock(&workers->mutex);
        return work;
}

static void *run(void *user)
{
        struct workers *workers = user;
        struct coders coders = { 0 };
        struct work *work;

        while ((work = take(workers)))
                work->on_work(work, &coders);
        coders_deinit(&coders);
        return NULL;
}

int workers_start(struct workers *workers, unsigned count)
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
                if (r == 0)
                        workers->thread_count++;
        }
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        return r;
}

void workers_submit(struct workers *workers, struct work *work)
{
        assert(workers->thread_count > 0);
        work->next = NULL;
        pthread_mutex_lock(&workers->mutex);
        if (workers->first)
                workers->last->next = work;
        else
                workers->first = work;
        workers->last = work;
        workers->queued++;
        pthread_cond_signal(&workers->has_work);
        pthread_mutex_unlock(&workers->mutex);
}

size_t workers_queued(struct workers *workers)
{
        size_t queued;

        pthread_mutex_lock(&workers->mutex);
        queued = workers->queued;
        pthread_mutex_unlock(&workers->mutex);
        return queued;
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
