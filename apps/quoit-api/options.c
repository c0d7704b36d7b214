/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "../common/log_options.h"
#include "../common/option_kinds.h"
#include "../common/program.h"
#include "../common/settings.h"
#include "../common/values.h"
#include "named_limits.h"

#define PORT 50051 /* the default */
#define RESTART_DRAIN_MS (3600 * 1000u)

/* ---- what single options do ---- */

static void set_mode(struct options *options, const struct option_value *value)
{
        char *end;
        unsigned long mode = strtoul(value->text, &end, 8);

        if (*value->text < '0' || *value->text > '7' || *end || mode == 0 || mode > 0777)
                program_usage_error(
                        "%s: '%s' is not an octal mode from 1 to 777", value->what, value->text);
        options->unix_mode = (unsigned)mode;
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

/* ---- the table ---- */

#define AT(member) .offset = offsetof(struct options, member)

/* Where, and by what, it serves. */
static const struct option_entry serving[] = {
        { .about = "Serves api.Api over gRPC: sayHello, getAll, getStream. SIGTERM or SIGINT stops "
                   "it "
                   "gracefully: running calls may finish; a second one cancels them." },
        { .about = "SIGUSR2 starts a new process from the same file with the same options, which "
                   "takes "
                   "over, and no call fails." },

        { .about = "Where, and by what, it serves:" },
        { "host", "HOST", "name or address to listen on; default: all addresses ($BACKEND_HOST)",
                option_set_text, AT(host), .variable = "BACKEND_HOST", .may_be_foreign = true },
        { "port", "PORT", "port, 0 takes a free one; default 50051 ($BACKEND_PORT)",
                option_set_port, AT(port), .variable = "BACKEND_PORT", .may_be_foreign = true },
        { "listen", "ADDRESS",
                "in place of these two, can be repeated: HOST:PORT, unix:PATH, unix-abstract:NAME, "
                "vsock:CID:PORT, fd:N, systemd, systemd:NAME",
                option_add_text, AT(addresses), .max = ADDRESSES_MAX, .kind = OPTION_LIST },
        { "unix-mode", "MODE", "mode of unix sockets that it makes, octal; default by the umask",
                .set = set_mode },
        { "rings", "N", "threads that serve, each with a ring; default 1", option_set_number,
                AT(rings), 1, 1024 },
        { "engine", "NAME",
                "what the rings run on: io_uring, epoll, or auto; default auto: io_uring where it "
                "is "
                "available",
                option_set_engine, AT(engine) },
        { "http2-only", NULL,
                "do not speak HTTP/1.1, so neither to browsers nor to curl, but at --admin",
                option_set_switch, AT(http2_only) },
        { "workers", "N",
                "run the handlers on N threads of their own, where they can block; default 0: on "
                "the "
                "rings",
                option_set_number, AT(workers), 0, 4096 },

        { 0 },
};

static const struct option_entry beside_tls[] = {
        { "tls-port", "PORT",
                "listen for TLS on this port, and without TLS on --port; 0 takes a free one",
                option_set_port, AT(tls_port) },
        { "tls-threads", "N", "threads for handshakes; default 1", option_set_number,
                AT(handshake_threads), 1, 4096 },
        { 0 },
};

static const struct option_entry calls[] = {
        { .about = "Pages of other sites:" },
        { "cors-origin", "ORIGIN",
                "pages of ORIGIN may call: https://HOST, https://*.DOMAIN, or * for all; can be "
                "repeated; default: none may",
                option_add_text, AT(cors_origins), .kind = OPTION_LIST },
        { "cors-credentials", NULL, "with their cookies", option_set_switch, AT(cors_credentials) },

        { .about = "Limits; a call above them is refused, with a time to retry after:" },
        { "max-connections", "N", "connections in all; default 65536", option_set_number,
                AT(limits.connections_max), 1, UINT32_MAX },
        { "max-connections-per-address", "N",
                "of an IPv4 address or an IPv6 /64; default: no other limit", option_set_number,
                AT(limits.connections_per_address_max), 1, UINT32_MAX },
        { "max-calls", "N", "calls at once, in all; default 262144", option_set_number,
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
        { "keepalive", "TIME", "ping a client that was silent for this long; default 2h",
                option_set_time, AT(limits.keepalive_ms), 1 },
        { "keepalive-timeout", "TIME", "and close after this long without an answer; default 20s",
                option_set_time, AT(limits.keepalive_timeout_ms), 1 },
        { "ping-interval", "TIME", "a client that pings more often gets a strike; default 5m",
                option_set_time, AT(limits.ping_interval_min_ms), 1 },
        { "ping-interval-idle", "TIME", "the same, while it has no calls; default 2h",
                option_set_time, AT(limits.ping_interval_idle_min_ms), 1 },
        { "ping-strikes", "N", "more of them end it: GOAWAY too_many_pings; default 2",
                option_set_number, AT(limits.ping_strikes_max), 1, UINT32_MAX },
        { "max-connection-idle", "TIME",
                "end a connection without calls for this long; default never", option_set_time,
                AT(limits.connection_idle_ms), 1 },
        { "max-connection-age", "TIME",
                "end a connection of this age, plus or minus a tenth; default never",
                option_set_time, AT(limits.connection_age_ms), 1 },
        { "max-connection-age-grace", "TIME", "and cancel its calls after this long; default never",
                option_set_time, AT(limits.connection_age_grace_ms), 1 },

        { .about = "Stops and restarts:" },
        { "drain", "TIME", "how long calls may take to finish; default 30s", option_set_time,
                AT(limits.drain_ms), 1 },
        { "restart-drain", "TIME", "the same for the old process of a SIGUSR2; default 1h",
                option_set_time, AT(restart_drain_ms) },
        { "lame-duck", "TIME",
                "after SIGTERM, serve everything for this long while health reports NOT_SERVING; "
                "default 0",
                option_set_time, AT(lame_duck_ms) },
        { "reload", "PID", "only send SIGUSR2 to a quoit-api; fails if the restart fails",
                option_set_number, AT(reload_pid), 1, INT32_MAX, .is_action = true },

        { 0 },
};

static const struct option_entry services[] = {
        { .about = "Further services, on by default:" },
        { "no-health", NULL, "without grpc.health.v1.Health", option_set_inverse, AT(health) },
        { "no-channelz", NULL, "without grpc.channelz.v1.Channelz, which shows who is connected",
                option_set_inverse, AT(channelz) },
        { "no-reflection", NULL,
                "without grpc.reflection, which tools like grpcurl use to list services",
                option_set_inverse, AT(reflection) },

        { .about = "Options from elsewhere. The command line goes before the environment, and that "
                   "before the file. In the environment an option is QUOIT_API_ and its name in "
                   "capitals, with _ for -, as in QUOIT_API_MAX_CALLS=100, several values with "
                   "commas "
                   "between them; but BACKEND_HOST and BACKEND_PORT. A switch is true or false." },
        { 0 },
};

static const struct option_group groups[] = {
        { serving, 0 },
        { secure_options, offsetof(struct options, secure) },
        { beside_tls, 0 },
        { http_options, offsetof(struct options, http) },
        { calls, 0 },
        { probe_options, offsetof(struct options, probe) },
        { log_options, 0 },
        { access_options, offsetof(struct options, access) },
        { trace_options, offsetof(struct options, trace) },
        { sandbox_options, offsetof(struct options, sandbox) },
        { services, 0 },
        { option_general, 0 },
        { 0 },
};

/* ---- all together ---- */

void options_read(struct options *options, int argc, char **argv)
{
        *options = (struct options){
                .host = "",
                .port = PORT,
                .rings = 1,
                .tls_port = -1,
                .restart_drain_ms = RESTART_DRAIN_MS,
                .probe = PROBE_OPTIONS_INIT,
                .health = true,
                .reflection = true,
                .channelz = true,
        };
        option_make_table(groups);
        settings_collect(argc, argv);
        log_options_apply(options);
        if (settings_choose_listen() && settings_place("tls-port") == PLACE_NONE)
                settings_forget("host");
        settings_apply(options);
        if (options->secure.certificates.count == 0 && options->tls_port >= 0)
                program_usage_error("TLS needs a certificate: give --tls-cert and --tls-key");
        secure_complete(&options->secure);
        access_check(&options->access);
        if (options->cors_credentials && options->cors_origins.count == 0)
                program_usage_error("--cors-credentials needs a --cors-origin");
}
