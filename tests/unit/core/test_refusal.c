/* SPDX-License-Identifier: MIT */
#include "harness.h"
#include "seccomp.h"

#include "core/probe.h"
#include "core/refusal.h"
#include "core/ring.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define KIB ((uint64_t)1024)

/* A process that nothing is known against. */
static const struct refusal_facts usual = {
        .kernel_release = "6.12.1-amd64",
        .uring_disabled = 0,
        .proc_known = true,
        .memlock_bytes = 8192 * KIB,
        .cgroup_bytes = UINT64_MAX,
        .cgroup_free_bytes = UINT64_MAX,
        .address_free_bytes = UINT64_MAX,
};

static struct refusal_facts on_release(const char *release)
{
        struct refusal_facts facts = usual;

        snprintf(facts.kernel_release, sizeof(facts.kernel_release), "%s", release);
        return facts;
}

static enum refusal_reason reason(
        enum refusal_call call, int error, const struct refusal_facts *facts)
{
        struct refusal refusal = {
                .call = call,
                .error = error,
                .rings = 4,
                .ring_bytes = 44 * KIB,
                .ring_bytes_full = 140 * KIB,
        };

        return refusal_reason(&refusal, facts);
}

static void test_old_kernels(void **state)
{
        struct refusal_facts facts = on_release("5.15.0-91-generic");

        (void)state;
        facts.uring_disabled = -1;
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -EINVAL, &facts), REFUSAL_OLD_KERNEL);
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -ENOSYS, &facts), REFUSAL_OLD_KERNEL);
        assert_int_equal(reason(REFUSAL_CALL_REGISTER, -EINVAL, &facts), REFUSAL_OLD_KERNEL);
        facts = on_release("6.1.0-18-amd64");
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -EINVAL, &facts), REFUSAL_OTHER);
        facts = on_release("garbage");
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -EINVAL, &facts), REFUSAL_OTHER);
}

static void test_the_sysctl(void **state)
{
        struct refusal_facts facts = usual;

        (void)state;
        facts.uring_disabled = 2;
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -EPERM, &facts), REFUSAL_SWITCHED_OFF);
        facts.uring_privileged = true; /* for all */
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -EPERM, &facts), REFUSAL_SWITCHED_OFF);
        facts.uring_privileged = false;
        facts.uring_disabled = 1;
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -EPERM, &facts), REFUSAL_FOR_PRIVILEGED);
        facts.uring_privileged = true; /* then it is not that */
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -EPERM, &facts), REFUSAL_POLICY);
        facts.uring_privileged = false;
        assert_int_equal(reason(REFUSAL_CALL_ENTER, -EPERM, &facts), REFUSAL_POLICY);
        facts.has_seccomp = true;
        assert_int_equal(reason(REFUSAL_CALL_ENTER, -EPERM, &facts), REFUSAL_SECCOMP);
}

static void test_filters_and_policies(void **state)
{
        struct refusal_facts facts = usual;

        (void)state;
        for (int call = REFUSAL_CALL_SETUP; call <= REFUSAL_CALL_REGISTER; call++) {
                facts.has_seccomp = true;
                assert_int_equal(reason((enum refusal_call)call, -EPERM, &facts), REFUSAL_SECCOMP);
                assert_int_equal(reason((enum refusal_call)call, -EACCES, &facts), REFUSAL_SECCOMP);
                assert_int_equal(reason((enum refusal_call)call, -ENOSYS, &facts), REFUSAL_SECCOMP);
                facts.has_seccomp = false;
                assert_int_equal(reason((enum refusal_call)call, -EPERM, &facts), REFUSAL_POLICY);
                assert_int_equal(reason((enum refusal_call)call, -EACCES, &facts), REFUSAL_POLICY);
        }
        facts.proc_known = false;
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -EPERM, &facts), REFUSAL_SECCOMP);
}

static void test_absence(void **state)
{
        struct refusal_facts facts = usual;

        (void)state;
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -ENOSYS, &facts), REFUSAL_ABSENT);
        facts.uring_disabled =
                -1; /* 6.12 built without it: a filter that is there as well is not why */
        facts.has_seccomp = true;
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -ENOSYS, &facts), REFUSAL_ABSENT);
        facts = on_release("6.1.0"); /* no sysctl yet */
        facts.uring_disabled = -1;
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -ENOSYS, &facts), REFUSAL_ABSENT);
        facts.has_seccomp = true;
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -ENOSYS, &facts), REFUSAL_SECCOMP);
}

static void test_memory(void **state)
{
        struct refusal_facts facts = on_release("6.18.4");

        (void)state;
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -ENOMEM, &facts), REFUSAL_MEMLOCK);
        assert_int_equal(reason(REFUSAL_CALL_REGISTER, -ENOMEM, &facts), REFUSAL_MEMLOCK);
        assert_int_equal(reason(REFUSAL_CALL_OTHER, -ENOMEM, &facts), REFUSAL_MEMORY);
        facts.may_lock = true;
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -ENOMEM, &facts), REFUSAL_MEMORY);
        facts.cgroup_bytes = 16384 * KIB;
        facts.cgroup_free_bytes = 16000 * KIB;
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -ENOMEM, &facts), REFUSAL_MEMORY);
        facts.cgroup_free_bytes = 12 * KIB;
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -ENOMEM, &facts), REFUSAL_CGROUP);
        facts.may_lock = false;
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -ENOMEM, &facts), REFUSAL_CGROUP);
        facts.cgroup_bytes = facts.cgroup_free_bytes = UINT64_MAX;
        facts.address_free_bytes = 3000 * KIB;
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -ENOMEM, &facts), REFUSAL_ADDRESS_SPACE);
        facts.address_free_bytes = facts.memlock_bytes = UINT64_MAX;
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -ENOMEM, &facts), REFUSAL_MEMORY);
        facts.cgroup_bytes = 16384 * KIB; /* it was full, and is not any more */
        facts.cgroup_free_bytes = 1500 * KIB;
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -ENOMEM, &facts), REFUSAL_CGROUP);
        facts = on_release("7.2.13+deb14-cloud-amd64"); /* rings are not counted any more */
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -ENOMEM, &facts), REFUSAL_MEMORY);
        facts = on_release("7.1.13");
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -ENOMEM, &facts), REFUSAL_MEMLOCK);
        facts = on_release("6.12.30"); /* rings are not counted there */
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -ENOMEM, &facts), REFUSAL_MEMORY);
}

static void test_the_rest(void **state)
{
        struct refusal_facts facts = usual;

        (void)state;
        facts.address_free_bytes = 8000 * KIB; /* less than a stack */
        assert_int_equal(reason(REFUSAL_CALL_THREAD, -EAGAIN, &facts), REFUSAL_ADDRESS_SPACE);
        facts.cgroup_bytes = 16384 * KIB;
        facts.cgroup_free_bytes = 0;
        assert_int_equal(reason(REFUSAL_CALL_THREAD, -EAGAIN, &facts), REFUSAL_CGROUP);
        facts.address_free_bytes = UINT64_MAX;
        facts.cgroup_free_bytes =
                1500 *
                KIB; /* what failed has given some back: 560 KiB are too much with the slack */
        assert_int_equal(reason(REFUSAL_CALL_THREAD, -EAGAIN, &facts), REFUSAL_CGROUP);
        facts.cgroup_free_bytes = 1600 * KIB;
        assert_int_equal(reason(REFUSAL_CALL_THREAD, -EAGAIN, &facts), REFUSAL_THREADS);
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -EMFILE, &usual), REFUSAL_DESCRIPTORS);
        assert_int_equal(reason(REFUSAL_CALL_OTHER, -ENFILE, &usual), REFUSAL_FILES);
        assert_int_equal(reason(REFUSAL_CALL_THREAD, -EAGAIN, &usual), REFUSAL_THREADS);
        assert_int_equal(reason(REFUSAL_CALL_THREAD, -EPERM, &usual), REFUSAL_OTHER);
        assert_int_equal(reason(REFUSAL_CALL_SETUP, -EAGAIN, &usual), REFUSAL_OTHER);
}

/* ---- words ---- */

static char text[REFUSAL_TEXT_BYTES];

static const char *words(enum refusal_call call, int error, const struct refusal_facts *facts)
{
        struct refusal refusal = {
                .call = call,
                .error = error,
                .rings = 1024,
                .ring_bytes = 44 * KIB,
                .ring_bytes_full = 140 * KIB,
        };

        refusal_describe(&refusal, facts, text);
        assert_true(strlen(text) > 0);
        assert_true(strlen(text) + 1 < sizeof(text)); /* not cut off */
        assert_null(strchr(text, '\n'));
        return text;
}

#define ASSERT_SAYS(text, words) assert_non_null(strstr((text), (words)))

static void test_cause_and_remedy(void **state)
{
        struct refusal_facts facts = on_release("5.15.0-91-generic");

        (void)state;
        ASSERT_SAYS(words(REFUSAL_CALL_SETUP, -EINVAL, &facts), "5.15.0-91-generic is too old");
        ASSERT_SAYS(text, "6.1");
        ASSERT_SAYS(words(REFUSAL_CALL_SETUP, -ENOSYS, &usual), "CONFIG_IO_URING");
        ASSERT_SAYS(words(REFUSAL_CALL_SETUP, -EACCES, &usual), "SELinux");
        ASSERT_SAYS(words(REFUSAL_CALL_SETUP, -EMFILE, &usual), "RLIMIT_NOFILE");
        ASSERT_SAYS(words(REFUSAL_CALL_SETUP, -ENFILE, &usual), "fs.file-max");
        ASSERT_SAYS(words(REFUSAL_CALL_THREAD, -EAGAIN, &usual), "RLIMIT_NPROC");
        ASSERT_SAYS(words(REFUSAL_CALL_REGISTER, -EINVAL, &usual), "io_uring_register fails");
        facts = usual;
        facts.uring_disabled = 2;
        ASSERT_SAYS(words(REFUSAL_CALL_SETUP, -EPERM, &facts), "kernel.io_uring_disabled=0");
        facts.uring_disabled = 1;
        ASSERT_SAYS(words(REFUSAL_CALL_SETUP, -EPERM, &facts), "kernel.io_uring_group");
        facts.has_seccomp = true;
        ASSERT_SAYS(words(REFUSAL_CALL_ENTER, -EPERM, &facts), "io_uring_enter is forbidden");
        ASSERT_SAYS(text, "seccomp profile");
        ASSERT_SAYS(words(REFUSAL_CALL_REGISTER, -EBUSY, &facts), "seccomp profile");
        memset(facts.kernel_release, '6', sizeof(facts.kernel_release) - 1); /* the longest */
        words(REFUSAL_CALL_SETUP, -ENOTRECOVERABLE, &facts);
        facts.uring_disabled = -1;
        words(REFUSAL_CALL_SETUP, -ENOSYS, &facts);
}

static void test_arithmetic(void **state)
{
        struct refusal_facts facts = on_release("6.18.0");

        (void)state;
        ASSERT_SAYS(
                words(REFUSAL_CALL_SETUP, -ENOMEM, &facts), "1024 rings need 45056 to 143360 KiB");
        ASSERT_SAYS(text, "RLIMIT_MEMLOCK is 8192 KiB");
        ASSERT_SAYS(text, "LimitMEMLOCK=");
        facts.cgroup_bytes = 16384 * KIB;
        facts.cgroup_free_bytes = 12 * KIB;
        ASSERT_SAYS(words(REFUSAL_CALL_SETUP, -ENOMEM, &facts), "12 KiB left of 16384 KiB");
        assert_null(strstr(text, "MEMLOCK"));
        facts.cgroup_bytes = facts.cgroup_free_bytes = UINT64_MAX;
        facts.address_free_bytes = 0;
        ASSERT_SAYS(words(REFUSAL_CALL_SETUP, -ENOMEM, &facts), "RLIMIT_AS");
        assert_null(strstr(text, "MEMLOCK"));
        facts.address_free_bytes = UINT64_MAX;
        facts.may_lock = true;
        ASSERT_SAYS(words(REFUSAL_CALL_SETUP, -ENOMEM, &facts), "1024 rings");
        ASSERT_SAYS(text, "or use fewer rings");
        assert_null(strstr(text, "MEMLOCK"));
}

static void test_releases(void **state)
{
        unsigned major = 7, minor = 7;

        (void)state;
        assert_true(refusal_parse_release("6.1.0-18-amd64", &major, &minor));
        assert_int_equal(major, 6);
        assert_int_equal(minor, 1);
        assert_true(refusal_parse_release("10.20", &major, &minor));
        assert_int_equal(major, 10);
        assert_int_equal(minor, 20);
        assert_false(refusal_parse_release("six", &major, &minor));
        assert_false(refusal_parse_release("", &major, &minor));
        assert_int_equal(major, 10);
}

/* ---- real obstacles, each in a child: its exit status tells what the probe found ---- */

static void in_child(void (*obstruct)(unsigned number, unsigned error), unsigned number, int error,
        enum refusal_call call, const char *expected)
{
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                struct refusal refusal = { .rings = 1 };

                obstruct(number, (unsigned)-error);
                if (probe_run(NULL, &refusal) != error)
                        _exit(1);
                if (refusal.call != call || refusal.error != error)
                        _exit(4);
                refusal_explain(&refusal, text);
                _exit(strstr(text, expected) ? 0 : 2);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

static void forbid_descriptors(unsigned number, unsigned error)
{
        struct rlimit none = {};

        (void)number;
        (void)error;
        if (setrlimit(RLIMIT_NOFILE, &none) < 0)
                _exit(3);
}

static void test_filters(void **state)
{
        static const struct {
                unsigned number;
                enum refusal_call call;
                const char *name;
        } calls[] = {
                { SYS_io_uring_setup, REFUSAL_CALL_SETUP, "io_uring_setup is forbidden" },
                { SYS_io_uring_enter, REFUSAL_CALL_ENTER, "io_uring_enter is forbidden" },
                { SYS_io_uring_register, REFUSAL_CALL_REGISTER, "io_uring_register is forbidden" },
        };
        static const int errors[] = { -EPERM, -EACCES, -ENOSYS };

        (void)state;
        for (unsigned i = 0; i < 3; i++) {
                for (unsigned j = 0; j < 3; j++)
                        in_child(forbid_by_seccomp, calls[i].number, errors[j], calls[i].call,
                                calls[i].name);
        }
}

/* As of a program that locks itself in once it runs. */
static void test_forbidden_later(void **state)
{
        int status;
        pid_t pid = fork();

        (void)state;
        assert_true(pid >= 0);
        if (pid == 0) {
                struct ring ring;

                if (ring_init(&ring, NULL) < 0 || ring_turn(&ring, 0) < 0)
                        _exit(1);
                forbid_by_seccomp(SYS_io_uring_enter, EPERM);
                if (ring_turn(&ring, 0) != -EPERM || ring.refused_call != REFUSAL_CALL_ENTER)
                        _exit(2);
                ring_deinit(&ring);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static void test_no_descriptors(void **state)
{
        (void)state;
        /* /proc cannot be read then either */
        in_child(forbid_descriptors, 0, -EMFILE, REFUSAL_CALL_OTHER, "RLIMIT_NOFILE");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_old_kernels),
                cmocka_unit_test(test_the_sysctl),
                cmocka_unit_test(test_filters_and_policies),
                cmocka_unit_test(test_absence),
                cmocka_unit_test(test_memory),
                cmocka_unit_test(test_the_rest),
                cmocka_unit_test(test_cause_and_remedy),
                cmocka_unit_test(test_arithmetic),
                cmocka_unit_test(test_releases),
                cmocka_unit_test(test_filters),
                cmocka_unit_test(test_forbidden_later),
                cmocka_unit_test(test_no_descriptors),
        };

        return cmocka_run_group_tests_name("core/refusal", tests, NULL, NULL);
}
