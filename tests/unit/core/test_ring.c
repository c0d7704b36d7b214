/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include "core/bind.h"
#include "core/engine.h"
#include "core/engine/uring.h"
#include "core/here.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

/* --- operations --- */

/* What every engine can do without a descriptor: to look for an operation that there is not. */
struct nop {
        struct op op;
        unsigned *completed;
};

static struct engine_file no_file = { .fd = -1 };
static struct op no_op;

static void on_nop(struct op *op, struct completion completion)
{
        struct nop *nop = CONTAINER_OF(op, struct nop, op);

        assert_int_equal(completion.result, -ENOENT);
        assert_false(completion.more);
        assert_null(completion.bytes);
        (*nop->completed)++;
}

static void nop_start(struct ring *ring, struct nop *nop)
{
        ring->engine->cancel(ring, &no_file, &nop->op, &no_op);
}

static void nop_queue(struct ring *ring, struct nop *nop, unsigned *completed)
{
        nop->op.on_complete = on_nop;
        nop->completed = completed;
        nop_start(ring, nop);
}

static void test_full_queues_lose_nothing(void **state)
{
        enum { COUNT = 5000 };
        struct ring_options options = { .sq_entries = 8, .cq_entries = 16 };
        struct nop *nops = calloc(COUNT, sizeof(*nops));
        unsigned completed = 0;
        struct ring ring;

        (void)state;
        assert_int_equal(start_ring(&ring, &options), 0);
        for (unsigned i = 0; i < COUNT; i++)
                nop_queue(&ring, &nops[i], &completed);
        TURN_UNTIL(&ring, completed == COUNT);
        if (on_uring()) {
                assert_true(ring.stats.submits_extra > 0);
                assert_true(ring.stats.overflows > 0);
        }
        assert_int_equal(ring.ops_in_flight, on_uring()); /* the read that waits for wakes */
        ring_deinit(&ring);
        free(nops);
}

/* --- the order of a turn --- */

struct step {
        struct deferred deferred;
        struct timer timer;
        struct mail mail;
        struct nop nop;
        struct ring *ring;
        char name;
        struct step *next_flush;
};

static char steps_seen[64];

static void step_seen(char name)
{
        assert_true(here_turns());
        strncat(steps_seen, &name, 1);
}

static void on_step_deferred(struct deferred *deferred)
{
        struct step *step = CONTAINER_OF(deferred, struct step, deferred);

        step_seen(step->name);
        if (step->next_flush)
                ring_defer(step->ring, &step->next_flush->deferred, RING_FLUSH);
}

static void on_step_timer(struct timer *timer)
{
        step_seen(CONTAINER_OF(timer, struct step, timer)->name);
}

static void on_step_mail(struct mail *mail)
{
        step_seen(CONTAINER_OF(mail, struct step, mail)->name);
}

static void on_step_complete(struct op *op, struct completion completion)
{
        (void)completion;
        step_seen(CONTAINER_OF(CONTAINER_OF(op, struct nop, op), struct step, nop)->name);
}

static void test_order_of_a_turn(void **state)
{
        struct ring ring;
        struct step flush = { .name = 'F' }, late = { .name = 'L' },
                    dispatch = { .name = 'D', .next_flush = &late };
        struct step timer = { .name = 'T' }, mail = { .name = 'M' }, completion = { .name = 'C' };

        (void)state;
        steps_seen[0] = '\0';
        assert_int_equal(start_ring(&ring, NULL), 0);
        dispatch.ring = &ring;
        deferred_init(&flush.deferred, on_step_deferred);
        deferred_init(&late.deferred, on_step_deferred);
        deferred_init(&dispatch.deferred, on_step_deferred);
        ring_defer(&ring, &flush.deferred, RING_FLUSH);
        ring_defer(&ring, &dispatch.deferred, RING_DISPATCH);
        ring_defer(&ring, &dispatch.deferred, RING_DISPATCH);
        timer_init(&timer.timer);
        timer_start(&ring.timers, &timer.timer, 0, on_step_timer);
        mail.mail.on_delivery = on_step_mail;
        ring_post(&ring, NULL, &mail.mail);
        completion.nop.op.on_complete = on_step_complete;
        nop_start(&ring, &completion.nop);

        /* What dispatch defers to the flush still runs in the same turn. */
        assert_false(here_turns());
        assert_int_equal(ring_turn(&ring, 0), 0);
        assert_string_equal(steps_seen, "CMTDFL");
        assert_false(here_turns());
        ring_deinit(&ring);
}

struct repeat {
        struct deferred deferred;
        struct ring *ring;
        unsigned left;
};

static void on_repeat(struct deferred *deferred)
{
        struct repeat *repeat = CONTAINER_OF(deferred, struct repeat, deferred);

        if (--repeat->left > 0)
                ring_defer(repeat->ring, deferred, RING_DISPATCH);
}

static void test_deferred_work_keeps_the_ring_awake(void **state)
{
        struct ring ring;
        struct repeat repeat = { .ring = &ring, .left = 10 };
        uint64_t start_ns = clock_ns();

        (void)state;
        assert_int_equal(start_ring(&ring, NULL), 0);
        deferred_init(&repeat.deferred, on_repeat);
        ring_defer(&ring, &repeat.deferred, RING_DISPATCH);
        for (unsigned turn = 1; turn <= 10; turn++) {
                assert_int_equal(repeat.left, 11 - turn);
                assert_int_equal(ring_turn(&ring, 10 * SECOND), 0);
        }
        assert_int_equal(repeat.left, 0);
        assert_true(clock_ns() - start_ns < SECOND);

        repeat.left = 1;
        ring_defer(&ring, &repeat.deferred, RING_FLUSH);
        ring_undefer(&repeat.deferred);
        assert_int_equal(ring_turn(&ring, 0), 0);
        assert_int_equal(repeat.left, 1);
        ring_deinit(&ring);
}

/* --- time --- */

static void on_set(struct timer *timer)
{
        timer->on_expire = NULL;
}

static void test_timer_precision(void **state)
{
        struct ring ring;
        struct timer timer;
        uint64_t best_ns = UINT64_MAX;

        (void)state;
        assert_int_equal(start_ring(&ring, NULL), 0);
        timer_init(&timer);
        /* A loaded machine may run us late; the ring itself must not be the cause: the best of
         * five counts. */
        for (unsigned try = 0; try < 5; try++) {
                uint64_t start_ns = clock_ns(), took_ns;

                timer_start(&ring.timers, &timer, start_ns + 50 * MS, on_set);
                while (timer_is_running(&timer))
                        assert_int_equal(ring_turn(&ring, RING_FOREVER), 0);
                took_ns = clock_ns() - start_ns;
                assert_true(took_ns >= 50 * MS);
                if (took_ns < best_ns)
                        best_ns = took_ns;
        }
        assert_true(best_ns <= 52 * MS);
        ring_deinit(&ring);
}

static void test_waits_end_for_whichever_timer_is_next(void **state)
{
        uint64_t start_ns = clock_ns();
        struct ring ring;
        struct timer near, next, far;

        (void)state;
        assert_int_equal(start_ring(&ring, NULL), 0);
        timer_init(&near);
        timer_init(&next);
        timer_init(&far);
        timer_start(&ring.timers, &far, start_ns + 10 * SECOND, on_set);
        ring_wake(&ring);
        assert_int_equal(ring_turn(&ring, RING_FOREVER), 0);
        /* earlier than the alarm; and one behind it, for which it has to be set anew */
        timer_start(&ring.timers, &near, start_ns + 50 * MS, on_set);
        timer_start(&ring.timers, &next, start_ns + 100 * MS, on_set);
        while (timer_is_running(&near))
                assert_int_equal(ring_turn(&ring, RING_FOREVER), 0);
        assert_in_range(clock_ns() - start_ns, 50 * MS, 4 * SECOND);
        while (timer_is_running(&next))
                assert_int_equal(ring_turn(&ring, RING_FOREVER), 0);
        assert_in_range(clock_ns() - start_ns, 100 * MS, 4 * SECOND);
        assert_true(ring.stats.turns < 20);
        timer_cancel(&ring.timers, &far);
        ring_deinit(&ring); /* with the alarm set */
}

/* Each call's deadline is another one, and nearly all are cancelled: the kernel is not told of them. */
static void test_deadlines_cost_the_kernel_nothing(void **state)
{
        enum { TURNS = 1000 };
        unsigned completed = 0;
        struct ring ring;
        struct timer timer;
        struct nop nop;

        (void)state;
        assert_int_equal(start_ring(&ring, NULL), 0);
        timer_init(&timer);
        for (unsigned turn = 0; turn < TURNS; turn++) {
                timer_start(&ring.timers, &timer, clock_ns() + 100 * SECOND, on_set);
                nop_queue(&ring, &nop, &completed);
                assert_int_equal(ring_turn(&ring, RING_FOREVER), 0);
                timer_cancel(&ring.timers, &timer);
        }
        assert_int_equal(completed, TURNS);
        /* the wheel's next stop before such a deadline lies at most some seconds ahead, and may pass once */
        assert_in_range(ring.stats.completions, TURNS, TURNS + 2);
        ring_deinit(&ring);
}

static void test_clock_and_chance(void **state)
{
        unsigned char one[600] = {}, other[600] = {};
        struct ring ring;
        uint64_t before_ns = clock_ns(), now_ns;

        (void)state;
        assert_int_equal(start_ring(&ring, NULL), 0);
        now_ns = ring_clock_ns(&ring);
        assert_in_range(now_ns, before_ns, clock_ns());
        assert_true(ring_now_ns(&ring) <= now_ns);
        assert_in_range(ring_clock_coarse_ns(&ring), now_ns - SECOND, clock_ns());
        /* more than getrandom() gives in one go for sure */
        assert_int_equal(ring_random(&ring, one, sizeof(one)), 0);
        assert_int_equal(ring_random(&ring, other, sizeof(other)), 0);
        assert_memory_not_equal(one, other, 300);
        assert_memory_not_equal(one + 300, other + 300, 300);
        ring_deinit(&ring);
}

static void test_timeout_bounds_the_wait(void **state)
{
        struct ring ring;
        uint64_t start_ns;

        (void)state;
        assert_int_equal(start_ring(&ring, NULL), 0);
        start_ns = clock_ns();
        assert_int_equal(ring_turn(&ring, 20 * MS), 0);
        assert_true(clock_ns() - start_ns >= 20 * MS);
        assert_true(ring_now_ns(&ring) >= start_ns + 20 * MS);
        assert_true(ring_now_ns(&ring) <= clock_ns());
        ring_deinit(&ring);
}

/* --- waking --- */

static struct ring *signalled;

static void on_signal(int number)
{
        (void)number;
        ring_wake(signalled);
}

static void *signaller(void *thread)
{
        usleep(30 * 1000);
        pthread_kill(*(pthread_t *)thread, SIGUSR1);
        return NULL;
}

static void test_signal_handler_ends_the_wait(void **state)
{
        struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
        pthread_t self = pthread_self(), thread;
        uint64_t start_ns = clock_ns();
        struct ring ring;

        (void)state;
        assert_int_equal(start_ring(&ring, NULL), 0);
        signalled = &ring;
        sigaction(SIGUSR1, &action, NULL);
        assert_int_equal(pthread_create(&thread, NULL, signaller, &self), 0);
        assert_int_equal(ring_turn(&ring, 10 * SECOND), 0);
        assert_true(clock_ns() - start_ns < 5 * SECOND);
        pthread_join(thread, NULL);
        /* The wake itself is still to be read; a wake ahead of the wait is kept. */
        assert_int_equal(ring_turn(&ring, 10 * SECOND), 0);
        ring_wake(&ring);
        assert_int_equal(ring_turn(&ring, 10 * SECOND), 0);
        assert_true(clock_ns() - start_ns < 5 * SECOND);
        signal(SIGUSR1, SIG_DFL);
        ring_deinit(&ring);
}

static void test_failed_message_wakes_all_the_same(void **state)
{
        uint64_t start_ns = clock_ns();
        struct ring ring;

        (void)state;
        ONLY_ON_URING();
        assert_int_equal(start_ring(&ring, NULL), 0);
        /* What the sender's ring gets when the kernel has no memory for a MSG_RING to us. */
        ring.post_op.on_complete(&ring.post_op, (struct completion){ .result = -ENOMEM });
        assert_int_equal(ring_turn(&ring, 10 * SECOND), 0);
        assert_true(clock_ns() - start_ns < 5 * SECOND);
        ring_deinit(&ring);
}

static void *posting_thread(void *argument)
{
        struct step *step = argument;

        usleep(30 * 1000);
        ring_post(step->ring, NULL, &step->mail);
        return NULL;
}

/* The kernel, short of memory, took a part of what was submitted: what that settles must not wait for something else. */
static void test_a_turn_that_settles_what_the_last_could_not_does_not_wait(void **state)
{
        uint64_t start_ns = clock_ns();
        struct ring ring;

        (void)state;
        ONLY_ON_URING();
        assert_int_equal(start_ring(&ring, NULL), 0);
        ring.uring->unsettled = true;
        assert_int_equal(ring_turn(&ring, 10 * SECOND), 0);
        assert_true(clock_ns() - start_ns < 5 * SECOND);
        assert_false(ring.uring->unsettled);
        ring_deinit(&ring);
}

/* As a foreign loop does it: false when the descriptor does not get readable in time. */
static bool poll_and_turn(struct ring *ring, int timeout_ms)
{
        struct pollfd poll_fd = { .fd = ring_poll_fd(ring), .events = POLLIN };

        if (poll(&poll_fd, 1, timeout_ms) == 0)
                return false;
        do
                assert_int_equal(ring_turn(ring, 0), 0);
        while (!ring_may_poll(ring));
        return true;
}

static void test_foreign_loop_polls_the_descriptor(void **state)
{
        struct ring ring;
        struct step mail = { .ring = &ring, .name = 'M', .mail.on_delivery = on_step_mail };
        pthread_t thread;
        unsigned completed = 0;
        struct nop nop;

        (void)state;
        steps_seen[0] = '\0';
        assert_int_equal(start_ring(&ring, NULL), 0);
        assert_true(ring_poll_fd(&ring) >= 0);
        assert_int_equal(ring_poll_fd(&ring), ring_poll_fd(&ring));
        /* what io_uring needs itself is not submitted yet */
        assert_int_equal(ring_may_poll(&ring), !on_uring());
        while (poll_and_turn(&ring, 0))
                continue;
        assert_true(ring_may_poll(&ring));
        assert_int_equal(ring.ops_in_flight, 0); /* nothing but the loop reads the descriptor */

        nop_queue(&ring, &nop, &completed);
        assert_false(ring_may_poll(&ring));
        ring_wake(&ring);
        assert_true(poll_and_turn(&ring, 0));
        assert_int_equal(completed, 1);
        poll_and_turn(&ring, 0); /* once for nothing: it completed within the submit */
        assert_false(poll_and_turn(&ring, 0));

        assert_int_equal(pthread_create(&thread, NULL, posting_thread, &mail), 0);
        while (!*steps_seen)
                assert_true(poll_and_turn(&ring, 5000));
        assert_string_equal(steps_seen, "M");
        pthread_join(thread, NULL);
        ring_deinit(&ring);
}

static void test_foreign_loop_is_told_of_timers(void **state)
{
        uint64_t start_ns = clock_ns();
        struct ring ring;
        struct timer near, far;

        (void)state;
        assert_int_equal(start_ring(&ring, NULL), 0);
        assert_true(ring_poll_fd(&ring) >= 0);
        timer_init(&near);
        timer_init(&far);
        timer_start(&ring.timers, &far, start_ns + 10 * SECOND, on_set);
        ring_wake(&ring);
        assert_true(poll_and_turn(&ring, 0));
        timer_start(&ring.timers, &near, start_ns + 50 * MS, on_set); /* earlier than it is set */
        ring_wake(&ring);
        while (timer_is_running(&near))
                assert_true(poll_and_turn(&ring, 5000));
        assert_in_range(clock_ns() - start_ns, 50 * MS, 4 * SECOND);
        timer_cancel(&ring.timers, &far);
        ring_deinit(&ring); /* with a timeout in flight */
}

/* Spread over all values, each time and each ring anew. */
static void test_jitter(void **state)
{
        enum { COUNT = 16000, PARTS = 16 };
        unsigned counts[2][PARTS] = { { 0 } };
        struct ring one, other;

        (void)state;
        assert_int_equal(start_ring(&one, NULL), 0);
        assert_int_equal(start_ring(&other, NULL), 0);
        for (unsigned i = 0; i < COUNT; i++) {
                uint64_t jitter = ring_jitter(&one);

                assert_true(jitter != ring_jitter(&other));
                counts[0][jitter % PARTS]++;
                counts[1][jitter >> 60]++;
        }
        for (unsigned i = 0; i < PARTS; i++) {
                assert_in_range(counts[0][i], 800, 1200); /* of 1000 */
                assert_in_range(counts[1][i], 800, 1200);
        }
        ring_deinit(&one);
        ring_deinit(&other);
}

/* --- the end --- */

static void test_deinit_tells_leaks(void **state)
{
        int status, listening[BIND_FDS_MAX];
        pid_t pid;

        (void)state;
        assert_int_equal(bind_tcp("127.0.0.1", 0, NULL, listening, NULL), 1);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                struct engine_file file;
                struct accept_op op = {};
                struct ring ring;

                if (start_ring(&ring, NULL) < 0 || !freopen("/dev/null", "w", stderr))
                        _exit(1);
                engine_file_init(&file, listening[0]);
                ring.engine->accept(&ring, &file, &op);
                signal(SIGABRT, SIG_DFL); /* cmocka's own would go on with the next test */
                ring_deinit(&ring);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGABRT);
        close(listening[0]);
}

/* --- one enter a turn --- */

static void test_steady_state_enters_once_a_turn(void **state)
{
        enum { TURNS = 1000, BATCH = 100 };
        struct ring ring;
        struct nop nops[BATCH];
        unsigned completed = 0;

        (void)state;
        assert_int_equal(start_ring(&ring, NULL), 0);
        for (unsigned turn = 1; turn <= TURNS; turn++) {
                for (unsigned i = 0; i < BATCH; i++)
                        nop_queue(&ring, &nops[i], &completed);
                assert_int_equal(ring_turn(&ring, SECOND), 0);
                assert_int_equal(completed, turn * BATCH);
        }
        assert_int_equal(ring.stats.turns, TURNS);
        assert_int_equal(ring.stats.submits_extra, 0);
        assert_int_equal(ring.stats.overflows, 0);
        ring_deinit(&ring);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_full_queues_lose_nothing),
                cmocka_unit_test(test_order_of_a_turn),
                cmocka_unit_test(test_deferred_work_keeps_the_ring_awake),
                cmocka_unit_test(test_timer_precision),
                cmocka_unit_test(test_waits_end_for_whichever_timer_is_next),
                cmocka_unit_test(test_deadlines_cost_the_kernel_nothing),
                cmocka_unit_test(test_clock_and_chance),
                cmocka_unit_test(test_jitter),
                cmocka_unit_test(test_timeout_bounds_the_wait),
                cmocka_unit_test(test_signal_handler_ends_the_wait),
                cmocka_unit_test(test_failed_message_wakes_all_the_same),
                cmocka_unit_test(test_a_turn_that_settles_what_the_last_could_not_does_not_wait),
                cmocka_unit_test(test_foreign_loop_polls_the_descriptor),
                cmocka_unit_test(test_foreign_loop_is_told_of_timers),
                cmocka_unit_test(test_deinit_tells_leaks),
                cmocka_unit_test(test_steady_state_enters_once_a_turn),
        };

        return RUN_ON_BOTH_ENGINES("core/ring", tests);
}
