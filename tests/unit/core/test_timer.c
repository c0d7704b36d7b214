/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include "core/timer.h"

struct probe_timer {
        struct timer timer;
        struct timers *timers;
        uint64_t deadline_ns;
        uint64_t fired_ns;
        unsigned fired;
        struct timer *other;
};

static uint64_t now_ns; /* the tests' clock */

static void on_fire(struct timer *timer)
{
        struct probe_timer *probe = CONTAINER_OF(timer, struct probe_timer, timer);

        probe->fired++;
        probe->fired_ns = now_ns;
        assert_false(timer_is_running(timer));
}

static void on_fire_cancel_other(struct timer *timer)
{
        struct probe_timer *probe = CONTAINER_OF(timer, struct probe_timer, timer);

        on_fire(timer);
        timer_cancel(probe->timers, probe->other);
}

static void on_fire_restart(struct timer *timer)
{
        struct probe_timer *probe = CONTAINER_OF(timer, struct probe_timer, timer);

        on_fire(timer);
        timer_start(probe->timers, timer, probe->deadline_ns, on_fire_restart);
}

static struct timers *timers_at(uint64_t start_ns)
{
        struct timers *timers = malloc(sizeof(*timers));

        assert_non_null(timers);
        now_ns = start_ns;
        timers_init(timers, start_ns);
        return timers;
}

static void timers_done(struct timers *timers)
{
        timers_deinit(timers);
        free(timers);
}

static void expire_at(struct timers *timers, uint64_t time_ns)
{
        now_ns = time_ns;
        timers_expire(timers, time_ns);
}

static void test_fires_on_its_millisecond_not_before(void **state)
{
        struct timers *timers = timers_at(7 * SECOND + 123);
        struct probe_timer probe = {};

        (void)state;
        timer_init(&probe.timer);
        timer_start(timers, &probe.timer, now_ns + 50 * MS, on_fire);
        assert_true(timer_is_running(&probe.timer));
        expire_at(timers, 7 * SECOND + 50 * MS);
        assert_int_equal(probe.fired, 0);
        expire_at(timers, 7 * SECOND + 51 * MS);
        assert_int_equal(probe.fired, 1);
        expire_at(timers, 9 * SECOND);
        assert_int_equal(probe.fired, 1);
        timers_done(timers);
}

static void test_next_is_never_late(void **state)
{
        struct timers *timers = timers_at(SECOND);
        struct probe_timer probe = {};

        (void)state;
        assert_true(timers_next_ns(timers) == TIMER_NEVER);
        timer_init(&probe.timer);
        timer_start(timers, &probe.timer, SECOND + 3600 * SECOND, on_fire);
        /* Following its advice alone fires on time, in few steps. */
        for (unsigned steps = 0; probe.fired == 0; steps++) {
                assert_true(steps <= TIMER_LEVELS);
                expire_at(timers, timers_next_ns(timers));
        }
        assert_true(probe.fired_ns == SECOND + 3600 * SECOND);
        assert_true(timers_next_ns(timers) == TIMER_NEVER);
        timers_done(timers);
}

static void test_extreme_deadlines(void **state)
{
        struct timers *timers = timers_at(SECOND);
        struct probe_timer past = {}, never = {};

        (void)state;
        timer_init(&past.timer);
        timer_init(&never.timer);
        timer_start(timers, &past.timer, 0, on_fire);
        timer_start(timers, &never.timer, UINT64_MAX, on_fire);
        assert_true(timers_next_ns(timers) <= now_ns);
        expire_at(timers, SECOND);
        assert_int_equal(past.fired, 1);
        expire_at(timers, UINT64_MAX / 2);
        assert_int_equal(never.fired, 0);
        timer_cancel(timers, &never.timer);
        timers_done(timers);
}

static void test_callbacks_change_timers(void **state)
{
        struct timers *timers = timers_at(0);
        struct probe_timer first = { .timers = timers }, second = { .timers = timers };

        (void)state;
        timer_init(&first.timer);
        timer_init(&second.timer);
        first.other = &second.timer;
        timer_start(timers, &first.timer, 5 * MS, on_fire_cancel_other);
        timer_start(timers, &second.timer, 5 * MS, on_fire);
        expire_at(timers, 5 * MS);
        assert_int_equal(first.fired, 1);
        assert_int_equal(second.fired, 0);

        /* Restarting in the past must not keep timers_expire busy for ever. */
        first.deadline_ns = 1 * MS;
        timer_start(timers, &first.timer, 6 * MS, on_fire_restart);
        expire_at(timers, 10 * MS);
        assert_int_equal(first.fired, 2);
        expire_at(timers, 10 * MS);
        assert_int_equal(first.fired, 3);
        timer_cancel(timers, &first.timer);
        timer_cancel(timers, &first.timer);
        timers_done(timers);
}

/* Many timers with deadlines of all magnitudes, moved and cancelled at random, against the plain
 * definition. */
static void test_random_against_definition(void **state)
{
        enum { COUNT = 20000, ROUNDS = 2000 };
        struct timers *timers = timers_at(123456789);
        struct probe_timer *probes = calloc(COUNT, sizeof(*probes));
        unsigned seed = 1;

        (void)state;
        assert_non_null(probes);
        for (unsigned i = 0; i < COUNT; i++)
                timer_init(&probes[i].timer);
        for (unsigned round = 0; round < ROUNDS; round++) {
                for (unsigned n = 0; n < 100; n++) {
                        struct probe_timer *probe = &probes[(unsigned)rand_r(&seed) % COUNT];

                        if (rand_r(&seed) % 4 == 0) {
                                timer_cancel(timers, &probe->timer);
                                continue;
                        }
                        probe->fired = 0;
                        probe->deadline_ns = now_ns + (UINT64_C(1) << rand_r(&seed) % 40) +
                                             (unsigned)rand_r(&seed) % 1000;
                        timer_start(timers, &probe->timer, probe->deadline_ns, on_fire);
                }
                expire_at(timers, now_ns + (UINT64_C(1) << rand_r(&seed) % 34));
                assert_true(timers_next_ns(timers) > now_ns);
                for (unsigned i = 0; i < COUNT && round % 50 == 0; i++) {
                        if (timer_is_running(&probes[i].timer))
                                assert_true(probes[i].deadline_ns > now_ns - MS);
                        if (probes[i].fired)
                                assert_true(probes[i].fired_ns >= probes[i].deadline_ns);
                }
        }
        for (unsigned i = 0; i < COUNT; i++)
                timer_cancel(timers, &probes[i].timer);
        for (unsigned level = 0; level < TIMER_LEVELS; level++)
                assert_true(timers->occupied[level] == 0);
        free(probes);
        timers_done(timers);
}

static uint64_t order_last_ns;

static void on_fire_in_order(struct timer *timer)
{
        struct probe_timer *probe = CONTAINER_OF(timer, struct probe_timer, timer);

        assert_true(probe->deadline_ns >= order_last_ns);
        order_last_ns = probe->deadline_ns;
        probe->fired++;
}

static void test_one_long_gap_fires_in_order(void **state)
{
        enum { COUNT = 1000 };
        struct timers *timers = timers_at(0);
        struct probe_timer *probes = calloc(COUNT, sizeof(*probes));
        unsigned seed = 2;

        (void)state;
        assert_non_null(probes);
        order_last_ns = 0;
        for (unsigned i = 0; i < COUNT; i++) {
                probes[i].deadline_ns = (unsigned)rand_r(&seed) % 1000000 * MS;
                timer_init(&probes[i].timer);
                timer_start(timers, &probes[i].timer, probes[i].deadline_ns, on_fire_in_order);
        }
        expire_at(timers, 2000 * SECOND);
        for (unsigned i = 0; i < COUNT; i++)
                assert_int_equal(probes[i].fired, 1);
        free(probes);
        timers_done(timers);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fires_on_its_millisecond_not_before),
                cmocka_unit_test(test_next_is_never_late),
                cmocka_unit_test(test_extreme_deadlines),
                cmocka_unit_test(test_callbacks_change_timers),
                cmocka_unit_test(test_random_against_definition),
                cmocka_unit_test(test_one_long_gap_fires_in_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
