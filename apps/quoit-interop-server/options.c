/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <stddef.h>

#include "../common/command_line.h"
#include "../common/engine.h"
#include "../common/program.h"
#include "../common/values.h"

static const char help[] =
        "usage: quoit-interop-server [OPTION...]\n"
        "\n"
        "Serves grpc.testing.TestService, for the interoperability clients of other gRPC "
        "implementations.\n"
        "SIGTERM or SIGINT stops it. Options are those of grpc's own servers, as --name=value\n"
        "or --name value.\n"
        "\n"
        "  --port PORT                on all addresses, 0 takes a free one; default 10000\n"
        "  --rings N                  threads that serve, each with a ring; default 1\n"
        "  --engine NAME              what the rings run on: io_uring, epoll, or auto; default "
        "auto:\n"
        "                             io_uring where it is available\n"
        "  --use_tls [BOOL]           true: TLS, with the two files below; default false\n"
        "  --tls_cert_file FILE       the server's certificate and the intermediate ones, PEM\n"
        "  --tls_key_file FILE        its private key, PEM\n"
        "  --tls_client_ca_file FILE  clients must show a certificate signed by this one, PEM\n"
        "  --help, -h                 this text\n";

static void parse_option(struct options *options, int option, int argc, char **argv)
{
        switch (option) {
        case 'p':
                options->port = (uint16_t)value_number("--port", optarg, 0, 65535);
                break;
        case 'r':
                options->rings = value_number("--rings", optarg, 1, 1024);
                break;
        case 'e':
                options->engine = engine_parse("--engine", optarg);
                break;
        case 't':
                options->use_tls = value_flag("--use_tls", argc, argv);
                break;
        case 'c':
                options->tls_cert_file = optarg;
                break;
        case 'k':
                options->tls_key_file = optarg;
                break;
        case 'a':
                options->tls_client_ca_file = optarg;
                break;
        case 'h':
                program_print(help);
        }
}

void options_parse(struct options *options, int argc, char **argv)
{
        static const struct option known[] = {
                { "port", required_argument, NULL, 'p' },
                { "rings", required_argument, NULL, 'r' },
                { "engine", required_argument, NULL, 'e' },
                { "use_tls", optional_argument, NULL, 't' },
                { "tls_cert_file", required_argument, NULL, 'c' },
                { "tls_key_file", required_argument, NULL, 'k' },
                { "tls_client_ca_file", required_argument, NULL, 'a' },
                { "help", no_argument, NULL, 'h' },
                { 0 },
        };
        int option;

        *options = (struct options){ .port = 10000, .rings = 1 };
        while ((option = command_line_next(argc, argv, known, NULL)) != -1)
                parse_option(options, option, argc, argv);
        if (options->use_tls && !(options->tls_cert_file && options->tls_key_file))
                program_usage_error("--use_tls needs --tls_cert_file and --tls_key_file");
}
