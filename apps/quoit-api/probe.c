/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/host_port.h"
#include "../common/open_channel.h"
#include "../common/program.h"
#include "grpc/health/v1/health.quoit.h"
#include "options.h"

#define TARGET_BYTES HOST_PORT_BYTES

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
static void find_target(const struct options *options, char ret_target[TARGET_BYTES])
{
        bool is_found;

        if (options->probe.target)
                is_found = snprintf(ret_target, TARGET_BYTES, "%s", options->probe.target) <
                           TARGET_BYTES;
        else if (options->address_count > 0)
                is_found = target_of_address(options->addresses[0], ret_target);
        else
                is_found =
                        options->port > 0 && host_port_print(ret_target, reachable(options->host),
                                                     (unsigned)options->port);
        if (!is_found)
                program_usage_error("--health-check: the options do not say how to reach the "
                                    "server; give --health-target");
}

/* Whether that address is one of TLS: doors.c. */
static bool uses_tls(const struct options *options)
{
        const quoit_channel_tls *tls = &options->probe.tls;

        return options->probe.uses_tls || tls->ca_file || tls->certificate_file || tls->key_file ||
               tls->server_name ||
               (!options->probe.target && options->secure.certificate_count > 0 &&
                       options->secure.port < 0);
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

int probe(const struct options *options)
{
        const quoit_channel_options channel_options = {
                .tls = uses_tls(options) ? &options->probe.tls : NULL,
                .user_agent = "quoit-api-health-check",
                .proxy = "", /* none: the answer would be a proxy's */
        };
        char target[TARGET_BYTES];
        quoit_channel *channel = NULL;
        quoit_client *client;
        quoit_error error;
        int r, status;

        find_target(options, target);
        /* for one call epoll is the quicker one, and it is there in every container */
        r = quoit_client_new(&(quoit_client_options){ .engine = QUOIT_ENGINE_EPOLL }, &client);
        if (r < 0)
                return fail(target, strerror(-r));
        r = open_channel(client, target, &channel_options, &channel, &error);
        status = r < 0 ? fail(target, quoit_error_text(&error))
                       : ask(channel, target, &options->probe);
        quoit_channel_free(channel);
        quoit_client_free(client);
        return status;
}
