/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include "core/probe.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static char problem[PROBE_PROBLEM_BYTES_MAX];

static const char *message(int error, const char *kernel_release, int disabled)
{
        probe_message(error, kernel_release, disabled, 8192 * 1024, problem);
        assert_true(strlen(problem) > 0);
        assert_true(strlen(problem) + 1 < sizeof(problem)); /* not cut off */
        assert_null(strchr(problem, '\n'));
        return problem;
}

#define ASSERT_SAYS(text, words) assert_non_null(strstr((text), (words)))

static void test_messages_name_cause_and_remedy(void **state)
{
        (void)state;
        ASSERT_SAYS(message(-EINVAL, "5.15.0-91-generic", 0), "5.15.0-91-generic is too old");
        ASSERT_SAYS(problem, "6.1");
        ASSERT_SAYS(message(-ENOSYS, "4.19.0", -1), "too old");
        ASSERT_SAYS(message(-ENOSYS, "6.12.1", -1), "CONFIG_IO_URING");
        ASSERT_SAYS(message(-EPERM, "6.12.1", 2), "kernel.io_uring_disabled=0");
        ASSERT_SAYS(message(-EPERM, "6.12.1", 1), "kernel.io_uring_group");
        ASSERT_SAYS(message(-EPERM, "6.12.1", 0), "seccomp");
        ASSERT_SAYS(message(-EPERM, "6.1.0", -1), "seccomp");
        ASSERT_SAYS(message(-EACCES, "6.12.1", 0), "SELinux");
        ASSERT_SAYS(message(-ENOMEM, "6.12.1", 0), "8192 KiB");
        ASSERT_SAYS(problem, "RLIMIT_MEMLOCK");
        ASSERT_SAYS(message(-EMFILE, "6.12.1", 0), "RLIMIT_NOFILE");
        ASSERT_SAYS(message(-EINVAL, "6.12.1", 0), "Invalid argument");
        ASSERT_SAYS(message(-EINVAL, "garbage", 0), "garbage");
}

static void test_releases(void **state)
{
        unsigned major = 7, minor = 7;

        (void)state;
        assert_true(probe_parse_release("6.1.0-18-amd64", &major, &minor));
        assert_int_equal(major, 6);
        assert_int_equal(minor, 1);
        assert_true(probe_parse_release("10.20", &major, &minor));
        assert_int_equal(major, 10);
        assert_int_equal(minor, 20);
        assert_false(probe_parse_release("six", &major, &minor));
        assert_false(probe_parse_release("", &major, &minor));
        assert_int_equal(major, 10);
}

static void test_this_machine(void **state)
{
        struct probe_features features;

        (void)state;
        problem[0] = '\0';
        assert_int_equal(probe_run(&features, problem), 0);
        assert_string_equal(problem, "");
        assert_true(features.send_zc); /* in the floor already */
        assert_int_equal(probe_run(NULL, NULL), 0);
}

/* The real obstacles, each in a child: its exit status tells whether the probe found it. */
static void in_child(void (*obstruct)(void), int error, const char *words)
{
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                char text[PROBE_PROBLEM_BYTES_MAX] = "";

                obstruct();
                if (probe_run(NULL, text) != error)
                        _exit(1);
                _exit(strstr(text, words) ? 0 : 2);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

static void forbid_by_seccomp(void)
{
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { .len = 4, .filter = filter };

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
                _exit(3);
}

static void forbid_descriptors(void)
{
        struct rlimit none = {};

        if (setrlimit(RLIMIT_NOFILE, &none) < 0)
                _exit(3);
}

static void test_real_obstacles(void **state)
{
        (void)state;
        in_child(forbid_by_seccomp, -EPERM, "seccomp");
        in_child(forbid_descriptors, -EMFILE, "RLIMIT_NOFILE");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_messages_name_cause_and_remedy),
                cmocka_unit_test(test_releases),
                cmocka_unit_test(test_this_machine),
                cmocka_unit_test(test_real_obstacles),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
