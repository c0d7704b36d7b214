/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "link/complaints.h"

static void test_once_of_each(void **state)
{
        static const char what[2] = "";
        struct complaints complaints;
        int about[2];

        (void)state;
        complaints_init(&complaints);
        for (unsigned i = 0; i < 4; i++)
                assert_true(complaints_add(&complaints, about + i / 2, what + i % 2));
        for (unsigned i = 0; i < 4; i++)
                assert_false(complaints_add(&complaints, about + i / 2, what + i % 2));
        complaints_deinit(&complaints);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_once_of_each),
        };

        return cmocka_run_group_tests_name("server/complaints", tests, NULL, NULL);
}
