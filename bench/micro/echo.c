/* SPDX-License-Identifier: MIT */

/*
 * micro-echo: Quoit's proactor beside epoll and io_uring used directly. Alone it runs the comparison;
 * --serve and --client are its two halves, which the bench uses as what TCP can do at best.
 */

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bench/micro/echo.h"
#include "bench/micro/measure.h"
#include "bench/number.h"

#define ROUNDS 5

static const char help[] =
        "usage: micro-echo [--json] [--rounds N]\n"
        "       micro-echo --serve epoll|uring|quoit PORT\n"
        "       micro-echo --client PORT --bytes N [--connections C] [--depth D] [--seconds S] "
        "[--json]\n"
        "\n"
        "TCP echo on 127.0.0.1. Alone: the server's CPU time a message on Quoit's proactor, beside "
        "plain\n"
        "epoll and a raw io_uring echo (multishot receive, buffers sent back without a copy).\n"
        "\n"
        "  --serve KIND     serve on PORT until killed\n"
        "  --client PORT    load such a server and print how much it echoed\n"
        "  --bytes N        of a message\n"
        "  --connections C  default 1\n"
        "  --depth D        messages under way on each connection; default 1\n"
        "  --seconds S      default 3\n"
        "  --json           one JSON object a line\n"
        "  --rounds N       of the comparison, 1 to 99; default 5\n"
        "  --help           this text\n";

static const struct echo_kind kinds[] = {
        { "epoll", echo_serve_epoll },
        { "uring", echo_serve_uring },
        { "quoit", echo_serve_quoit },
};

struct options {
        const struct echo_kind *serve; /* NULL: no server */
        bool is_client;
        bool json;
        unsigned rounds;
        struct echo_load load; /* of the client; its port is also the server's */
};

void echo_die(const char *what, int error)
{
        fprintf(stderr, "micro-echo: %s: %s\n", what, strerror(error < 0 ? -error : error));
        exit(EXIT_FAILURE);
}

int echo_listen(uint16_t port, uint16_t *ret_port)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        socklen_t size = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int one = 1;

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0 ||
                bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 4096) < 0 ||
                getsockname(fd, (struct sockaddr *)&address, &size) < 0)
                echo_die("listen", errno);
        *ret_port = ntohs(address.sin_port);
        return fd;
}

/* ---- the halves ---- */

static void __attribute__((noreturn)) serve(const struct options *options)
{
        uint16_t port;
        int fd = echo_listen(options->load.port, &port);

        options->serve->serve(fd);
}

static void run_client(const struct options *options)
{
        const struct echo_load *load = &options->load;
        struct echo_result result = echo_run_client(load, NULL, NULL);
        double rate = (double)result.messages / result.seconds;
        double bytes_rate = rate * (double)load->message_bytes;

        if (options->json)
                printf("{\"messages\": %llu, \"seconds\": %.6f, \"messages_per_second\": %.1f, "
                       "\"bytes_per_second\": %.0f, \"cpu_seconds\": %.6f}\n",
                        (unsigned long long)result.messages, result.seconds, rate, bytes_rate,
                        result.cpu_seconds);
        else
                printf("%.1f messages a second, %.1f MB/s each way, %.0f %% of a core\n", rate,
                        bytes_rate / 1e6, 100 * result.cpu_seconds / result.seconds);
}

/* ---- options ---- */

static void __attribute__((noreturn)) usage_error(const char *what, const char *problem)
{
        fprintf(stderr, "micro-echo: %s%s; see micro-echo --help\n", what, problem);
        exit(2);
}

static unsigned long parse_number(const char *what, const char *text, unsigned long max)
{
        uint64_t value;

        if (!number_parse(text, 1, max, &value)) {
                fprintf(stderr, "micro-echo: %s: '%s' is not a number from 1 to %lu\n", what, text,
                        max);
                exit(2);
        }
        return value;
}

static double parse_seconds(const char *text)
{
        char *end;
        double value = strtod(text, &end);

        if (end == text || *end || !(value > 0 && value <= 3600))
                usage_error("--seconds: above 0, up to 3600, not ", text);
        return value;
}

static const struct echo_kind *parse_kind(const char *text)
{
        for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
                if (strcmp(text, kinds[i].name) == 0)
                        return kinds + i;
        }
        usage_error("--serve: neither epoll, uring nor quoit: ", text);
}

static void parse_option(struct options *options, int option, const char *program)
{
        struct echo_load *load = &options->load;

        switch (option) {
        case 's':
                options->serve = parse_kind(optarg);
                break;
        case 'c':
                options->is_client = true;
                load->port = (uint16_t)parse_number("--client", optarg, UINT16_MAX);
                break;
        case 'b':
                load->message_bytes = parse_number("--bytes", optarg, 1ul << 30);
                break;
        case 'n':
                load->connections = (unsigned)parse_number("--connections", optarg, 10000);
                break;
        case 'd':
                load->depth = (unsigned)parse_number("--depth", optarg, 1000000);
                break;
        case 't':
                load->seconds = parse_seconds(optarg);
                break;
        case 'j':
                options->json = true;
                break;
        case 'r':
                options->rounds = (unsigned)parse_number("--rounds", optarg, MEASURE_ROUNDS_MAX);
                break;
        case 'h':
                fputs(help, stdout);
                exit(EXIT_SUCCESS);
        case ':':
                usage_error(program, " needs a value");
        default:
                usage_error("unknown option ", program);
        }
}

static struct options parse(int argc, char **argv)
{
        static const struct option known[] = {
                { "serve", required_argument, NULL, 's' },
                { "client", required_argument, NULL, 'c' },
                { "bytes", required_argument, NULL, 'b' },
                { "connections", required_argument, NULL, 'n' },
                { "depth", required_argument, NULL, 'd' },
                { "seconds", required_argument, NULL, 't' },
                { "json", no_argument, NULL, 'j' },
                { "rounds", required_argument, NULL, 'r' },
                { "help", no_argument, NULL, 'h' },
                { 0 },
        };
        struct options options = {
                .rounds = ROUNDS,
                .load = { .connections = 1, .depth = 1, .seconds = 3 },
        };
        int option;

        while ((option = getopt_long(argc, argv, ":h", known, NULL)) != -1)
                parse_option(&options, option, argv[optind - 1]);
        if (options.serve && optind == argc)
                usage_error("--serve needs a port", "");
        if (options.serve)
                options.load.port = (uint16_t)parse_number("PORT", argv[optind++], UINT16_MAX);
        if (optind < argc)
                usage_error("no option: ", argv[optind]);
        if (options.is_client && options.load.message_bytes == 0)
                usage_error("--client needs --bytes", "");
        return options;
}

int main(int argc, char **argv)
{
        struct options options = parse(argc, argv);

        if (options.serve)
                serve(&options);
        if (options.is_client)
                run_client(&options);
        else
                echo_compare(&(struct measure_options){
                        .json = options.json, .rounds = options.rounds });
        return 0;
}
