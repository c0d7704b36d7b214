/* SPDX-License-Identifier: MIT */

/* Every allocation and every operation fails, the n-th alone and from the n-th on: ./dev sweep. See README. */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../memory.h"
#include "core/engine/sim.h"
#include "core/poison.h"
#include "libraries.h"
#include "scenarios.h"

#ifdef POISON_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

enum { EXIT_FOUND = 3, RUN_SECONDS_MAX = 60, LEAK_RUNS = 3 };

struct options {
        const char *name; /* of the only scenario; NULL: all of them */
        uint64_t
                runs_max; /* of a sweep: it strides, so that it has no more. 0: as many as there are */
        struct plan one; /* its `at` is not 0: this run alone */
};

static struct {
        unsigned scenarios;
        uint64_t counts[SIM_KINDS];
        uint64_t runs;
} totals;

static const struct scenario *current;

/* ---- when something is found ---- */

static void say_run(void)
{
        const struct plan *plan = plan_now();

        fflush(stdout);
        if (plan->at == 0)
                fprintf(stderr, "sweep: %s fails, with no fault\n", current->name);
        else
                fprintf(stderr, "sweep: see it again with: ./dev sweep %s %s %s %" PRIu64 "%s\n",
                        current->name, plan_side_name(plan->side), plan_kind_name(plan->kind),
                        plan->at, plan->goes_on ? " on" : "");
}

static void on_signal(int number)
{
        fprintf(stderr, "sweep: signal %d\n", number);
        say_run();
        _exit(EXIT_FOUND);
}

static void catch_signals(void)
{
        static unsigned char stack[64 << 10];
        static const int signals[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM };
        struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
        stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };

        sigaltstack(&own, NULL);
        for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
                sigaction(signals[i], &action, NULL);
#ifdef POISON_ASAN
        __sanitizer_set_death_callback(say_run);
#endif
}

/* ---- runs ---- */

static size_t run_once(const struct plan *plan)
{
        size_t before = memory_live();

        alarm(RUN_SECONDS_MAX);
        plan_begin(plan);
        stage_run(current);
        totals.runs++;
        return memory_live() - before;
}

/* What a library keeps for the next run is more only once. The program goes on, so that a sanitizer's report says what it is. */
static void run(const struct plan *plan)
{
        size_t left = run_once(plan);

        for (unsigned i = 1; i < LEAK_RUNS && (ssize_t)left > 0; i++)
                left = run_once(plan);
        if ((ssize_t)left <= 0)
                return;
        fprintf(stderr, "sweep: %zu blocks of memory were not given back\n", left);
        say_run();
        exit(EXIT_FOUND);
}

static uint64_t stride_of(uint64_t count, uint64_t runs_max)
{
        return runs_max == 0 || count <= runs_max ? 1 : (count + runs_max - 1) / runs_max;
}

/* Where it strides, each sweep begins elsewhere: so others are met by those that are alike. */
static void sweep(enum side side, enum sim_kind kind, uint64_t count, const struct options *options)
{
        uint64_t stride = stride_of(count, options->runs_max);
        uint64_t first = 1 + (uint64_t)(current - scenarios) % stride;

        for (uint64_t at = first; at <= count; at += stride) {
                run(&(struct plan){ side, kind, at, false, false });
                run(&(struct plan){ side, kind, at, true, false });
        }
        totals.counts[kind] += count;
}

/* A first run fills what libraries keep for the whole process; the second one counts. */
static void run_scenario(const struct options *options)
{
        uint64_t counts[SIDES][SIM_KINDS], runs = totals.runs;

        run(&(struct plan){ 0 });
        run(&(struct plan){ 0 });
        for (enum side side = SIDE_SERVER; side < SIDES; side++) {
                for (enum sim_kind kind = 0; kind < SIM_KINDS; kind++)
                        counts[side][kind] = plan_count(side, kind);
        }
        for (enum side side = SIDE_SERVER; side < SIDES; side++) {
                if (!current->sides[side])
                        continue;
                runs = totals.runs;
                for (enum sim_kind kind = 0; kind < SIM_KINDS; kind++)
                        sweep(side, kind, counts[side][kind], options);
                printf("sweep: %-16s %s  %5" PRIu64 " allocations  %4" PRIu64
                       " operations  %6" PRIu64 " runs\n",
                        current->name, plan_side_name(side), counts[side][SIM_ALLOCATION],
                        counts[side][SIM_OPERATION], totals.runs - runs);
                fflush(stdout);
        }
        totals.scenarios++;
}

static void run_all(const struct options *options)
{
        for (current = scenarios; current < scenarios + scenario_count; current++) {
                if (options->name && strcmp(options->name, current->name) != 0)
                        continue;
                if (options->one.at == 0) {
                        run_scenario(options);
                        continue;
                }
                run(&(struct plan){ 0 });
                sim.is_traced = true;
                run(&options->one);
        }
}

/* ---- the command line ---- */

static void usage(void)
{
        fputs("usage: sweep [--runs MAX] [SCENARIO [server|client allocation|operation N [on]]]\n"
              "scenarios:",
                stderr);
        for (unsigned i = 0; i < scenario_count; i++)
                fprintf(stderr, " %s", scenarios[i].name);
        fputc('\n', stderr);
        exit(EXIT_FAILURE);
}

static uint64_t number(const char *text)
{
        char *end;
        uint64_t value = text ? strtoull(text, &end, 10) : 0;

        if (!text || !*text || *end || value == 0)
                usage();
        return value;
}

static void parse_one(char **argv, struct plan *one)
{
        if (!argv[0] || !argv[1])
                usage();
        one->side = strcmp(argv[0], "server") == 0 ? SIDE_SERVER : SIDE_CLIENT;
        one->kind = strcmp(argv[1], "allocation") == 0 ? SIM_ALLOCATION : SIM_OPERATION;
        one->at = number(argv[2]);
        one->goes_on = argv[3] && strcmp(argv[3], "on") == 0;
        one->is_shown = true;
}

static void parse(char **argv, struct options *options)
{
        argv++;
        if (*argv && strcmp(*argv, "--runs") == 0) {
                options->runs_max = number(argv[1]);
                argv += 2;
        }
        if (!*argv)
                return;
        options->name = *argv++;
        if (*argv)
                parse_one(argv, &options->one);
}

int main(int argc, char **argv)
{
        struct options options = { 0 };

        (void)argc;
        libraries_begin();
        parse(argv, &options);
        stage_begin_program();
        catch_signals();
        run_all(&options);
        alarm(0);
        stage_end_program();
        if (totals.runs == 0)
                usage();
        if (totals.scenarios > 0)
                printf("sweep: %u scenarios, %" PRIu64 " allocations, %" PRIu64
                       " operations, %" PRIu64 " runs\n",
                        totals.scenarios, totals.counts[SIM_ALLOCATION],
                        totals.counts[SIM_OPERATION], totals.runs);
        return EXIT_SUCCESS;
}
