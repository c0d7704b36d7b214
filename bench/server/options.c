/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/number.h"

#define USAGE_ERROR 2

static const char help[] =
        "usage: quoit-bench-server --port PORT [OPTION...]\n"
        "\n"
        "Serves api.Api and bench.Bench over gRPC on 127.0.0.1, for the bench. SIGTERM or SIGINT\n"
        "stops it gracefully.\n"
        "\n"
        "  --port PORT     port, 0 takes a free one\n"
        "  --rings N       threads that serve, each with a ring; default 1\n"
        "  --engine NAME   what the rings run on: io_uring or epoll; default io_uring\n"
        "  --help, -h      this text\n";

static void __attribute__((noreturn)) usage_error(const char *what, const char *problem)
{
        fprintf(stderr, "quoit-bench-server: %s %s; see quoit-bench-server --help\n", what,
                problem);
        exit(USAGE_ERROR);
}

static unsigned parse_number(const char *name, const char *text, unsigned min, unsigned max)
{
        char problem[128];
        uint64_t value;

        if (number_parse(text, min, max, &value))
                return (unsigned)value;
        snprintf(
                problem, sizeof(problem), "wants a number from %u to %u, not '%s'", min, max, text);
        usage_error(name, problem);
}

/* Never auto: the measured engine must be the requested one. */
static quoit_engine parse_engine(const char *text)
{
        if (strcmp(text, "io_uring") == 0)
                return QUOIT_ENGINE_IO_URING;
        if (strcmp(text, "epoll") == 0)
                return QUOIT_ENGINE_EPOLL;
        usage_error("--engine", "wants io_uring or epoll");
}

static void parse_option(struct options *options, int option, const char *word)
{
        switch (option) {
        case 'p':
                options->port = parse_number("--port", optarg, 0, 65535);
                break;
        case 'r':
                options->rings = parse_number("--rings", optarg, 1, 1024);
                break;
        case 'e':
                options->engine = parse_engine(optarg);
                break;
        case 'h':
                fputs(help, stdout);
                exit(EXIT_SUCCESS);
        case ':':
                usage_error(word, "needs a value");
        default:
                usage_error(word, "is not an option");
        }
}

void options_parse(struct options *options, int argc, char **argv)
{
        static const struct option known[] = {
                { "port", required_argument, NULL, 'p' },
                { "rings", required_argument, NULL, 'r' },
                { "engine", required_argument, NULL, 'e' },
                { "help", no_argument, NULL, 'h' },
                { 0 },
        };
        const unsigned none = 65536;
        int option;

        *options = (struct options){ .port = none, .rings = 1, .engine = QUOIT_ENGINE_IO_URING };
        /* "+": words in their order, so that the one at hand is known also within a cluster */
        for (int at = optind; (option = getopt_long(argc, argv, "+:h", known, NULL)) != -1;
                at = optind)
                parse_option(options, option, argv[at]);
        if (optind < argc)
                usage_error(argv[optind], "is not an option");
        if (options->port == none)
                usage_error("--port", "is missing");
}
