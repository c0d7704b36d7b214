/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <unistd.h>

#include "core/thread.h"

#define NAME_BYTES 16
#define TID_OF_NONE (1 << 22) /* Linux's PID_MAX_LIMIT: all are lower */

/* What a thread has found out about itself. */
struct finding {
        const char *own_name; /* that it gives itself; NULL: none */
        char name[NAME_BYTES]; /* in the end */
        sigset_t blocked;
        uint64_t cpu_ns;
};

static void *run(void *user)
{
        struct finding *finding = user;

        if (finding->own_name)
                pthread_setname_np(pthread_self(), finding->own_name);
        thread_name_caller("ring", 7);
        pthread_getname_np(pthread_self(), finding->name, sizeof(finding->name));
        pthread_sigmask(SIG_BLOCK, NULL, &finding->blocked);
        finding->cpu_ns = thread_cpu_ns(gettid());
        return NULL;
}

/* As an application starts one. */
static void start(struct finding *finding)
{
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, run, finding), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
}

static void test_ours_block_signals(void **state)
{
        struct finding finding = { .own_name = NULL };
        pthread_t thread;
        sigset_t here;

        (void)state;
        assert_int_equal(thread_start_named(&thread, "worker", 3, run, &finding), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(sigismember(&finding.blocked, SIGTERM), 1);
        pthread_sigmask(SIG_BLOCK, NULL, &here);
        assert_int_equal(sigismember(&here, SIGTERM), 0);
}

static void test_a_thread_without_a_name_gets_one(void **state)
{
        struct finding finding = { .own_name = NULL };

        (void)state;
        start(&finding);
        assert_string_equal(finding.name, "ring 7");
}

static void test_a_name_is_kept(void **state)
{
        struct finding finding = { .own_name = "theirs" };

        (void)state;
        start(&finding);
        assert_string_equal(finding.name, "theirs");
}

static void test_the_process_keeps_its_name(void **state)
{
        char before[NAME_BYTES], after[NAME_BYTES];

        (void)state;
        pthread_getname_np(pthread_self(), before, sizeof(before));
        thread_name_caller("ring", 7);
        pthread_getname_np(pthread_self(), after, sizeof(after));
        assert_string_equal(before, after);
}

static void test_cpu_time(void **state)
{
        struct finding finding = { .own_name = NULL };

        (void)state;
        start(&finding);
        assert_true(finding.cpu_ns > 0);
        assert_int_equal(thread_cpu_ns(0), 0);
        assert_int_equal(thread_cpu_ns(-1), 0);
        assert_int_equal(thread_cpu_ns(TID_OF_NONE), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ours_block_signals),
                cmocka_unit_test(test_a_thread_without_a_name_gets_one),
                cmocka_unit_test(test_a_name_is_kept),
                cmocka_unit_test(test_the_process_keeps_its_name),
                cmocka_unit_test(test_cpu_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
