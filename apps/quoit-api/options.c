/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <quoit/version.h>

#define USAGE_ERROR 2

static const char help[] =
        "usage: quoit-api [OPTION...]\n"
        "\n"
        "Serves api.Api over gRPC: sayHello, getAll, getStream. SIGTERM or SIGINT stops it "
        "gracefully:\n"
        "running calls may finish; a second one cancels them.\n"
        "\n"
        "  --host HOST     name or address to listen on; all addresses unless told "
        "($BACKEND_HOST)\n"
        "  --port PORT     port, 0 takes a free one; 50051 unless told ($BACKEND_PORT)\n"
        "  --rings N       threads that serve, each with an io_uring; 1 unless told\n"
        "  --workers N     run the handlers on N threads of their own, where they may block;\n"
        "                  0, unless told, runs them on the rings\n"
        "  --help, -h      this text\n"
        "  --version       the version\n";

static void __attribute__((format(printf, 1, 2), noreturn)) usage_error(const char *format, ...)
{
        va_list arguments;

        fputs("quoit-api: ", stderr);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fputs("; see quoit-api --help\n", stderr);
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

static const char *from_environment(const char *name, const char *otherwise)
{
        const char *value = getenv(name);

        return value && *value ? value : otherwise;
}

static void parse_option(struct options *options, int option, const char *program)
{
        switch (option) {
        case 'o':
                options->host = optarg;
                break;
        case 'p':
                options->port = parse_number("--port", optarg, 0, 65535);
                break;
        case 'r':
                options->rings = parse_number("--rings", optarg, 1, 1024);
                break;
        case 'w':
                options->workers = parse_number("--workers", optarg, 0, 4096);
                break;
        case 'h':
                fputs(help, stdout);
                exit(EXIT_SUCCESS);
        case 'V':
                printf("quoit-api %s\n", quoit_version());
                exit(EXIT_SUCCESS);
        case ':':
                usage_error("%s needs a value", program);
        default:
                usage_error("unknown option %s", program);
        }
}

void options_parse(struct options *options, int argc, char **argv)
{
        static const struct option known[] = {
                { "host", required_argument, NULL, 'o' },
                { "port", required_argument, NULL, 'p' },
                { "rings", required_argument, NULL, 'r' },
                { "workers", required_argument, NULL, 'w' },
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'V' },
                { 0 },
        };
        int option;

        *options = (struct options){
                .host = from_environment("BACKEND_HOST", ""),
                .port = parse_number(
                        "BACKEND_PORT", from_environment("BACKEND_PORT", "50051"), 0, 65535),
                .rings = 1,
        };
        while ((option = getopt_long(argc, argv, ":h", known, NULL)) != -1)
                parse_option(options, option, argv[optind - 1]);
        if (optind < argc)
                usage_error("'%s' is no option", argv[optind]);
}
