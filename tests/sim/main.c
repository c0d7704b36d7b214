/* SPDX-License-Identifier: MIT */

/* The simulator's program: ./dev sim. See tests/sim/README. */

#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/engine/sim.h"
#include "core/mapping.h"
#include "core/poison.h"
#include "run.h"
#include "secure.h"

#ifdef POISON_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

enum { EXIT_FOUND = 3, SEED_SECONDS_MAX = 120 };

int __real_clock_gettime(clockid_t clock, struct timespec *ret_time);

struct options {
        uint64_t first, count;
        double seconds;
        const char *list;
        bool prints_hashes;
};

static struct {
        uint64_t seeds, steps, hash;
        double began_s;
} totals;

/* The machine's, not the simulated one. */
static double now_s(void)
{
        struct timespec now;

        __real_clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- when something was found ---- */

static void say_seed(void)
{
        fflush(stdout);
        fprintf(stderr,
                "sim: seed %" PRIu64 " failed, at step %" PRIu64 ", after %" PRIu64
                " seeds\nsim: see it again with: ./dev sim --seed %" PRIu64 " --trace\n",
                sim.seed, sim.steps, totals.seeds, sim.seed);
}

static void on_signal(int number)
{
        fprintf(stderr, "sim: signal %d\n", number);
        say_seed();
        _exit(EXIT_FOUND);
}

/* ---- runs ---- */

static volatile sig_atomic_t stop_asked;

static void on_stop(int number)
{
        (void)number;
        stop_asked = true;
}

static void catch_signals(void)
{
        static unsigned char stack[64 << 10];
        static const int signals[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM };
        struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
        stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };

        sigaltstack(&own, NULL); /* a signal can mean that a fiber's stack is full */
        for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
                sigaction(signals[i], &action, NULL);
#ifdef POISON_ASAN
        __sanitizer_set_death_callback(say_seed);
#endif
        /* the summary is printed all the same */
        signal(SIGINT, on_stop);
        signal(SIGTERM, on_stop);
}

static void run_one(uint64_t seed, const struct options *options)
{
        alarm(SEED_SECONDS_MAX);
        run_seed(seed);
        totals.seeds++;
        totals.steps += sim.steps;
        totals.hash = (totals.hash ^ sim.hash) * UINT64_C(0x100000001b3);
        if (options->prints_hashes)
                printf("%" PRIu64 " %016" PRIx64 "\n", seed, sim.hash);
}

/* One seed a line; the rest of the line is for people. */
static int run_list(const struct options *options)
{
        FILE *file = fopen(options->list, "r");
        char line[512];

        if (!file) {
                perror(options->list);
                return EXIT_FAILURE;
        }
        while (fgets(line, sizeof(line), file))
                if (*line >= '0' && *line <= '9')
                        run_one(strtoull(line, NULL, 10), options);
        fclose(file);
        return EXIT_SUCCESS;
}

static void run_many(const struct options *options)
{
        double end_s = now_s() + options->seconds;

        for (uint64_t i = 0; i < options->count; i++) {
                if (stop_asked || (options->seconds > 0 && now_s() >= end_s))
                        return;
                run_one(options->first + i, options);
        }
}

static void report(const struct options *options)
{
        double took_s = now_s() - totals.began_s;
        uint64_t faults = 0;

        for (unsigned fault = 0; fault < SIM_FAULTS; fault++)
                faults += sim.counts[fault];
        if (!options->list)
                printf("sim: seeds %" PRIu64 " to %" PRIu64 "\n", options->first,
                        options->first + totals.seeds - 1);
        printf("sim: %" PRIu64 " seeds, %" PRIu64 " steps, %" PRIu64
               " faults injected, in %.1f s (%.0f seeds and %.0f steps a second), hash %016" PRIx64
               "\n",
                totals.seeds, totals.steps, faults, took_s, (double)totals.seeds / took_s,
                (double)totals.steps / took_s, totals.hash);
        for (unsigned fault = 0; fault < SIM_FAULTS; fault++)
                printf("sim: %12" PRIu64 "  %s\n", sim.counts[fault],
                        sim_fault_name((enum sim_fault)fault));
}

static void usage(void)
{
        fputs("usage: sim [SECONDS] [--seed N [--trace]] [--from N] [--count N] [--list FILE] "
              "[--hashes]\n",
                stderr);
        exit(EXIT_FAILURE);
}

static uint64_t number(const char *text)
{
        char *end;
        uint64_t value = text ? strtoull(text, &end, 10) : 0;

        if (!text || !*text || *end)
                usage();
        return value;
}

static void parse(char **argv, struct options *options)
{
        for (argv++; *argv; argv++) {
                if (strcmp(*argv, "--seed") == 0) {
                        options->first = number(*++argv);
                        options->count = 1;
                } else if (strcmp(*argv, "--from") == 0) {
                        options->first = number(*++argv);
                } else if (strcmp(*argv, "--count") == 0) {
                        options->count = number(*++argv);
                } else if (strcmp(*argv, "--list") == 0) {
                        options->list = *++argv;
                } else if (strcmp(*argv, "--hashes") == 0) {
                        options->prints_hashes = true;
                } else if (strcmp(*argv, "--trace") == 0) {
                        sim.is_traced = true;
                } else {
                        options->seconds = (double)number(*argv);
                }
        }
        if (options->seconds == 0 && options->count == UINT64_MAX && !options->list)
                options->seconds = 60;
}

int main(int argc, char **argv)
{
        /* other seeds each time: a failure is printed with its seed */
        struct options options = { .first = (uint64_t)time(NULL) * 1000000, .count = UINT64_MAX };
        int r = EXIT_SUCCESS;

        (void)argc;
        parse(argv, &options);
        catch_signals();
        /* a shard checks whether a mapping was ever made: so that the first run is like the others */
        mapping_free(mapping_new(MAPPING_PAGE_BYTES, MAPPING_PAGE_BYTES), MAPPING_PAGE_BYTES);
        secure_begin();
        totals.began_s = now_s();
        if (options.list)
                r = run_list(&options);
        else
                run_many(&options);
        report(&options);
        secure_end();
        return r;
}
