/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/version.h>

#include "../common/engine.h"
#include "../common/program.h"
#include "../common/values.h"
#include "named_limits.h"

#define PORT 50051 /* the default */
#define RESTART_DRAIN_MS (3600 * 1000u)

/* Options without a letter. */
enum {
        TLS_CERT = 256,
        TLS_KEY,
        TLS_PORT,
        TLS_CLIENT_CA,
        TLS_CLIENT_OPTIONAL,
        TLS_MIN,
        TLS_TICKET_KEY,
        TLS_THREADS,
        MAX_CONNECTIONS,
        MAX_CONNECTIONS_PER_ADDRESS,
        MAX_CALLS,
        MAX_MEMORY,
        LIMIT,
        KEEPALIVE,
        KEEPALIVE_TIMEOUT,
        PING_INTERVAL,
        PING_INTERVAL_IDLE,
        PING_STRIKES,
        MAX_CONNECTION_IDLE,
        MAX_CONNECTION_AGE,
        MAX_CONNECTION_AGE_GRACE,
        DRAIN,
        RESTART_DRAIN,
        LAME_DUCK,
        RELOAD,
};

static const char help[] =
        "usage: quoit-api [OPTION...]\n"
        "\n"
        "Serves api.Api over gRPC: sayHello, getAll, getStream. SIGTERM or SIGINT stops it "
        "gracefully:\n"
        "running calls may finish; a second one cancels them.\n"
        "\n"
        "SIGUSR2 starts a new process from the same file with the same options, which takes over, "
        "and no\n"
        "call fails.\n"
        "\n"
        "  --host HOST     name or address to listen on; default: all addresses ($BACKEND_HOST)\n"
        "  --port PORT     port, 0 takes a free one; default 50051 ($BACKEND_PORT)\n"
        "  --listen ADDRESS\n"
        "                  in place of these two, can be repeated: HOST:PORT, unix:PATH,\n"
        "                  unix-abstract:NAME, vsock:CID:PORT, fd:N, systemd, systemd:NAME\n"
        "  --unix-mode M   mode of unix sockets that it makes, octal; default by the umask\n"
        "  --rings N       threads that serve, each with a ring; default 1\n"
        "  --engine NAME   what the rings run on: io_uring, epoll, or auto; default auto: io_uring "
        "where\n"
        "                  it is available\n"
        "  --workers N     run the handlers on N threads of their own, where they can block;\n"
        "                  default 0: on the rings\n"
        "\n"
        "TLS, if there is a certificate; SIGHUP reads all its files again:\n"
        "  --tls-cert FILE        certificate and the intermediate ones up to its root, PEM; can "
        "be\n"
        "                         repeated, each with its --tls-key: a client gets the one for the "
        "name\n"
        "                         that it asks for\n"
        "  --tls-key FILE         its private key, PEM\n"
        "  --tls-port PORT        listen for TLS on this port, and without TLS on --port; 0 takes "
        "a free\n"
        "                         one\n"
        "  --tls-client-ca FILE   clients must show a certificate signed by one of these\n"
        "  --tls-client-optional  they need not show one\n"
        "  --tls-min VERSION      1.2 or 1.3; default 1.2\n"
        "  --tls-ticket-key FILE  80 secret bytes, to resume sessions across processes\n"
        "  --tls-threads N        threads for handshakes; default 1\n"
        "\n"
        "Limits; a call above them is refused, with a time to retry after:\n"
        "  --max-connections N              connections in all; default 65536\n"
        "  --max-connections-per-address N  of an IPv4 address or an IPv6 /64; default: no other "
        "limit\n"
        "  --max-calls N                    calls at once, in all; default 262144\n"
        "  --max-memory SIZE                that all calls hold together, for example 512M, or "
        "none;\n"
        "                                   default: half of the container's or the machine's\n"
        "  --limit NAME=VALUE               any limit by its name, for example "
        "header_bytes_max=16K;\n"
        "                                   can be repeated; --limit help lists them\n"
        "\n"
        "The life of a connection; a TIME is a number of ms, s, m or h, for example 90s, or "
        "never:\n"
        "  --keepalive TIME           ping a client that was silent for this long; default 2h\n"
        "  --keepalive-timeout TIME   and close after this long without an answer; default 20s\n"
        "  --ping-interval TIME       a client that pings more often gets a strike; default 5m\n"
        "  --ping-interval-idle TIME  the same, while it has no calls; default 2h\n"
        "  --ping-strikes N           more of them end it: GOAWAY too_many_pings; default 2\n"
        "  --max-connection-idle TIME end a connection without calls for this long; default never\n"
        "  --max-connection-age TIME  end a connection of this age, plus or minus a tenth; default "
        "never\n"
        "  --max-connection-age-grace TIME\n"
        "                             and cancel its calls after this long; default never\n"
        "\n"
        "Stops and restarts:\n"
        "  --drain TIME               how long calls may take to finish; default 30s\n"
        "  --restart-drain TIME       the same for the old process of a SIGUSR2; default 1h\n"
        "  --lame-duck TIME           after SIGTERM, serve everything for this long while health "
        "reports\n"
        "                             NOT_SERVING; default 0\n"
        "  --reload PID               only send SIGUSR2 to a quoit-api; fails if the restart "
        "fails\n"
        "\n"
        "A line for each call, when it is over:\n"
        "  --access-log FILE           append to FILE, or - for standard output; SIGHUP opens it "
        "again,\n"
        "                              for log rotation\n"
        "  --access-log-format FORMAT  text or json; default text\n"
        "\n"
        "Further services, on by default:\n"
        "  --no-health     without grpc.health.v1.Health\n"
        "  --no-channelz   without grpc.channelz.v1.Channelz, which shows who is connected\n"
        "  --no-reflection without grpc.reflection, which tools like grpcurl use to list services\n"
        "\n"
        "  --help, -h      this text\n"
        "  --version       the version\n";

static void __attribute__((noreturn)) print_version(void)
{
        char text[64];

        snprintf(text, sizeof(text), "quoit-api %s\n", quoit_version());
        program_print(text);
}

/* In bytes, from 1 MiB; "none" is SIZE_MAX. */
static size_t parse_memory(const char *what, const char *text)
{
        uint64_t bytes;

        if (strcmp(text, "none") == 0)
                return SIZE_MAX;
        if (!value_parse_size(text, 1 << 20, INT64_MAX, &bytes))
                program_usage_error(
                        "%s: '%s' is not a size from 1M, for example 512M, 4G or none", what, text);
        return (size_t)bytes;
}

/* @text must be @first or @second. True: @second. */
static bool parse_choice(const char *what, const char *text, const char *first, const char *second)
{
        if (strcmp(text, first) != 0 && strcmp(text, second) != 0)
                program_usage_error("%s: '%s' is neither %s nor %s", what, text, first, second);
        return strcmp(text, second) == 0;
}

static unsigned parse_mode(const char *what, const char *text)
{
        char *end;
        unsigned long mode = strtoul(text, &end, 8);

        if (*text < '0' || *text > '7' || *end || mode == 0 || mode > 0777)
                program_usage_error("%s: '%s' is not an octal mode from 1 to 777", what, text);
        return (unsigned)mode;
}

static void add_address(struct options *options, const char *address)
{
        if (options->address_count == ADDRESSES_MAX)
                program_usage_error("--listen: more than %d addresses", ADDRESSES_MAX);
        options->addresses[options->address_count++] = address;
}

/*
 * NULL: it is not set, or not for us. Kubernetes (for a Service called "backend") and Docker's links set
 * BACKEND_PORT=tcp://10.0.0.1:50051: that is the address of another service.
 */
static const char *from_environment(const char *name)
{
        const char *value = getenv(name);

        if (!value || !*value)
                return NULL;
        if (!strstr(value, "://"))
                return value;
        program_say(QUOIT_LOG_WARNING,
                "%s='%s' is ignored: it is the address of another service; use --host and --port "
                "to say where to listen",
                name, value);
        return NULL;
}

/* The command line overrides the environment; a variable that is not needed is not read. */
static void complete_host(struct options *options)
{
        bool is_used = options->address_count == 0 || options->secure.port >= 0;

        if (!options->host && is_used)
                options->host = from_environment("BACKEND_HOST");
        if (!options->host)
                options->host = "";
}

static void complete_port(struct options *options)
{
        const char *value = NULL;

        if (options->port >= 0)
                return;
        if (options->address_count == 0)
                value = from_environment("BACKEND_PORT");
        options->port = value ? (int)value_number("BACKEND_PORT", value, 0, 65535) : PORT;
}

static void add_file(const char **files, unsigned *count, const char *option, const char *file)
{
        if (*count == CERTIFICATES_MAX)
                program_usage_error(
                        "%s: '%s' is one too many, %u can be had", option, file, CERTIFICATES_MAX);
        files[(*count)++] = file;
}

/* Options of TLS; false: it is not one of them. */
static bool parse_tls_option(struct options *options, int option)
{
        struct secure_options *secure = &options->secure;

        switch (option) {
        case TLS_CERT:
                add_file(secure->certificate_files, &secure->certificate_count, "--tls-cert",
                        optarg);
                return true;
        case TLS_KEY:
                add_file(secure->key_files, &secure->key_count, "--tls-key", optarg);
                return true;
        case TLS_PORT:
                secure->port = (int)value_number("--tls-port", optarg, 0, 65535);
                return true;
        case TLS_CLIENT_CA:
                secure->tls.client_ca_file = optarg;
                return true;
        case TLS_CLIENT_OPTIONAL:
                secure->tls.client_auth = QUOIT_TLS_CLIENT_AUTH_REQUEST;
                return true;
        case TLS_MIN:
                secure->tls.version_min = parse_choice("--tls-min", optarg, "1.2", "1.3")
                                                  ? QUOIT_TLS_VERSION_1_3
                                                  : QUOIT_TLS_VERSION_1_2;
                return true;
        case TLS_TICKET_KEY:
                secure->tls.ticket_key_file = optarg;
                return true;
        case TLS_THREADS:
                options->handshake_threads = value_number("--tls-threads", optarg, 1, 4096);
                return true;
        default:
                return false;
        }
}

/* Checks combinations of options. */
static void check_tls(struct secure_options *secure)
{
        if (secure->certificate_count != secure->key_count)
                program_usage_error("--tls-cert and --tls-key come in pairs, there are %u and %u",
                        secure->certificate_count, secure->key_count);
        if (secure->certificate_count == 0 &&
                (secure->port >= 0 || secure->tls.client_ca_file || secure->tls.client_auth ||
                        secure->tls.version_min || secure->tls.ticket_key_file))
                program_usage_error("TLS needs a certificate: give --tls-cert and --tls-key");
        if (!secure->tls.client_ca_file && secure->tls.client_auth)
                program_usage_error("--tls-client-optional needs a --tls-client-ca");
        if (secure->tls.client_ca_file && !secure->tls.client_auth)
                secure->tls.client_auth = QUOIT_TLS_CLIENT_AUTH_REQUIRE;
}

/* Options that are a time. */
static bool parse_time_option(struct options *options, int option, const char *word)
{
        quoit_limits *limits = &options->limits;
        const struct {
                int option;
                unsigned *to;
                unsigned min;
        } times[] = {
                { KEEPALIVE, &limits->keepalive_ms, 1 },
                { KEEPALIVE_TIMEOUT, &limits->keepalive_timeout_ms, 1 },
                { PING_INTERVAL, &limits->ping_interval_min_ms, 1 },
                { PING_INTERVAL_IDLE, &limits->ping_interval_idle_min_ms, 1 },
                { MAX_CONNECTION_IDLE, &limits->connection_idle_ms, 1 },
                { MAX_CONNECTION_AGE, &limits->connection_age_ms, 1 },
                { MAX_CONNECTION_AGE_GRACE, &limits->connection_age_grace_ms, 1 },
                { DRAIN, &limits->drain_ms, 1 },
                { RESTART_DRAIN, &options->restart_drain_ms, 0 },
                { LAME_DUCK, &options->lame_duck_ms, 0 },
        };

        for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
                if (times[i].option == option) {
                        *times[i].to = value_time(word, optarg, times[i].min);
                        return true;
                }
        }
        return false;
}

static void parse_option(struct options *options, int option, const char *word)
{
        if (parse_tls_option(options, option) || parse_time_option(options, option, word))
                return;
        switch (option) {
        case 'o':
                options->host = optarg;
                break;
        case 'l':
                add_address(options, optarg);
                break;
        case 'm':
                options->unix_mode = parse_mode("--unix-mode", optarg);
                break;
        case 'p':
                options->port = (int)value_number("--port", optarg, 0, 65535);
                break;
        case 'r':
                options->rings = value_number("--rings", optarg, 1, 1024);
                break;
        case 'e':
                options->engine = engine_parse("--engine", optarg);
                break;
        case 'w':
                options->workers = value_number("--workers", optarg, 0, 4096);
                break;
        case MAX_CONNECTIONS:
                options->limits.connections_max =
                        value_number("--max-connections", optarg, 1, UINT32_MAX);
                break;
        case MAX_CONNECTIONS_PER_ADDRESS:
                options->limits.connections_per_address_max =
                        value_number("--max-connections-per-address", optarg, 1, UINT32_MAX);
                break;
        case MAX_CALLS:
                options->limits.calls_max = value_number("--max-calls", optarg, 1, UINT32_MAX);
                break;
        case MAX_MEMORY:
                options->limits.memory_bytes_max = parse_memory("--max-memory", optarg);
                break;
        case LIMIT:
                if (strcmp(optarg, "help") == 0)
                        limits_print();
                limits_set(&options->limits, "--limit", optarg);
                break;
        case PING_STRIKES:
                options->limits.ping_strikes_max =
                        value_number("--ping-strikes", optarg, 1, UINT32_MAX);
                break;
        case RELOAD:
                options->reload_pid = (int)value_number("--reload", optarg, 1, INT32_MAX);
                break;
        case 'a':
                options->access_log = optarg;
                break;
        case 'f':
                options->access_log_json =
                        parse_choice("--access-log-format", optarg, "text", "json");
                break;
        case 'H':
                options->health = false;
                break;
        case 'R':
                options->reflection = false;
                break;
        case 'Z':
                options->channelz = false;
                break;
        case 'h':
                program_print(help);
        case 'V':
                print_version();
        case ':':
                program_usage_error("%s needs a value", word);
        default:
                program_usage_error(
                        strchr(word, '=') && optopt ? "%s: it takes no value" : "unknown option %s",
                        word);
        }
}

void options_parse(struct options *options, int argc, char **argv)
{
        static const struct option known[] = {
                { "host", required_argument, NULL, 'o' },
                { "port", required_argument, NULL, 'p' },
                { "listen", required_argument, NULL, 'l' },
                { "unix-mode", required_argument, NULL, 'm' },
                { "rings", required_argument, NULL, 'r' },
                { "engine", required_argument, NULL, 'e' },
                { "workers", required_argument, NULL, 'w' },
                { "tls-cert", required_argument, NULL, TLS_CERT },
                { "tls-key", required_argument, NULL, TLS_KEY },
                { "tls-port", required_argument, NULL, TLS_PORT },
                { "tls-client-ca", required_argument, NULL, TLS_CLIENT_CA },
                { "tls-client-optional", no_argument, NULL, TLS_CLIENT_OPTIONAL },
                { "tls-min", required_argument, NULL, TLS_MIN },
                { "tls-ticket-key", required_argument, NULL, TLS_TICKET_KEY },
                { "tls-threads", required_argument, NULL, TLS_THREADS },
                { "max-connections", required_argument, NULL, MAX_CONNECTIONS },
                { "max-connections-per-address", required_argument, NULL,
                        MAX_CONNECTIONS_PER_ADDRESS },
                { "max-calls", required_argument, NULL, MAX_CALLS },
                { "max-memory", required_argument, NULL, MAX_MEMORY },
                { "limit", required_argument, NULL, LIMIT },
                { "keepalive", required_argument, NULL, KEEPALIVE },
                { "keepalive-timeout", required_argument, NULL, KEEPALIVE_TIMEOUT },
                { "ping-interval", required_argument, NULL, PING_INTERVAL },
                { "ping-interval-idle", required_argument, NULL, PING_INTERVAL_IDLE },
                { "ping-strikes", required_argument, NULL, PING_STRIKES },
                { "max-connection-idle", required_argument, NULL, MAX_CONNECTION_IDLE },
                { "max-connection-age", required_argument, NULL, MAX_CONNECTION_AGE },
                { "max-connection-age-grace", required_argument, NULL, MAX_CONNECTION_AGE_GRACE },
                { "drain", required_argument, NULL, DRAIN },
                { "restart-drain", required_argument, NULL, RESTART_DRAIN },
                { "lame-duck", required_argument, NULL, LAME_DUCK },
                { "reload", required_argument, NULL, RELOAD },
                { "access-log", required_argument, NULL, 'a' },
                { "access-log-format", required_argument, NULL, 'f' },
                { "no-health", no_argument, NULL, 'H' },
                { "no-channelz", no_argument, NULL, 'Z' },
                { "no-reflection", no_argument, NULL, 'R' },
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'V' },
                { 0 },
        };
        int option;

        *options = (struct options){
                .port = -1,
                .rings = 1,
                .secure.port = -1,
                .restart_drain_ms = RESTART_DRAIN_MS,
                .health = true,
                .reflection = true,
                .channelz = true,
        };
        /* "+": no reordering, so that the current word is known also within a cluster of options */
        for (int at = optind; (option = getopt_long(argc, argv, "+:h", known, NULL)) != -1;
                at = optind)
                parse_option(options, option, argv[at]);
        if (optind < argc)
                program_usage_error("unknown argument '%s'", argv[optind]);
        check_tls(&options->secure);
        if (options->access_log_json && !options->access_log)
                program_usage_error("--access-log-format needs an --access-log");
        if (options->address_count > 0 && (options->host || options->port >= 0))
                program_usage_error("--listen replaces --host and --port; remove them");
        complete_host(options);
        complete_port(options);
}
