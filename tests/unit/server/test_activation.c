/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/activation.h"

#include <errno.h>

static void set(const char *name, const char *value)
{
        if (value)
                setenv(name, value, 1);
        else
                unsetenv(name);
}

/* NULL for @pid: this process. */
static void pass(const char *pid, const char *count, const char *names)
{
        char own[16];

        snprintf(own, sizeof(own), "%d", getpid());
        set("LISTEN_PID", pid ? pid : own);
        set("LISTEN_FDS", count);
        set("LISTEN_FDNAMES", names);
}

static void test_all(void **state)
{
        int fds[4];

        (void)state;
        pass(NULL, "2", NULL);
        assert_int_equal(activation_fds(NULL, fds, 4), 2);
        assert_int_equal(fds[0], 3);
        assert_int_equal(fds[1], 4);
        assert_int_equal(activation_fds(NULL, fds, 2), 2);
        assert_int_equal(activation_fds(NULL, fds, 1), -E2BIG);
        assert_int_equal(activation_fds("unnamed", fds, 4), -ESRCH);
        assert_non_null(getenv("LISTEN_FDS"));
}

static void test_by_name(void **state)
{
        int fds[4];

        (void)state;
        pass(NULL, "4", "grpc:admin::grpc");
        assert_int_equal(activation_fds("grpc", fds, 4), 2);
        assert_int_equal(fds[0], 3);
        assert_int_equal(fds[1], 6);
        assert_int_equal(activation_fds("admin", fds, 4), 1);
        assert_int_equal(fds[0], 4);
        assert_int_equal(activation_fds("adm", fds, 4), -ESRCH);
        assert_int_equal(activation_fds("grpc", fds, 1), -E2BIG);
        pass(NULL, "4", "grpc"); /* fewer names than sockets */
        assert_int_equal(activation_fds("grpc", fds, 4), 1);
}

static void test_none(void **state)
{
        int fds[4] = { -7 };

        (void)state;
        pass(NULL, NULL, NULL);
        assert_int_equal(activation_fds(NULL, fds, 4), -ENOENT);
        pass(NULL, "0", NULL);
        assert_int_equal(activation_fds(NULL, fds, 4), -ENOENT);
        pass("1", "1", NULL); /* meant for another process, this one's parent */
        assert_int_equal(activation_fds(NULL, fds, 4), -ENOENT);
        unsetenv("LISTEN_PID");
        assert_int_equal(activation_fds(NULL, fds, 4), -ENOENT);
        assert_int_equal(fds[0], -7);
}

static void test_bad(void **state)
{
        static const char *const bad[] = { "", "x", "1x", "-1", " 1", "99999999999999999999",
                "2147483645" };
        int fds[4];

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                pass(NULL, bad[i], NULL);
                assert_int_equal(activation_fds(NULL, fds, 4), -EINVAL);
        }
        pass("me", "1", NULL);
        assert_int_equal(activation_fds(NULL, fds, 4), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all),
                cmocka_unit_test(test_by_name),
                cmocka_unit_test(test_none),
                cmocka_unit_test(test_bad),
        };

        return cmocka_run_group_tests_name("server/activation", tests, NULL, NULL);
}
