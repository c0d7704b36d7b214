/* SPDX-License-Identifier: MIT */
#include "bench/micro/measure.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/clock.h"

#define ROUNDS 15

static void __attribute__((noreturn)) usage_error(
        const char *program, const char *what, const char *problem)
{
        fprintf(stderr, "%s: %s%s; see %s --help\n", program, what, problem, program);
        exit(2);
}

static void __attribute__((noreturn)) help(const char *program, const char *what)
{
        printf("usage: %s [OPTION...]\n"
               "\n"
               "%s\n"
               "Prints CPU time an operation, medians of rounds that both sides run in turn.\n"
               "\n"
               "  --json         one JSON object a line: name, quoit, limit, unit, share\n"
               "  --rounds N     rounds of each side, 1 to %d; default %d\n"
               "  --only SIDE    quoit or limit: that one alone, for a profiler; prints nothing\n"
               "  --help         this text\n",
                program, what, MEASURE_ROUNDS_MAX, ROUNDS);
        exit(EXIT_SUCCESS);
}

static unsigned parse_rounds(const char *program, const char *text)
{
        char *end;
        unsigned long value = strtoul(text, &end, 10);

        if (end == text || *end || value < 1 || value > MEASURE_ROUNDS_MAX)
                usage_error(program, "--rounds: no number from 1 to 99: ", text);
        return (unsigned)value;
}

static enum measure_sides parse_side(const char *program, const char *text)
{
        if (strcmp(text, "quoit") == 0)
                return MEASURE_QUOIT;
        if (strcmp(text, "limit") == 0)
                return MEASURE_LIMIT;
        usage_error(program, "--only: neither quoit nor limit: ", text);
}

struct measure_options measure_parse(int argc, char **argv, const char *program, const char *what)
{
        static const struct option known[] = {
                { "json", no_argument, NULL, 'j' },
                { "rounds", required_argument, NULL, 'r' },
                { "only", required_argument, NULL, 'o' },
                { "help", no_argument, NULL, 'h' },
                { 0 },
        };
        struct measure_options options = { .rounds = ROUNDS };
        int option;

        while ((option = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
                switch (option) {
                case 'j':
                        options.json = true;
                        break;
                case 'r':
                        options.rounds = parse_rounds(program, optarg);
                        break;
                case 'o':
                        options.sides = parse_side(program, optarg);
                        break;
                case 'h':
                        help(program, what);
                case ':':
                        usage_error(program, argv[optind - 1], " needs a value");
                default:
                        usage_error(program, "unknown option ", argv[optind - 1]);
                }
        }
        if (optind < argc)
                usage_error(program, "no option: ", argv[optind]);
        return options;
}

uint64_t measure_cpu_ns(void)
{
        return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static int compare_doubles(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

static double median(double *values, unsigned count)
{
        qsort(values, count, sizeof(*values), compare_doubles);
        return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

void measure_compare(const struct measure_options *options, const char *name, measure_round *quoit,
        measure_round *limit, void *arg)
{
        double quoit_ns[MEASURE_ROUNDS_MAX], limit_ns[MEASURE_ROUNDS_MAX];
        double share;

        for (unsigned i = 0; i < options->rounds; i++) {
                if (options->sides != MEASURE_LIMIT)
                        quoit_ns[i] = quoit(arg);
                if (options->sides != MEASURE_QUOIT)
                        limit_ns[i] = limit(arg);
        }
        if (options->sides != MEASURE_BOTH)
                return;
        *quoit_ns = median(quoit_ns, options->rounds);
        *limit_ns = median(limit_ns, options->rounds);
        share = *limit_ns / *quoit_ns;
        if (options->json)
                printf("{\"name\": \"%s\", \"quoit\": %.1f, \"limit\": %.1f, \"unit\": \"ns\", "
                       "\"share\": %.3f}\n",
                        name, *quoit_ns, *limit_ns, share);
        else
                printf("%-32s quoit %10.1f ns   limit %10.1f ns   share %5.1f %%\n", name,
                        *quoit_ns, *limit_ns, 100 * share);
        fflush(stdout);
}
