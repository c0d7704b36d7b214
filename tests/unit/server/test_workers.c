/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/list.h"
#include "server/workers.h"

#include <semaphore.h>

struct job {
        struct work work;
        atomic_uint *done;
        sem_t *begun, *may_end; /* NULL: ends at once */
        unsigned seen_at;
};

static void on_work(struct work *work, struct coders *coders)
{
        struct job *job = CONTAINER_OF(work, struct job, work);

        assert_non_null(coders);
        if (job->begun) {
                sem_post(job->begun);
                sem_wait(job->may_end);
        }
        job->seen_at = atomic_fetch_add(job->done, 1);
}

static void test_all_is_done_before_the_end(void **state)
{
        struct workers workers;
        struct job *jobs = calloc(1000, sizeof(*jobs));
        atomic_uint done = 0;

        (void)state;
        workers_init(&workers);
        assert_int_equal(workers_start(&workers, 4), 0);
        for (unsigned i = 0; i < 1000; i++) {
                jobs[i] = (struct job){ .work.on_work = on_work, .done = &done };
                workers_submit(&workers, &jobs[i].work);
        }
        workers_deinit(&workers);
        assert_int_equal(atomic_load(&done), 1000);
        free(jobs);
}

/* One thread: first come, first served. */
static void test_order(void **state)
{
        struct workers workers;
        struct job jobs[100];
        atomic_uint done = 0;

        (void)state;
        workers_init(&workers);
        assert_int_equal(workers_start(&workers, 1), 0);
        for (unsigned i = 0; i < 100; i++) {
                jobs[i] = (struct job){ .work.on_work = on_work, .done = &done };
                workers_submit(&workers, &jobs[i].work);
        }
        workers_deinit(&workers);
        for (unsigned i = 0; i < 100; i++)
                assert_int_equal(jobs[i].seen_at, i);
}

/* As many at once as there are threads; the rest is counted as queued. */
static void test_parallel(void **state)
{
        struct workers workers;
        struct job jobs[8];
        atomic_uint done = 0;
        sem_t begun, may_end;

        (void)state;
        sem_init(&begun, 0, 0);
        sem_init(&may_end, 0, 0);
        workers_init(&workers);
        assert_int_equal(workers_start(&workers, 3), 0);
        for (unsigned i = 0; i < 8; i++) {
                jobs[i] = (struct job){
                        .work.on_work = on_work, .done = &done, .begun = &begun, .may_end = &may_end
                };
                workers_submit(&workers, &jobs[i].work);
        }
        for (unsigned i = 0; i < 3; i++)
                sem_wait(&begun);
        assert_int_equal(workers_load(&workers).queued, 5);
        assert_int_equal(atomic_load(&done), 0);
        for (unsigned i = 0; i < 8; i++)
                sem_post(&may_end);
        workers_deinit(&workers);
        assert_int_equal(atomic_load(&done), 8);
        sem_destroy(&begun);
        sem_destroy(&may_end);
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
                cmocka_unit_test(test_parallel),
                cmocka_unit_test(test_never_started),
        };

        return cmocka_run_group_tests_name("server/workers", tests, NULL, NULL);
}
