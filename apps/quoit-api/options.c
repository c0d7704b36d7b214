/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "../common/engine.h"
#include "../common/program.h"
#include "../common/values.h"
#include "named_limits.h"
#include "option.h"
#include "settings.h"

#define PORT 50051 /* the default */
#define RESTART_DRAIN_MS (3600 * 1000u)
#define PROBE_MS 5000

/* ---- what options do: kinds ---- */

static void *place_of(struct options *options, const struct option_value *value)
{
        return (char *)options + value->option->offset;
}

static void set_text(struct options *options, const struct option_value *value)
{
        *(const char **)place_of(options, value) = value->text;
}

static void set_number(struct options *options, const struct option_value *value)
{
        *(unsigned *)place_of(options, value) =
                value_number(value->what, value->text, value->option->min, value->option->max);
}

static void set_time(struct options *options, const struct option_value *value)
{
        *(unsigned *)place_of(options, value) =
                value_time(value->what, value->text, value->option->min);
}

static void set_port(struct options *options, const struct option_value *value)
{
        *(int *)place_of(options, value) = (int)value_number(value->what, value->text, 0, 65535);
}

static void set_switch(struct options *options, const struct option_value *value)
{
        *(bool *)place_of(options, value) = value->is_on;
}

/* "no-..." */
static void set_inverse(struct options *options, const struct option_value *value)
{
        *(bool *)place_of(options, value) = !value->is_on;
}

/* Which of @words, a list that ends with NULL, it is. @list has them for a message. */
static unsigned choose(const struct option_value *value, const char *const *words, const char *list)
{
        for (unsigned i = 0; words[i]; i++)
                if (strcmp(value->text, words[i]) == 0)
                        return i;
        program_usage_error("%s: '%s' is neither %s", value->what, value->text, list);
}

/* ---- what options do: single ones ---- */

static void add_address(struct options *options, const struct option_value *value)
{
        if (options->address_count == ADDRESSES_MAX)
                program_usage_error("%s: more than %d addresses", value->what, ADDRESSES_MAX);
        options->addresses[options->address_count++] = value->text;
}

static void add_cors_origin(struct options *options, const struct option_value *value)
{
        if (options->cors_origin_count == CORS_ORIGINS_MAX)
                program_usage_error("%s: more than %d origins", value->what, CORS_ORIGINS_MAX);
        options->cors_origins[options->cors_origin_count++] = value->text;
}

static void set_mode(struct options *options, const struct option_value *value)
{
        char *end;
        unsigned long mode = strtoul(value->text, &end, 8);

        if (*value->text < '0' || *value->text > '7' || *end || mode == 0 || mode > 0777)
                program_usage_error(
                        "%s: '%s' is not an octal mode from 1 to 777", value->what, value->text);
        options->unix_mode = (unsigned)mode;
}

static void set_engine(struct options *options, const struct option_value *value)
{
        options->engine = engine_parse(value->what, value->text);
}

static void add_file(const char **files, unsigned *count, const struct option_value *value)
{
        if (*count == CERTIFICATES_MAX)
                program_usage_error("%s: '%s' is one too many, %u can be had", value->what,
                        value->text, CERTIFICATES_MAX);
        files[(*count)++] = value->text;
}

static void add_certificate(struct options *options, const struct option_value *value)
{
        add_file(options->secure.certificate_files, &options->secure.certificate_count, value);
}

static void add_key(struct options *options, const struct option_value *value)
{
        add_file(options->secure.key_files, &options->secure.key_count, value);
}

static void set_tls_min(struct options *options, const struct option_value *value)
{
        static const char *const words[] = { "1.2", "1.3", NULL };
        static const quoit_tls_version versions[] = { QUOIT_TLS_VERSION_1_2,
                QUOIT_TLS_VERSION_1_3 };

        options->secure.tls.version_min = versions[choose(value, words, "1.2 nor 1.3")];
}

/* In bytes, from 1 MiB; "none" is SIZE_MAX. */
static void set_memory(struct options *options, const struct option_value *value)
{
        uint64_t bytes = SIZE_MAX;

        if (strcmp(value->text, "none") != 0 &&
                !value_parse_size(value->text, 1 << 20, INT64_MAX, &bytes))
                program_usage_error("%s: '%s' is not a size from 1M, for example 512M, 4G or none",
                        value->what, value->text);
        options->limits.memory_bytes_max = (size_t)bytes;
}

static void set_limit(struct options *options, const struct option_value *value)
{
        if (strcmp(value->text, "help") == 0)
                limits_print();
        limits_set(&options->limits, value->what, value->text);
}

static const char *const formats[] = { "text", "json", NULL };

static void set_access_log_format(struct options *options, const struct option_value *value)
{
        options->access_log_json = choose(value, formats, "text nor json") == 1;
}

/* These two hold for what is said of other options already. */
static void set_log_format(struct options *options, const struct option_value *value)
{
        (void)options;
        quoit_log_writer_set_json(program_log, choose(value, formats, "text nor json") == 1);
}

static void set_log_level(struct options *options, const struct option_value *value)
{
        static const char *const words[] = {
                [QUOIT_LOG_ERROR] = "error",
                [QUOIT_LOG_WARNING] = "warning",
                [QUOIT_LOG_INFO] = "info",
                [QUOIT_LOG_DEBUG] = "debug",
                [QUOIT_LOG_DEBUG + 1] = NULL,
        };

        (void)options;
        quoit_log_writer_set_level(program_log,
                (quoit_log_level)choose(value, words, "error, warning, info nor debug"));
}

/* Its text was used before: settings.c. */
static void set_nothing(struct options *options, const struct option_value *value)
{
        (void)options;
        (void)value;
}

static void print_help(struct options *options, const struct option_value *value)
{
        (void)options;
        (void)value;
        option_help();
}

static void print_version(struct options *options, const struct option_value *value)
{
        (void)options;
        (void)value;
        program_print_version();
}

/* ---- the table ---- */

#define AT(member) .offset = offsetof(struct options, member)

const struct option_entry option_table[] = {
        { .about = "Serves api.Api over gRPC: sayHello, getAll, getStream. SIGTERM or SIGINT stops "
                   "it "
                   "gracefully: running calls may finish; a second one cancels them." },
        { .about = "SIGUSR2 starts a new process from the same file with the same options, which "
                   "takes "
                   "over, and no call fails." },

        { .about = "Where, and by what, it serves:" },
        { "host", "HOST", "name or address to listen on; default: all addresses ($BACKEND_HOST)",
                set_text, AT(host), .variable = "BACKEND_HOST" },
        { "port", "PORT", "port, 0 takes a free one; default 50051 ($BACKEND_PORT)", set_port,
                AT(port), .variable = "BACKEND_PORT" },
        { "listen", "ADDRESS",
                "in place of these two, can be repeated: HOST:PORT, unix:PATH, unix-abstract:NAME, "
                "vsock:CID:PORT, fd:N, systemd, systemd:NAME",
                add_address, .kind = OPTION_LIST },
        { "admin", "ADDRESS",
                "listen there for operators alone: GET /healthz, /readyz, /metrics; as --listen",
                set_text, AT(admin) },
        { "unix-mode", "MODE", "mode of unix sockets that it makes, octal; default by the umask",
                .set = set_mode },
        { "rings", "N", "threads that serve, each with a ring; default 1", set_number, AT(rings), 1,
                1024 },
        { "engine", "NAME",
                "what the rings run on: io_uring, epoll, or auto; default auto: io_uring where it "
                "is "
                "available",
                .set = set_engine },
        { "http2-only", NULL, "do not speak HTTP/1.1, so neither to browsers nor to curl",
                set_switch, AT(http2_only) },
        { "workers", "N",
                "run the handlers on N threads of their own, where they can block; default 0: on "
                "the "
                "rings",
                set_number, AT(workers), 0, 4096 },

        { .about = "TLS, if there is a certificate; SIGHUP reads all its files again:" },
        { "tls-cert", "FILE",
                "certificate and the intermediate ones up to its root, PEM; can be repeated, each "
                "with its --tls-key: a client gets the one for the name that it asks for",
                add_certificate, .kind = OPTION_LIST },
        { "tls-key", "FILE", "its private key, PEM", add_key, .kind = OPTION_LIST },
        { "tls-port", "PORT",
                "listen for TLS on this port, and without TLS on --port; 0 takes a free one",
                set_port, AT(secure.port) },
        { "tls-client-ca", "FILE", "clients must show a certificate signed by one of these",
                set_text, AT(secure.tls.client_ca_file) },
        { "tls-client-optional", NULL, "they need not show one", set_switch,
                AT(secure.client_optional) },
        { "tls-min", "VERSION", "1.2 or 1.3; default 1.2", .set = set_tls_min },
        { "tls-ticket-key", "FILE", "80 secret bytes, to resume sessions across processes",
                set_text, AT(secure.tls.ticket_key_file) },
        { "tls-threads", "N", "threads for handshakes; default 1", set_number,
                AT(handshake_threads), 1, 4096 },

        { .about = "Plain HTTP, and pages of other sites:" },
        { "metrics", NULL, "/metrics where gRPC is served, not only at --admin", set_switch,
                AT(metrics) },
        { "cors-origin", "ORIGIN",
                "pages of ORIGIN may call: https://HOST, https://*.DOMAIN, or * for all; can be "
                "repeated; default: none may",
                add_cors_origin, .kind = OPTION_LIST },
        { "cors-credentials", NULL, "with their cookies", set_switch, AT(cors_credentials) },

        { .about = "Limits; a call above them is refused, with a time to retry after:" },
        { "max-connections", "N", "connections in all; default 65536", set_number,
                AT(limits.connections_max), 1, UINT32_MAX },
        { "max-connections-per-address", "N",
                "of an IPv4 address or an IPv6 /64; default: no other limit", set_number,
                AT(limits.connections_per_address_max), 1, UINT32_MAX },
        { "max-calls", "N", "calls at once, in all; default 262144", set_number,
                AT(limits.calls_max), 1, UINT32_MAX },
        { "max-memory", "SIZE",
                "that all calls hold together, for example 512M, or none; default: half of the "
                "container's or the machine's",
                .set = set_memory },
        { "limit", "NAME=VALUE",
                "any limit by its name, for example header_bytes_max=16K; can be repeated; --limit "
                "help lists them",
                set_limit, .kind = OPTION_PARTS },

        { .about = "The life of a connection; a TIME is a number of ms, s, m or h, for example "
                   "90s, "
                   "or never:" },
        { "keepalive", "TIME", "ping a client that was silent for this long; default 2h", set_time,
                AT(limits.keepalive_ms), 1 },
        { "keepalive-timeout", "TIME", "and close after this long without an answer; default 20s",
                set_time, AT(limits.keepalive_timeout_ms), 1 },
        { "ping-interval", "TIME", "a client that pings more often gets a strike; default 5m",
                set_time, AT(limits.ping_interval_min_ms), 1 },
        { "ping-interval-idle", "TIME", "the same, while it has no calls; default 2h", set_time,
                AT(limits.ping_interval_idle_min_ms), 1 },
        { "ping-strikes", "N", "more of them end it: GOAWAY too_many_pings; default 2", set_number,
                AT(limits.ping_strikes_max), 1, UINT32_MAX },
        { "max-connection-idle", "TIME",
                "end a connection without calls for this long; default never", set_time,
                AT(limits.connection_idle_ms), 1 },
        { "max-connection-age", "TIME",
                "end a connection of this age, plus or minus a tenth; default never", set_time,
                AT(limits.connection_age_ms), 1 },
        { "max-connection-age-grace", "TIME", "and cancel its calls after this long; default never",
                set_time, AT(limits.connection_age_grace_ms), 1 },

        { .about = "Stops and restarts:" },
        { "drain", "TIME", "how long calls may take to finish; default 30s", set_time,
                AT(limits.drain_ms), 1 },
        { "restart-drain", "TIME", "the same for the old process of a SIGUSR2; default 1h",
                set_time, AT(restart_drain_ms) },
        { "lame-duck", "TIME",
                "after SIGTERM, serve everything for this long while health reports NOT_SERVING; "
                "default 0",
                set_time, AT(lame_duck_ms) },
        { "reload", "PID", "only send SIGUSR2 to a quoit-api; fails if the restart fails",
                set_number, AT(reload_pid), 1, INT32_MAX, .is_action = true },

        { .about = "Probes: asks grpc.health.v1.Health whether it serves, and exits 0, or 1 and "
                   "says "
                   "why not. By default it asks the server that the same options, the same "
                   "environment and the same file make:" },
        { "health-check", NULL, "only ask", set_switch, AT(probe.is_wanted), .is_action = true },
        { "health-target", "TARGET", "whom to ask: HOST:PORT, unix:PATH", set_text,
                AT(probe.target) },
        { "health-service", "NAME", "of which service; default: of the whole server", set_text,
                AT(probe.service) },
        { "health-timeout", "TIME", "for the answer; default 5s", set_time, AT(probe.timeout_ms),
                1 },
        { "health-tls", NULL, "by TLS; where one of the following is given it need not be",
                set_switch, AT(probe.uses_tls) },
        { "health-tls-ca", "FILE",
                "authorities that sign the server's certificate; default: the system's", set_text,
                AT(probe.tls.ca_file) },
        { "health-tls-name", "NAME", "that the certificate must have; default: the target's host",
                set_text, AT(probe.tls.server_name) },
        { "health-tls-cert", "FILE", "certificate to show, for a server that wants one", set_text,
                AT(probe.tls.certificate_file) },
        { "health-tls-key", "FILE", "its private key", set_text, AT(probe.tls.key_file) },

        { .about = "The log, on standard error:" },
        { "log-level", "LEVEL",
                "error, warning, info or debug: what is less severe is left out; default debug",
                .set = set_log_level },
        { "log-format", "FORMAT", "text, or json: an object a line; default text",
                .set = set_log_format },

        { .about = "A line for each call, when it is over:" },
        { "access-log", "FILE",
                "append to FILE, or - for standard output; SIGHUP opens it again, for log rotation",
                set_text, AT(access_log) },
        { "access-log-format", "FORMAT", "text or json; default text",
                .set = set_access_log_format },

        { .about = "Spans of calls, by OTLP over gRPC; OpenTelemetry's variables say the rest, "
                   "such as "
                   "OTEL_SERVICE_NAME:" },
        { "otlp-endpoint", "URL",
                "a collector's, http://HOST:PORT or https://HOST:PORT; default: "
                "$OTEL_EXPORTER_OTLP_ENDPOINT, else no spans",
                set_text, AT(otlp_endpoint) },

        { .about = "Further services, on by default:" },
        { "no-health", NULL, "without grpc.health.v1.Health", set_inverse, AT(health) },
        { "no-channelz", NULL, "without grpc.channelz.v1.Channelz, which shows who is connected",
                set_inverse, AT(channelz) },
        { "no-reflection", NULL,
                "without grpc.reflection, which tools like grpcurl use to list services",
                set_inverse, AT(reflection) },

        { .about = "Options from elsewhere. The command line goes before the environment, and that "
                   "before the file. In the environment an option is QUOIT_API_ and its name in "
                   "capitals, with _ for -, as in QUOIT_API_MAX_CALLS=100, several values with "
                   "commas "
                   "between them; but BACKEND_HOST and BACKEND_PORT. A switch is true or false." },
        { "config", "FILE",
                "NAME VALUE or NAME=VALUE on each line, the names of these options without --; a "
                "line that begins with # is a comment",
                .set = set_nothing },

        { .about = "Others:" },
        { "help", NULL, "this text; or -h", print_help, .kind = OPTION_AT_ONCE, .is_action = true },
        { "version", NULL, "the version", print_version, .kind = OPTION_AT_ONCE,
                .is_action = true },
        { 0 },
};

/* ---- all together ---- */

/* Addresses of --listen take the place of --host and --port, if they are said at the same place or a later one. */
static void choose_addresses(void)
{
        enum place listen = settings_place("listen");
        enum place host = settings_place("host"), port = settings_place("port");
        enum place pair = host > port ? host : port;

        if (listen == PLACE_NONE)
                return;
        if (listen == pair && listen != PLACE_ENVIRONMENT)
                program_usage_error("--listen replaces --host and --port; remove them");
        if (listen < pair) {
                settings_forget("listen");
                return;
        }
        settings_forget("port");
        if (settings_place("tls-port") == PLACE_NONE)
                settings_forget("host");
}

static void check_tls(struct secure_options *secure)
{
        quoit_tls_options *tls = &secure->tls;

        if (secure->certificate_count != secure->key_count)
                program_usage_error("--tls-cert and --tls-key come in pairs, there are %u and %u",
                        secure->certificate_count, secure->key_count);
        if (secure->certificate_count == 0 &&
                (secure->port >= 0 || tls->client_ca_file || secure->client_optional ||
                        tls->version_min || tls->ticket_key_file))
                program_usage_error("TLS needs a certificate: give --tls-cert and --tls-key");
        if (!tls->client_ca_file && secure->client_optional)
                program_usage_error("--tls-client-optional needs a --tls-client-ca");
        if (tls->client_ca_file)
                tls->client_auth = secure->client_optional ? QUOIT_TLS_CLIENT_AUTH_REQUEST
                                                           : QUOIT_TLS_CLIENT_AUTH_REQUIRE;
}

void options_read(struct options *options, int argc, char **argv)
{
        *options = (struct options){
                .host = "",
                .port = PORT,
                .rings = 1,
                .secure.port = -1,
                .restart_drain_ms = RESTART_DRAIN_MS,
                .probe = { .service = "", .timeout_ms = PROBE_MS },
                .health = true,
                .reflection = true,
                .channelz = true,
        };
        settings_collect(argc, argv);
        settings_apply_first(options, "log-format");
        settings_apply_first(options, "log-level");
        choose_addresses();
        settings_apply(options);
        check_tls(&options->secure);
        if (options->cors_credentials && options->cors_origin_count == 0)
                program_usage_error("--cors-credentials needs a --cors-origin");
        if (options->access_log_json && !options->access_log)
                program_usage_error("--access-log-format needs an --access-log");
}
