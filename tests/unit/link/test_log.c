/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "link/log.h"

#define S UINT64_C(1000000000)

/* How many of @count lines at @now_ns pass. */
static unsigned pass(struct log_gate *gate, unsigned count, uint64_t now_ns, uint64_t *ret_quiet)
{
        unsigned passed = 0;

        for (unsigned i = 0; i < count; i++) {
                uint64_t quiet;

                if (!log_gate_open(gate, 10, now_ns, &quiet))
                        continue;
                if (passed++ == 0)
                        *ret_quiet = quiet;
        }
        return passed;
}

static void test_rate(void **state)
{
        struct log_gate gate;
        uint64_t quiet = 0;

        (void)state;
        log_gate_init(&gate);
        assert_int_equal(pass(&gate, 1000, 5000 * S, &quiet), 100);
        assert_int_equal(quiet, 0);
        assert_int_equal(pass(&gate, 1000, 5000 * S, &quiet), 0);
        /* another ring's clock is a little behind */
        assert_int_equal(pass(&gate, 1000, 4999 * S, &quiet), 0);
        assert_int_equal(pass(&gate, 1000, 5001 * S, &quiet), 10);
        assert_int_equal(quiet, 900 + 1000 + 1000);
        /* at most ten seconds' worth is saved up */
        assert_int_equal(pass(&gate, 1000, 9000 * S, &quiet), 100);
        assert_int_equal(quiet, 990);
        log_gate_deinit(&gate);
}

struct heard {
        unsigned lines, details;
        char last[64];
};

static void on_log(void *user, quoit_log_level level, const char *line)
{
        struct heard *heard = user;

        heard->lines += level != QUOIT_LOG_DEBUG;
        heard->details += level == QUOIT_LOG_DEBUG;
        snprintf(heard->last, sizeof(heard->last), "%s", line);
}

static void say_to(struct log *log, quoit_log_level level, uint64_t now_ns, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        log_write_peer(log, level, now_ns, format, arguments);
        va_end(arguments);
}

/* Lines of what goes well do not use up the room of those that matter. */
static void test_details(void **state)
{
        struct heard heard = { 0 };
        struct log log;

        (void)state;
        log_init(&log, on_log, &heard, 10);
        for (unsigned i = 0; i < 1000; i++)
                say_to(&log, QUOIT_LOG_DEBUG, 5000 * S, "well %u", i);
        assert_int_equal(heard.details, 100);
        say_to(&log, QUOIT_LOG_WARNING, 5000 * S, "bad %d", 1);
        assert_int_equal(heard.lines, 1);
        assert_string_equal(heard.last, "bad 1");
        say_to(&log, QUOIT_LOG_DEBUG, 5001 * S, "well again");
        assert_int_equal(heard.details, 102); /* with how many were left out */
        log_deinit(&log);
}

static void test_silent(void **state)
{
        struct log log;

        (void)state;
        log_init(&log, NULL, NULL, 10);
        say_to(&log, QUOIT_LOG_ERROR, 5000 * S, "nobody hears it");
        log_deinit(&log);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rate),
                cmocka_unit_test(test_details),
                cmocka_unit_test(test_silent),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
