/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include "core/iovecs.h"

/* Whatever the steps, the bytes that are left are the ones not yet taken. */
static void test_every_split(void **state)
{
        char bytes[] = "0123456789";

        (void)state;
        for (size_t first = 0; first <= 10; first++) {
                for (size_t second = 0; first + second <= 10; second++) {
                        struct iovec array[] = { { bytes, 0 }, { bytes, 3 }, { bytes + 3, 0 },
                                { bytes + 3, 1 }, { bytes + 4, 6 }, { bytes + 10, 0 } };
                        struct iovec *iovecs = array;
                        char left[16] = "";
                        size_t count = 6, size = 0;

                        iovecs_advance(&iovecs, &count, first);
                        iovecs_advance(&iovecs, &count, second);
                        for (size_t i = 0; i < count; i++) {
                                memcpy(left + size, iovecs[i].iov_base, iovecs[i].iov_len);
                                size += iovecs[i].iov_len;
                        }
                        assert_string_equal(left, bytes + first + second);
                        assert_true(size > 0 ? iovecs[0].iov_len > 0 : count == 0);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_split),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
