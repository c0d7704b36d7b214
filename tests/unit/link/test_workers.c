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

/* of which a worker asks for the time alone */
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

/* Workers, and what their jobs tell. */
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

/* Tells that it has begun, and waits until it may end. */
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

/* One thread: first come, first served. */
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

/* One thread. The first piece keeps it busy until all others wait. */
static void test_turns(void **state)
{
        struct crew crew;
        struct job jobs[9];
        uint64_t turns[3] = { 0 };
        /* job 2 goes on; jobs 1..3 are of the first owner, who has had a turn, 4..7 of the second, 8 of the third */
        static const unsigned owner_of[] = { 0, 0, 0, 0, 1, 1, 1, 1, 2 };
        static const unsigned order[] = { 0, 2, 8, 7, 3, 6, 1, 5, 4 };

        (void)state;
        crew_begin(&crew, 1);
        for (unsigned i = 0; i < 9; i++) {
                jobs[i] = i == 0 ? job_held(&crew) : job_at_once(&crew);
                assert_null(workers_submit_fairly(
                        &crew.workers, &jobs[i].work, turns + owner_of[i], i == 2, 8));
                if (i == 0)
                        sem_wait(&crew.begun);
        }
        sem_post(&crew.may_end);
        crew_end(&crew);
        for (unsigned i = 0; i < 9; i++)
                assert_int_equal(jobs[order[i]].seen_at, i);
}

/* What has waited longest gives way. */
static void test_room(void **state)
{
        struct crew crew;
        struct job jobs[6];
        uint64_t turn = 0;

        (void)state;
        crew_begin(&crew, 1);
        for (unsigned i = 0; i < 6; i++) {
                struct work *oldest;

                jobs[i] = i == 0 ? job_held(&crew) : job_at_once(&crew);
                oldest = workers_submit_fairly(&crew.workers, &jobs[i].work, &turn, false, 3);
                if (i == 0)
                        sem_wait(&crew.begun);
                assert_ptr_equal(oldest, i < 4 ? NULL : &jobs[i - 3].work);
        }
        assert_int_equal(workers_load(&crew.workers).queued, 3);
        sem_post(&crew.may_end);
        crew_end(&crew);
        assert_int_equal(atomic_load(&crew.done), 4);
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

/* A thread is given up for each piece of work that waits, and for no more; none while one is free. */
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

/* What a peer did not read is no measure of what work takes. */
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_is_done_before_the_end),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_turns),
                cmocka_unit_test(test_room),
                cmocka_unit_test(test_parallel),
                cmocka_unit_test(test_yields),
                cmocka_unit_test(test_waiting_is_no_work),
                cmocka_unit_test(test_never_started),
        };

        return cmocka_run_group_tests_name("link/workers", tests, NULL, NULL);
}
