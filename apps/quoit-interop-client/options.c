/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <stdio.h>

#include "../common/command_line.h"
#include "../common/engine.h"
#include "../common/program.h"
#include "../common/values.h"
#include "talk.h"

#define MS_MAX (24 * 3600 * 1000)
#define COUNT_MAX 1000000000

static const char help[] =
        "usage: quoit-interop-client [OPTION...]\n"
        "\n"
        "Calls grpc.testing.TestService of another gRPC implementation, and checks what comes "
        "back.\n"
        "Options are those of grpc's own clients, as --name=value or --name value.\n"
        "\n"
        "  --server_host HOST         default localhost\n"
        "  --server_port PORT         default 10000\n"
        "  --server_host_override HOST\n"
        "                             what the server is called in :authority and in its "
        "certificate\n"
        "  --test_case NAME           one of those below; default large_unary\n"
        "  --use_tls [BOOL]           default false\n"
        "  --use_test_ca [BOOL]       true: trusts --ca_file in place of the system's "
        "authorities\n"
        "  --ca_file FILE             their certificates, PEM\n"
        "  --additional_metadata LIST sent with each call, as name:value;name:value\n"
        "  --engine NAME              io_uring, epoll, or auto; default auto: io_uring where it "
        "is\n"
        "                             available\n"
        "  --help, -h                 this text\n"
        "\n"
        "Of rpc_soak and channel_soak:\n"
        "\n"
        "  --soak_iterations N        default 10\n"
        "  --soak_max_failures N      iterations that may fail, or take too long; default 0\n"
        "  --soak_per_iteration_max_acceptable_latency_ms MS\n"
        "                             default 1000\n"
        "  --soak_overall_timeout_seconds S\n"
        "                             default 10\n"
        "  --soak_min_time_ms_between_rpcs MS\n"
        "                             default 0\n"
        "  --soak_request_size BYTES  default 271828\n"
        "  --soak_response_size BYTES default 314159\n"
        "\n"
        "Cases: cancel_after_begin, cancel_after_first_response, channel_soak, "
        "client_compressed_streaming,\n"
        "client_compressed_unary, client_streaming, custom_metadata, empty_stream, empty_unary, "
        "large_unary,\n"
        "pick_first_unary, ping_pong, rpc_soak, server_compressed_streaming, "
        "server_compressed_unary,\n"
        "server_streaming, special_status_message, status_code_and_message, "
        "timeout_on_sleeping_server,\n"
        "unimplemented_method, unimplemented_service. With a server that breaks HTTP/2 on "
        "purpose: goaway,\n"
        "max_streams, ping, rst_after_data, rst_after_header, rst_during_data.\n";

enum option_name {
        ADDITIONAL_METADATA = 256,
        CA_FILE,
        ENGINE,
        SERVER_HOST,
        SERVER_HOST_OVERRIDE,
        SERVER_PORT,
        SOAK_ITERATIONS,
        SOAK_LATENCY,
        SOAK_MAX_FAILURES,
        SOAK_MIN_TIME,
        SOAK_REQUEST_SIZE,
        SOAK_RESPONSE_SIZE,
        SOAK_TIMEOUT,
        TEST_CASE,
        USE_TEST_CA,
        USE_TLS,
};

static const struct option known[] = {
        { "additional_metadata", required_argument, NULL, ADDITIONAL_METADATA },
        { "ca_file", required_argument, NULL, CA_FILE },
        { "engine", required_argument, NULL, ENGINE },
        { "help", no_argument, NULL, 'h' },
        { "server_host", required_argument, NULL, SERVER_HOST },
        { "server_host_override", required_argument, NULL, SERVER_HOST_OVERRIDE },
        { "server_port", required_argument, NULL, SERVER_PORT },
        { "soak_iterations", required_argument, NULL, SOAK_ITERATIONS },
        { "soak_max_failures", required_argument, NULL, SOAK_MAX_FAILURES },
        { "soak_min_time_ms_between_rpcs", required_argument, NULL, SOAK_MIN_TIME },
        { "soak_overall_timeout_seconds", required_argument, NULL, SOAK_TIMEOUT },
        { "soak_per_iteration_max_acceptable_latency_ms", required_argument, NULL, SOAK_LATENCY },
        { "soak_request_size", required_argument, NULL, SOAK_REQUEST_SIZE },
        { "soak_response_size", required_argument, NULL, SOAK_RESPONSE_SIZE },
        { "test_case", required_argument, NULL, TEST_CASE },
        { "use_test_ca", optional_argument, NULL, USE_TEST_CA },
        { "use_tls", optional_argument, NULL, USE_TLS },
        { 0 },
};

/* True: it was one of these. */
static bool parse_soak_option(struct soak_options *soak, int option, const char *name)
{
        switch (option) {
        case SOAK_ITERATIONS:
                soak->iterations = value_number(name, optarg, 1, COUNT_MAX);
                return true;
        case SOAK_MAX_FAILURES:
                soak->failures_max = value_number(name, optarg, 0, COUNT_MAX);
                return true;
        case SOAK_LATENCY:
                soak->latency_ms_max = value_number(name, optarg, 0, MS_MAX);
                return true;
        case SOAK_TIMEOUT:
                soak->timeout_s = value_number(name, optarg, 1, MS_MAX / 1000);
                return true;
        case SOAK_MIN_TIME:
                soak->interval_ms = value_number(name, optarg, 0, MS_MAX);
                return true;
        case SOAK_REQUEST_SIZE:
                soak->request_bytes = value_number(name, optarg, 0, TALK_PAYLOAD_BYTES_MAX);
                return true;
        case SOAK_RESPONSE_SIZE:
                soak->reply_bytes = value_number(name, optarg, 0, TALK_PAYLOAD_BYTES_MAX);
                return true;
        default:
                return false;
        }
}

static void parse_option(
        struct options *options, int option, const char *name, int argc, char **argv)
{
        if (parse_soak_option(&options->soak, option, name))
                return;
        switch (option) {
        case ADDITIONAL_METADATA:
                options->additional_metadata = optarg;
                break;
        case CA_FILE:
                options->ca_file = optarg;
                break;
        case ENGINE:
                options->engine = engine_parse(name, optarg);
                break;
        case SERVER_HOST:
                options->host = optarg;
                break;
        case SERVER_HOST_OVERRIDE:
                options->host_override = *optarg ? optarg : NULL;
                break;
        case SERVER_PORT:
                options->port = (uint16_t)value_number(name, optarg, 1, 65535);
                break;
        case TEST_CASE:
                options->test_case = optarg;
                break;
        case USE_TEST_CA:
                options->use_test_ca = value_flag(name, argc, argv);
                break;
        case USE_TLS:
                options->use_tls = value_flag(name, argc, argv);
                break;
        case 'h':
                program_print(help);
        }
}

static void parse(struct options *options, int argc, char **argv)
{
        int index = 0, option;
        char name[64];

        while ((option = command_line_next(argc, argv, known, &index)) != -1) {
                snprintf(name, sizeof(name), "--%s", known[index].name);
                parse_option(options, option, name, argc, argv);
        }
}

void options_parse(struct options *options, int argc, char **argv)
{
        *options = (struct options){ .host = "localhost",
                .port = 10000,
                .test_case = "large_unary",
                .soak = { .iterations = 10,
                        .latency_ms_max = 1000,
                        .timeout_s = 10,
                        .request_bytes = 271828,
                        .reply_bytes = 314159 } };
        parse(options, argc, argv);
        if (options->use_test_ca && !options->ca_file)
                program_usage_error("--use_test_ca needs --ca_file");
}
