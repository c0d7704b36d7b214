/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grpc/health/v1/health.quoit.h"
#include "host_port.h"
#include "open_channel.h"
#include "program.h"

#define TARGET_BYTES HOST_PORT_BYTES

#define AT(member) .offset = offsetof(struct probe_options, member)

const struct option_entry probe_options[] = {
        { .about = "Probes: asks grpc.health.v1.Health whether it serves, and exits 0, or 1 and "
                   "says why not. By default it asks the server that the same options, the same "
                   "environment and the same file make:" },
        { "health-check", NULL, "only ask", option_set_switch, AT(is_wanted), .is_action = true },
        { "health-target", "TARGET", "whom to ask: HOST:PORT, unix:PATH", option_set_text,
                AT(target) },
        { "health-service", "NAME", "of which service; default: of the whole server",
                option_set_text, AT(service) },
        { "health-timeout", "TIME", "for the answer; default 5s", option_set_time, AT(timeout_ms),
                1 },
        { "health-tls", NULL, "by TLS; where one of the following is given it need not be",
                option_set_switch, AT(uses_tls) },
        { "health-tls-ca", "FILE",
                "authorities that sign the server's certificate; default: the system's",
                option_set_text, AT(tls.ca_file) },
        { "health-tls-name", "NAME", "that the certificate must have; default: the target's host",
                option_set_text, AT(tls.server_name) },
        { "health-tls-cert", "FILE", "certificate to show, for a server that wants one",
                option_set_text, AT(tls.certificate_file) },
        { "health-tls-key", "FILE", "its private key", option_set_text, AT(tls.key_file) },
        { 0 },
};

/* ---- whom to ask ---- */

static bool is_unspecified(const char *host)
{
        static const char *const names[] = { "", "0.0.0.0", "::", "[::]" };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
                if (strcmp(host, names[i]) == 0)
                        return true;
        return false;
}

/* Where this machine reaches what listens on @host. */
static const char *reachable(const char *host)
{
        if (!is_unspecified(host))
                return host;
        return strchr(host, ':') ? "[::1]" : "127.0.0.1";
}

/* Of --listen. False: its text does not say how to get there. */
static bool target_of_address(const char *address, char ret_target[TARGET_BYTES])
{
        const char *colon = strrchr(address, ':');
        char host[TARGET_BYTES];

        if (strncmp(address, "unix", 4) == 0 || strncmp(address, "vsock:", 6) == 0)
                return snprintf(ret_target, TARGET_BYTES, "%s", address) < TARGET_BYTES;
        if (!colon || strncmp(address, "fd:", 3) == 0 || strncmp(address, "systemd", 7) == 0)
                return false;
        snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
        return strcmp(colon + 1, "0") != 0 &&
               snprintf(ret_target, TARGET_BYTES, "%s%s", reachable(host), colon) < TARGET_BYTES;
}

/* The server's first address. */
static void find_target(const struct probe_options *options, const struct probe_server *server,
        char ret_target[TARGET_BYTES])
{
        bool is_found;

        if (options->target)
                is_found = snprintf(ret_target, TARGET_BYTES, "%s", options->target) < TARGET_BYTES;
        else if (server->addresses->count > 0)
                is_found = target_of_address(server->addresses->texts[0], ret_target);
        else
                is_found = server->port > 0 && host_port_print(ret_target, reachable(server->host),
                                                       (unsigned)server->port);
        if (!is_found)
                program_usage_error("--health-check: the options do not say how to reach the "
                                    "server; give --health-target");
}

static bool uses_tls(const struct probe_options *options, const struct probe_server *server)
{
        const quoit_channel_tls *tls = &options->tls;

        return options->uses_tls || tls->ca_file || tls->certificate_file || tls->key_file ||
               tls->server_name || (!options->target && server->uses_tls);
}

/* ---- the question ---- */

static int fail(const char *target, const char *why)
{
        program_say(QUOIT_LOG_ERROR, "health check of %s: %s", target, why);
        return EXIT_FAILURE;
}

static const char *spell(int status)
{
        switch (status) {
        case grpc_health_v1_HealthCheckResponse_SERVING:
                return "SERVING";
        case grpc_health_v1_HealthCheckResponse_NOT_SERVING:
                return "NOT_SERVING";
        case grpc_health_v1_HealthCheckResponse_SERVICE_UNKNOWN:
                return "SERVICE_UNKNOWN";
        default:
                return "UNKNOWN";
        }
}

static int ask(quoit_channel *channel, const char *target, const struct probe_options *options)
{
        const quoit_call_options call = { .timeout_ms = options->timeout_ms };
        upb_Arena *arena = upb_Arena_New();
        grpc_health_v1_HealthCheckRequest *request =
                arena ? grpc_health_v1_HealthCheckRequest_new(arena) : NULL;
        const grpc_health_v1_HealthCheckResponse *reply;
        quoit_error error;
        int status = EXIT_SUCCESS;

        if (!request)
                return fail(target, "out of memory");
        grpc_health_v1_HealthCheckRequest_set_service(
                request, upb_StringView_FromString(options->service));
        if (grpc_health_v1_Health_Check_blocking(channel, arena, request, &call, &reply, &error) !=
                QUOIT_OK)
                status = fail(target, quoit_error_text(&error));
        else if (grpc_health_v1_HealthCheckResponse_status(reply) !=
                 grpc_health_v1_HealthCheckResponse_SERVING)
                status = fail(target, spell(grpc_health_v1_HealthCheckResponse_status(reply)));
        upb_Arena_Free(arena);
        return status;
}

int probe(const struct probe_options *options, const struct probe_server *server)
{
        char target[TARGET_BYTES], user_agent[64];
        const quoit_channel_options channel_options = {
                .tls = uses_tls(options, server) ? &options->tls : NULL,
                .user_agent = user_agent,
                .proxy = "", /* none: the answer would be a proxy's */
        };
        quoit_channel *channel = NULL;
        quoit_client *client;
        quoit_error error;
        int r, status;

        find_target(options, server, target);
        snprintf(user_agent, sizeof(user_agent), "%s-health-check", program_get_name());
        /* for one call epoll is the quicker one, and it is there in every container */
        r = quoit_client_new(&(quoit_client_options){ .engine = QUOIT_ENGINE_EPOLL }, &client);
        if (r < 0)
                return fail(target, strerror(-r));
        r = open_channel(client, target, &channel_options, &channel, &error);
        status = r < 0 ? fail(target, quoit_error_text(&error)) : ask(channel, target, options);
        quoit_channel_free(channel);
        quoit_client_free(client);
        return status;
}
