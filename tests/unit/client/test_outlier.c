/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/outlier.h"
#include "core/clock.h"

#define HOSTS 20

struct world {
        struct outlier_rules rules;
        struct outlier outliers[HOSTS];
        uint32_t count;
        uint64_t now_s;
        uint64_t chance; /* what is drawn next, and 1 more each time */
};

static struct world world_of(uint32_t count)
{
        struct world world = { .rules = outlier_defaults, .count = count, .now_s = 1000 };

        return world;
}

static uint64_t draw(void *user)
{
        return ((struct world *)user)->chance++;
}

static void look(struct world *world)
{
        struct outlier *outliers[HOSTS];

        for (uint32_t i = 0; i < world->count; i++)
                outliers[i] = world->outliers + i;
        outlier_look(&world->rules, outliers, world->count, world->now_s * NS_PER_S, draw, world);
        world->now_s += 10;
}

/* Calls of all hosts: the first @bad fail @failures of them. */
static void call(struct world *world, uint32_t calls, uint32_t bad, uint32_t failures)
{
        for (uint32_t i = 0; i < world->count; i++) {
                world->outliers[i].failed = i < bad ? failures : 0;
                world->outliers[i].succeeded = calls - world->outliers[i].failed;
        }
}

static uint32_t ejected(const struct world *world)
{
        uint32_t count = 0;

        for (uint32_t i = 0; i < world->count; i++)
                count += outlier_is_ejected(world->outliers + i);
        return count;
}

static uint32_t ejected_after(struct world world, uint32_t calls, uint32_t bad, uint32_t failures)
{
        call(&world, calls, bad, failures);
        look(&world);
        assert_int_equal(world.outliers[0].succeeded + world.outliers[0].failed, 0);
        assert_true(ejected(&world) == 0 || outlier_is_ejected(world.outliers));
        return ejected(&world);
}

/* Volume, hosts and threshold, each at its number and one off. */
static void test_failure_percentage(void **state)
{
        struct world five = world_of(5), four = world_of(4);

        (void)state;
        five.rules.success_rate.enforcement_percent = four.rules.success_rate.enforcement_percent =
                0;
        assert_int_equal(ejected_after(five, 50, 1, 50), 1);
        assert_int_equal(ejected_after(five, 49, 1, 49), 0);
        assert_int_equal(ejected_after(four, 50, 1, 50), 0);
        assert_int_equal(ejected_after(five, 100, 1, 86), 1);
        assert_int_equal(ejected_after(five, 100, 1, 85), 0);
}

/* One of n that fails share f of its calls is f (n - 1) / n below the mean, the deviation f sqrt(n - 1) / n: the ratio is sqrt(n - 1). */
static void test_success_rate(void **state)
{
        struct world world = world_of(6);

        (void)state;
        world.rules.failure_percentage.enforcement_percent = 0;
        assert_int_equal(ejected_after(world, 100, 1, 20), 1);
        assert_int_equal(ejected_after(world, 99, 1, 20), 0);
        assert_int_equal(ejected_after(world, 100, 0, 0), 0);
        world.rules.stdev_factor = 2300; /* sqrt(5) is 2.236 */
        assert_int_equal(ejected_after(world, 100, 1, 20), 0);
        world.rules.stdev_factor = 2200;
        assert_int_equal(ejected_after(world, 100, 1, 20), 1);
        world.rules.success_rate.hosts_min = 7;
        assert_int_equal(ejected_after(world, 100, 1, 20), 0);
}

/* A tenth of all at most, but one more while fewer are. */
static void test_most_ejected(void **state)
{
        struct world world = world_of(HOSTS);

        (void)state;
        world.rules.success_rate.enforcement_percent = 0;
        assert_int_equal(ejected_after(world, 100, 10, 100), 2);
        world.rules.ejected_percent_max = 11;
        assert_int_equal(ejected_after(world, 100, 10, 100), 3);
        world.rules.ejected_percent_max = 0;
        assert_int_equal(ejected_after(world, 100, 10, 100), 0);
        world.rules.ejected_percent_max = 100;
        assert_int_equal(ejected_after(world, 100, 20, 100), 20);
}

static void test_enforcement(void **state)
{
        struct world world = world_of(5);

        (void)state;
        world.rules.success_rate.enforcement_percent = 0;
        world.rules.failure_percentage.enforcement_percent = 30;
        world.chance = 129;
        assert_int_equal(ejected_after(world, 100, 1, 100), 1);
        world.chance = 130;
        assert_int_equal(ejected_after(world, 100, 1, 100), 0);
}

/* When the first host, ejected at @at_s, is back: how long after that. */
static uint64_t time_out(struct world *world)
{
        uint64_t at_s = world->now_s;

        call(world, 100, 1, 100);
        do
                look(world);
        while (outlier_is_ejected(world->outliers) && world->now_s < 100000);
        return world->now_s - 10 - at_s;
}

/* 30 s, 60 s, ... 300 s, as long as it happens again at once. */
static void test_times(void **state)
{
        struct world world = world_of(5);

        (void)state;
        for (uint64_t i = 1; i <= 12; i++)
                assert_int_equal(time_out(&world), i < 10 ? 30 * i : 300);
        world.rules.max_ns = NS_PER_S; /* never less than the base */
        assert_int_equal(time_out(&world), 30);
}

/* Each good interval takes one off. */
static void test_forgiven(void **state)
{
        struct world world = world_of(5);

        (void)state;
        for (uint64_t i = 1; i <= 3; i++)
                assert_int_equal(time_out(&world), 30 * i);
        look(&world);
        assert_int_equal(world.outliers[0].multiplier, 2);
        assert_int_equal(time_out(&world), 90);
        for (unsigned i = 0; i < 10; i++)
                look(&world);
        assert_int_equal(world.outliers[0].multiplier, 0);
        assert_int_equal(time_out(&world), 30);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_failure_percentage),
                cmocka_unit_test(test_success_rate),
                cmocka_unit_test(test_most_ejected),
                cmocka_unit_test(test_enforcement),
                cmocka_unit_test(test_times),
                cmocka_unit_test(test_forgiven),
        };

        return cmocka_run_group_tests_name("client/outlier", tests, NULL, NULL);
}
