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

/* A piece of work of an owner, and its expected place in the order. */
struct expected {
        unsigned owner;
        bool is_small;
        unsigned seen_at;
};

/* One thread. The first piece keeps it busy until all others wait. */
static void do_fairly(struct turn *turns, const struct expected *expected, unsigned count)
{
        struct crew crew;
        struct job jobs[32];

        crew_begin(&crew, 1);
        for (unsigned i = 0; i < count; i++) {
                jobs[i] = i == 0 ? job_held(&crew) : job_at_once(&crew);
                assert_null(workers_submit_fairly(&crew.workers, &jobs[i].work,
                        turns + expected[i].owner, expected[i].is_small, count));
                if (i == 0)
                        sem_wait(&crew.begun);
        }
        sem_post(&crew.may_end);
        crew_end(&crew);
        for (unsigned i = 0; i < count; i++)
                assert_int_equal(jobs[i].seen_at, expected[i].seen_at);
}

/* Of owners without a network; of each the newest is next. */
static void test_turns(void **state)
{
        struct turn turns[3] = { 0 };
        static const struct expected expected[] = {
                { 0, false, 0 },
                { 0, false, 5 },
                { 0, true, 1 },
                { 0, false, 2 },
                { 1, false, 8 },
                { 1, false, 7 },
                { 1, false, 6 },
                { 1, false, 3 },
                { 2, false, 4 },
        };

        (void)state;
        do_fairly(turns, expected, sizeof(expected) / sizeof(*expected));
}

/* However many owners a network has: known owners do not wait for them, nor does another network. */
static void test_networks_take_turns(void **state)
{
        struct turn turns[12] = { 0 };
        static const struct expected expected[] = {
                { 2, false, 0 }, { 3, false, 7 }, { 4, false, 6 }, { 5, false, 5 }, { 6, false, 4 },
                { 7, false, 1 }, { 8, false, 2 }, /* of another network */
                { 9, false, 3 }, /* known, of the first one */
        };

        (void)state;
        for (unsigned i = 2; i < 12; i++)
                turns[i].network = turns + (i == 8);
        turns[9].is_known = true;
        do_fairly(turns, expected, sizeof(expected) / sizeof(*expected));
        assert_int_equal(turns[0].queued + turns[1].queued + turns[9].queued, 0);
}

/* New owners, each with its own network, do not keep an earlier one waiting for ever. */
static void test_ever_new_networks(void **state)
{
        struct turn turns[9] = { 0 };
        static const struct expected expected[] = {
                { 0, false, 0 },
                { 0, false, 1 },
                { 1, false, 2 },
                { 2, false, 3 },
                { 3, false, 4 },
                { 4, false, 5 },
                { 5, false, 6 },
        };

        (void)state;
        do_fairly(turns, expected, sizeof(expected) / sizeof(*expected));
}

/* Small pieces come first, but a large one after some of them. */
static void test_small_pieces(void **state)
{
        struct turn turns[2] = { 0 };
        struct expected expected[23] = { { 0, false, 0 }, { 0, false, 19 }, { 0, false, 9 } };

        (void)state;
        for (unsigned i = 3; i < 23; i++)
                expected[i] = (struct expected){ 1, true, 0 };
        /* the newest first: eight, a large one, eight, ... */
        for (unsigned i = 22, at = 1; i >= 3; i--, at++) {
                at += at == 9 || at == 18;
                expected[i].seen_at = at;
        }
        expected[1].seen_at = 18;
        do_fairly(turns, expected, 23);
}

/* The owner or network with the most pieces loses one, its oldest. */
static void test_room(void **state)
{
        struct crew crew;
        struct job jobs[8];
        struct turn turns[8] = { 0 };
        /* 0 and 1 are networks; of the second one there is a single piece, and it is the oldest */
        static const unsigned owner_of[] = { 2, 3, 4, 5, 6, 7, 7, 7 };
        static const int gives_way[] = { -1, -1, -1, -1, 2, 3, 5, 6 };

        (void)state;
        for (unsigned i = 2; i < 8; i++)
                turns[i].network = turns + (i == 3);
        crew_begin(&crew, 1);
        for (unsigned i = 0; i < 8; i++) {
                struct work *work;

                jobs[i] = i == 0 ? job_held(&crew) : job_at_once(&crew);
                work = workers_submit_fairly(
                        &crew.workers, &jobs[i].work, turns + owner_of[i], false, 3);
                if (i == 0)
                        sem_wait(&crew.begun);
                assert_ptr_equal(work, gives_way[i] < 0 ? NULL : &jobs[gives_way[i]].work);
        }
        assert_int_equal(workers_load(&crew.workers).queued, 3);
        sem_post(&crew.may_end);
        crew_end(&crew);
        assert_int_equal(atomic_load(&crew.done), 4);
        assert_int_equal(turns[0].queued + turns[1].queued, 0);
}

/* What an owner has that is known counts for itself, also what it had before it was known; not for its network. */
static void test_room_of_known_owners(void **state)
{
        struct crew crew;
        struct job jobs[8];
        struct turn network = { 0 };
        struct turn known = { .network = &network }, unknown = { .network = &network };
        struct turn *const owner_of[] = { &unknown, &known, &known, &unknown, &unknown, &known,
                &known, &unknown };
        static const int gives_way[] = { -1, -1, -1, -1, -1, -1, 1, 2 };

        (void)state;
        crew_begin(&crew, 1);
        for (unsigned i = 0; i < 8; i++) {
                struct work *work;

                jobs[i] = i == 0 ? job_held(&crew) : job_at_once(&crew);
                work = workers_submit_fairly(&crew.workers, &jobs[i].work, owner_of[i], false, 5);
                if (i == 0)
                        sem_wait(&crew.begun);
                if (i == 2)
                        workers_know(&crew.workers, &known);
                assert_ptr_equal(work, gives_way[i] < 0 ? NULL : &jobs[gives_way[i]].work);
        }
        sem_post(&crew.may_end);
        crew_end(&crew);
        assert_int_equal(network.queued + known.queued + unknown.queued, 0);
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
                cmocka_unit_test(test_turns),
                cmocka_unit_test(test_networks_take_turns),
                cmocka_unit_test(test_ever_new_networks),
                cmocka_unit_test(test_small_pieces),
                cmocka_unit_test(test_room),
                cmocka_unit_test(test_room_of_known_owners),
                cmocka_unit_test(test_parallel),
                cmocka_unit_test(test_yields),
                cmocka_unit_test(test_waiting_is_no_work),
                cmocka_unit_test(test_idle),
                cmocka_unit_test(test_never_started),
        };

        return cmocka_run_group_tests_name("link/workers", tests, NULL, NULL);
}
