/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define USAGE_ERROR 2

static const char help[] =
        "usage: quoit-interop-server [OPTION...]\n"
        "\n"
        "Serves grpc.testing.TestService, for the interoperability clients of other gRPCs.\n"
        "SIGTERM or SIGINT stops it. Options are those of grpc's own servers, as --name=value\n"
        "or --name value.\n"
        "\n"
        "  --port PORT     on all addresses, 0 takes a free one; 10000 unless told\n"
        "  --rings N       threads that serve, each with an io_uring; 1 unless told\n"
        "  --help, -h      this text\n";

static void __attribute__((format(printf, 1, 2), noreturn)) usage_error(const char *format, ...)
{
        va_list arguments;

        fputs("quoit-interop-server: ", stderr);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fputs("; see quoit-interop-server --help\n", stderr);
        exit(USAGE_ERROR);
}

static unsigned parse_number(const char *what, const char *text, unsigned min, unsigned max)
{
        unsigned long value;
        char *end;

        errno = 0;
        value = strtoul(text, &end, 10);
        if (*text < '0' || *text > '9' || *end || errno || value < min || value > max)
                usage_error("%s: '%s' is no number from %u to %u", what, text, min, max);
        return (unsigned)value;
}

void options_parse(struct options *options, int argc, char **argv)
{
        static const struct option known[] = {
                { "port", required_argument, NULL, 'p' },
                { "rings", required_argument, NULL, 'r' },
                { "help", no_argument, NULL, 'h' },
                { 0 },
        };
        int option;

        *options = (struct options){ .port = 10000, .rings = 1 };
        while ((option = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
                switch (option) {
                case 'p':
                        options->port = (uint16_t)parse_number("--port", optarg, 0, 65535);
                        break;
                case 'r':
                        options->rings = parse_number("--rings", optarg, 1, 1024);
                        break;
                case 'h':
                        fputs(help, stdout);
                        exit(EXIT_SUCCESS);
                case ':':
                        usage_error("%s needs a value", argv[optind - 1]);
                default:
                        usage_error("unknown option %s", argv[optind - 1]);
                }
        }
        if (optind < argc)
                usage_error("'%s' is no option", argv[optind]);
}
