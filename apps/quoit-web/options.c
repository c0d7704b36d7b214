/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/command_line.h"
#include "../common/engine.h"
#include "../common/host_port.h"
#include "../common/program.h"
#include "../common/values.h"
#include "headers.h"

#define PORT 5000
#define BACKEND_HOST "localhost"
#define BACKEND_PORT 50051
#define URL_MAX 256

static const char help[] =
        "usage: quoit-web [OPTION...]\n"
        "\n"
        "Serves a page for browsers that shows what api.Api answers: sayHello, getAll, getStream. "
        "It calls a\n"
        "backend, such as quoit-api, by gRPC. SIGTERM or SIGINT stops it gracefully.\n"
        "\n"
        "  --host HOST         name or address to listen on; default: all addresses "
        "($FRONTEND_HOST)\n"
        "  --port PORT         port, 0 takes a free one; default 5000 ($FRONTEND_PORT)\n"
        "  --listen ADDRESS    in place of these two, can be repeated: as quoit-api's\n"
        "  --tls-cert FILE     certificate and the intermediate ones up to its root, PEM: browsers "
        "use https\n"
        "  --tls-key FILE      its private key, PEM\n"
        "  --backend TARGET    the backend, HOST:PORT or any target of gRPC's; default\n"
        "                      $BACKEND_HOST:$BACKEND_PORT, else localhost:50051\n"
        "  --backend-ca FILE   call it with TLS; FILE has the authorities of its certificate, PEM\n"
        "  --backend-url URL   where browsers reach it themselves, for the page that does; "
        "default:\n"
        "                      the page's host with $BACKEND_PORT, else 50051 ($BACKEND_URL)\n"
        "  --rings N           threads that serve, each with a ring; default 1\n"
        "  --engine NAME       what the rings run on: io_uring, epoll, or auto; default auto: "
        "io_uring\n"
        "                      where it is available\n"
        "  --drain TIME        how long calls may take to finish at a stop, for example 5s; "
        "default "
        "30s\n"
        "\n"
        "  --help, -h          this text\n"
        "  --version           the version\n";

struct given {
        const char *host; /* NULL: not */
        int port; /* -1: not */
};

/* ---- the environment ---- */

/* NULL: it is not set, or empty. */
static const char *variable(const char *name)
{
        const char *text = getenv(name);

        return text && *text ? text : NULL;
}

static unsigned port_variable(const char *name, unsigned otherwise)
{
        const char *text = variable(name);

        return text && !host_port_is_foreign(text) ? value_number(name, text, 0, 65535) : otherwise;
}

static const char *either(const char *text, const char *otherwise)
{
        return text ? text : otherwise;
}

static const char *join(char text[HOST_PORT_BYTES], const char *host, unsigned port)
{
        if (!host_port_print(text, host, port))
                program_usage_error("'%s' is too long for a host", host);
        return text;
}

/* It becomes a part of the page's policy, so it must be an origin and no more. */
static void check_url(const char *url)
{
        const char *host = strncmp(url, "http://", strlen("http://")) == 0     ? url + 7
                           : strncmp(url, "https://", strlen("https://")) == 0 ? url + 8
                                                                               : "";

        if (!*host || strlen(url) > URL_MAX || host[strspn(host, HOST_CHARACTERS)])
                program_usage_error("--backend-url: '%s' is not http:// or https://, a host, and a "
                                    "port if need be",
                        url);
}

/* ---- the command line ---- */

static void add_address(struct options *options, const char *address)
{
        if (options->address_count == ADDRESSES_MAX)
                program_usage_error("--listen: more than %d addresses", ADDRESSES_MAX);
        options->addresses[options->address_count++] = address;
}

static void parse_option(struct options *options, struct given *given, int option)
{
        switch (option) {
        case 'o':
                given->host = optarg;
                break;
        case 'p':
                given->port = (int)value_number("--port", optarg, 0, 65535);
                break;
        case 'l':
                add_address(options, optarg);
                break;
        case 's':
                options->tls_cert = optarg;
                break;
        case 'k':
                options->tls_key = optarg;
                break;
        case 'b':
                options->backend = optarg;
                break;
        case 'c':
                options->backend_ca = optarg;
                break;
        case 'u':
                options->backend_url = optarg;
                break;
        case 'r':
                options->rings = value_number("--rings", optarg, 1, 1024);
                break;
        case 'e':
                options->engine = engine_parse("--engine", optarg);
                break;
        case 'd':
                options->drain_ms = value_time("--drain", optarg, 1);
                break;
        case 'h':
                program_print(help);
        case 'V':
                program_print_version();
        }
}

/* An address of --host and --port, where these are given. */
static void choose_address(struct options *options, const struct given *given)
{
        static char address[HOST_PORT_BYTES];
        const char *host = either(given->host, either(variable("FRONTEND_HOST"), ""));
        unsigned port = port_variable("FRONTEND_PORT", PORT);

        add_address(options, join(address, host, given->port < 0 ? port : (unsigned)given->port));
}

/* What the command line has left open. */
static void complete(struct options *options, const struct given *given)
{
        static char backend[HOST_PORT_BYTES];

        if (options->address_count > 0 && (given->host || given->port >= 0))
                program_usage_error("--listen replaces --host and --port; remove them");
        if (!options->tls_cert != !options->tls_key)
                program_usage_error("--tls-cert and --tls-key go together");
        if (options->address_count == 0)
                choose_address(options, given);
        options->backend_port = port_variable("BACKEND_PORT", BACKEND_PORT);
        if (!options->backend)
                options->backend = join(backend, either(variable("BACKEND_HOST"), BACKEND_HOST),
                        options->backend_port);
        options->backend_url = either(options->backend_url, variable("BACKEND_URL"));
        if (options->backend_url)
                check_url(options->backend_url);
}

void options_parse(struct options *options, int argc, char **argv)
{
        static const struct option known[] = {
                { "host", required_argument, NULL, 'o' },
                { "port", required_argument, NULL, 'p' },
                { "listen", required_argument, NULL, 'l' },
                { "tls-cert", required_argument, NULL, 's' },
                { "tls-key", required_argument, NULL, 'k' },
                { "backend", required_argument, NULL, 'b' },
                { "backend-ca", required_argument, NULL, 'c' },
                { "backend-url", required_argument, NULL, 'u' },
                { "rings", required_argument, NULL, 'r' },
                { "engine", required_argument, NULL, 'e' },
                { "drain", required_argument, NULL, 'd' },
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'V' },
                { 0 },
        };
        struct given given = { .port = -1 };
        int option;

        *options = (struct options){ .rings = 1 };
        while ((option = command_line_next(argc, argv, known, NULL)) != -1)
                parse_option(options, &given, option);
        complete(options, &given);
}
