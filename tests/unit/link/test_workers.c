/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/engine.h"
#include "core/list.h"
#include "link/workers.h"

#include <semaphore.h>
#include <unistd.h>

/* a worker uses only its clock */
static const struct ring ring = { .engine = &engine_epoll };

struct job {
        struct work work;
        atomic_uint *done;
        sem_t *begun, *may_end; /* NULL: ends at once */
        unsigned seen_at;
        uint64_t waited_ns;
};

static uint64_t on_work(struct work *work, struct coders *coders)
{
        struct job *job = CONTAINER_OF(work, struct job, work);

        assert_non_null(coders);
        if (job->begun) {
                sem_post(job->begun);
                sem_wait(job->may_end);
        }
        job->seen_at = atomic_fetch_add(job->done, 1);
        return job->waited_ns;
}

/* Workers, and what their jobs record. */
struct crew {
        struct workers workers;
        atomic_uint done;
        sem_t begun, may_end;
};

static void crew_begin(struct crew *crew, unsigned threads)
{
        atomic_init(&crew->done, 0);
        sem_init(&crew->begun, 0, 0);
        sem_init(&crew->may_end, 0, 0);
        workers_init(&crew->workers);
        assert_int_equal(workers_start(&crew->workers, threads, "worker"), 0);
}

/* All jobs are done then. */
static void crew_end(struct crew *crew)
{
        workers_deinit(&crew->workers);
        sem_destroy(&crew->begun);
        sem_destroy(&crew->may_end);
}

static struct job job_at_once(struct crew *crew)
{
        return (struct job){ .work = { .ring = &ring, .on_work = on_work }, .done = &crew->done };
}

/* Posts that it has begun, and waits until it may end. */
static struct job job_held(struct crew *crew)
{
        struct job job = job_at_once(crew);

        job.begun = &crew->begun;
        job.may_end = &crew->may_end;
        return job;
}

static void test_all_is_done_before_the_end(void **state)
{
        struct crew crew;
        struct job *jobs = calloc(1000, sizeof(*jobs));

        (void)state;
        crew_begin(&crew, 4);
        for (unsigned i = 0; i < 1000; i++) {
                jobs[i] = job_at_once(&crew);
                workers_submit(&crew.workers, &jobs[i].work);
        }
        crew_end(&crew);
        assert_int_equal(atomic_load(&crew.done), 1000);
        free(jobs);
}

/* One thread: in order of arrival. */
static void test_order(void **state)
{
        struct crew crew;
        struct job jobs[100];

        (void)state;
        crew_begin(&crew, 1);
        for (unsigned i = 0; i < 100; i++) {
                jobs[i] = job_at_once(&crew);
                workers_submit(&crew.workers, &jobs[i].work);
        }
        crew_end(&crew);
        for (unsigned i = 0; i < 100; i++)
                assert_int_equal(jobs[i].seen_at, i);
}

/* By turns, and what is too much comes back: test_fair_queue.c. */
static void test_fairly(void **state)
{
        static const unsigned seen_at[] = { 0, 0, 1, 2 };
        struct crew crew;
        struct job jobs[4];
        struct turn turns[2] = { 0 };

        (void)state;
        crew_begin(&crew, 1);
        for (unsigned i = 0; i < 4; i++) {
                struct work *surplus;

                jobs[i] = i == 0 ? job_held(&crew) : job_at_once(&crew);
                surplus = workers_submit_fairly(
                        &crew.workers, &jobs[i].work, turns + (i == 3), false, 2);
                if (i == 0)
                        sem_wait(&crew.begun);
                assert_ptr_equal(surplus, i == 3 ? &jobs[1].work : NULL);
        }
        assert_int_equal(workers_load(&crew.workers).queued, 2);
        sem_post(&crew.may_end);
        crew_end(&crew);
        assert_int_equal(atomic_load(&crew.done), 3);
        for (unsigned i = 2; i < 4; i++)
                assert_int_equal(jobs[i].seen_at, seen_at[i]);
}

/* As many at once as there are threads; the rest is counted as queued. */
static void test_parallel(void **state)
{
        struct crew crew;
        struct job jobs[8];

        (void)state;
        crew_begin(&crew, 3);
        for (unsigned i = 0; i < 8; i++) {
                jobs[i] = job_held(&crew);
                workers_submit(&crew.workers, &jobs[i].work);
        }
        for (unsigned i = 0; i < 3; i++)
                sem_wait(&crew.begun);
        assert_int_equal(workers_load(&crew.workers).queued, 5);
        assert_int_equal(atomic_load(&crew.done), 0);
        for (unsigned i = 0; i < 8; i++)
                sem_post(&crew.may_end);
        crew_end(&crew);
        assert_int_equal(atomic_load(&crew.done), 8);
}

/* One thread is given up for each piece that waits, and none while a thread is free. */
static void test_yields(void **state)
{
        struct crew crew;
        struct job jobs[5];

        (void)state;
        crew_begin(&crew, 3);
        for (unsigned i = 0; i < 5; i++) {
                jobs[i] = job_held(&crew);
                if (i < 3)
                        assert_false(workers_yield(&crew.workers));
                workers_submit(&crew.workers, &jobs[i].work);
                if (i < 3)
                        sem_wait(&crew.begun);
        }
        assert_true(workers_yield(&crew.workers));
        assert_true(workers_yield(&crew.workers));
        assert_false(workers_yield(&crew.workers));
        workers_yielded(
                &crew.workers); /* the thread is free, though it has not taken up its work yet */
        assert_true(workers_yield(&crew.workers));
        workers_yielded(&crew.workers);
        workers_yielded(&crew.workers);
        for (unsigned i = 0; i < 5; i++)
                sem_post(&crew.may_end);
        crew_end(&crew);
        assert_int_equal(crew.workers.yielding, 0);
}

/* Time that a worker waited for a peer does not count as work. */
static void test_waiting_is_no_work(void **state)
{
        struct crew crew;
        struct job jobs[2];

        (void)state;
        crew_begin(&crew, 1);
        for (unsigned i = 0; i < 2; i++)
                jobs[i] = job_held(&crew);
        workers_submit(&crew.workers, &jobs[0].work);
        sem_wait(&crew.begun);
        usleep(200 * 1000);
        jobs[0].waited_ns = 200 * 1000 * 1000;
        workers_submit(&crew.workers, &jobs[1].work);
        sem_post(&crew.may_end);
        sem_wait(&crew.begun); /* the first is accounted for */
        pthread_mutex_lock(&crew.workers.mutex);
        assert_in_range(crew.workers.service_ns, 1, 190 * 1000 * 1000);
        pthread_mutex_unlock(&crew.workers.mutex);
        sem_post(&crew.may_end);
        crew_end(&crew);
}

static void test_never_started(void **state)
{
        struct workers workers;

        (void)state;
        workers_init(&workers);
        assert_int_equal(workers_load(&workers).queued, 0);
        workers_deinit(&workers);
}

/* A thread without other work does it; there is one such piece at a time. */
static void test_idle(void **state)
{
        struct crew crew;
        struct job first, spare, second;

        (void)state;
        crew_begin(&crew, 1);
        first = job_held(&crew);
        spare = job_held(&crew);
        second = job_at_once(&crew);
        workers_submit(&crew.workers, &first.work);
        sem_wait(&crew.begun);
        assert_true(workers_submit_idle(&crew.workers, &spare.work));
        assert_false(workers_submit_idle(&crew.workers, &second.work));
        workers_submit(&crew.workers, &second.work);
        sem_post(&crew.may_end);
        sem_wait(&crew.begun);
        assert_int_equal(second.seen_at, 1);
        sem_post(&crew.may_end);
        crew_end(&crew);
        assert_int_equal(spare.seen_at, 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_is_done_before_the_end),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_fairly),
                cmocka_unit_test(test_parallel),
                cmocka_unit_test(test_yields),
                cmocka_unit_test(test_waiting_is_no_work),
                cmocka_unit_test(test_idle),
                cmocka_unit_test(test_never_started),
        };

        return cmocka_run_group_tests_name("link/workers", tests, NULL, NULL);
}
