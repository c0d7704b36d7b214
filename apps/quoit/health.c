/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <grpc/health/v1/health.quoit.h>

#include "../common/clock.h"
#include "command_list.h"
#include "connection_http1.h"
#include "json_write.h"
#include "metadata_flags.h"
#include "say.h"

enum { RPC_MS = 5000 };

/* As grpc-health-probe has them. A mistake in the command is EXIT_USAGE, as of every command. */
enum {
        HEALTH_NOT_CONNECTED = 2,
        HEALTH_CALL_FAILED = 3,
        HEALTH_NOT_SERVING = 4,
};

struct health_options {
        struct connection_flags connection;
        struct metadata_flags metadata;
        uint32_t rpc_ms;
        bool is_json, is_watch, is_quiet;
};

#define FIELD(name) offsetof(struct health_options, name)

static const struct flag health_flags[] = {
        { "watch", 'w', NULL, "show each change, until the call ends", flag_set_true,
                FIELD(is_watch), 0 },
        { "rpc-timeout", 0, "TIME", "of the call (default: 5s; none with --watch)", flag_set_time,
                FIELD(rpc_ms), 0 },
        { "max-time", 0, "TIME", NULL, flag_set_time, FIELD(rpc_ms), 0 },
        { "quiet", 'q', NULL, "the exit status only", flag_set_true, FIELD(is_quiet), 0 },
        { "json", 0, NULL, "for programs: see docs/quoit.md", flag_set_true, FIELD(is_json), 0 },
        { 0 },
};

static const struct flag_group groups[] = {
        { "The probe", health_flags, 0 },
        { "Metadata", metadata_flags, FIELD(metadata) },
        { "Connection", connection_flags, FIELD(connection) },
        { "Protocol", protocol_flags, FIELD(connection) },
        { 0 },
};

static const char help[] =
        "  quoit health localhost:50051                   the whole server\n"
        "  quoit health localhost:50051 api.Api           one service\n"
        "  quoit health --tls --cacert ca.pem example.org:443 --connect-timeout 1s\n"
        "  quoit health unix:/run/api.sock --watch\n"
        "\n"
        "Exit status, as grpc-health-probe has them: 0 it is SERVING; 2 no connection in\n"
        "time, or a mistake in the command; 3 the call failed, or not in time: no such\n"
        "service, no health service; 4 it is not SERVING.\n";

/* ---- what it says ---- */

struct probe {
        const struct health_options *options;
        struct connection *connection;
        const char *service; /* "": all of the server */
        int status; /* the last that was heard; -1: none */
        quoit_error error; /* how the call ended */
        bool is_done;
};

static const char *status_name(int status)
{
        static const char *const names[] = { "UNKNOWN", "SERVING", "NOT_SERVING",
                "SERVICE_UNKNOWN" };

        return status >= 0 && (size_t)status < sizeof(names) / sizeof(*names) ? names[status]
                                                                              : "UNRECOGNIZED";
}

static void show(const struct probe *probe)
{
        if (probe->options->is_quiet)
                return;
        if (probe->options->is_json) {
                fputs("{\"service\":", stdout);
                json_write_string(stdout, upb_StringView_FromString(probe->service));
                printf(",\"status\":\"%s\"}\n", status_name(probe->status));
        } else {
                puts(status_name(probe->status));
        }
        fflush(stdout);
}

static int exit_status(const struct probe *probe)
{
        if (probe->error.status != QUOIT_OK) {
                say("%s%s%s: %s", probe->connection->target, *probe->service ? ": " : "",
                        probe->service, probe->error.text);
                return HEALTH_CALL_FAILED;
        }
        return probe->status == grpc_health_v1_HealthCheckResponse_SERVING ? EXIT_DONE
                                                                           : HEALTH_NOT_SERVING;
}

/* ---- the calls ---- */

static void on_message(quoit_outcall *call, const struct upb_Message *message, void *user)
{
        const grpc_health_v1_HealthCheckResponse *reply =
                (const grpc_health_v1_HealthCheckResponse *)message;
        struct probe *probe = user;

        (void)call;
        probe->status = grpc_health_v1_HealthCheckResponse_status(reply);
        show(probe);
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct probe *probe = user;

        quoit_outcall_get_error(call, &probe->error);
        probe->error.status = status;
        probe->is_done = true;
}

static void on_http1_reply(const struct upb_Message *message, void *user)
{
        on_message(NULL, message, user);
}

static int probe_by_http1(struct probe *probe, const quoit_method *method,
        const quoit_call_options *options, const upb_Message *request)
{
        const struct metadata metadata = { (quoit_metadata *)options->metadata,
                options->metadata_count };
        const struct http1_question question = { .method = method,
                .request = request,
                .metadata = &metadata,
                .deadline_ns = options->timeout_ms
                                       ? clock_now_ns() + options->timeout_ms * UINT64_C(1000000)
                                       : UINT64_MAX,
                .on_reply = on_http1_reply,
                .user = probe };

        connection_ask_http1(probe->connection, &question, &probe->error);
        return exit_status(probe);
}

static int probe_call(struct probe *probe, const quoit_call_options *options, upb_Arena *arena)
{
        static const quoit_outcall_handler handler = { .on_message = on_message,
                .on_done = on_done };
        grpc_health_v1_HealthCheckRequest *request = grpc_health_v1_HealthCheckRequest_new(arena);
        const quoit_method *method = quoit_service_method(&quoit_grpc__health__v1__Health_service,
                probe->options->is_watch ? "Watch" : "Check");
        quoit_outcall *call;
        int r;

        if (!request)
                return say_failed("out of memory");
        grpc_health_v1_HealthCheckRequest_set_service(
                request, upb_StringView_FromString(probe->service));
        if (probe->connection->way)
                return probe_by_http1(probe, method, options, UPB_UPCAST(request));
        r = quoit_outcall_start(
                probe->connection->channel, method, options, &handler, probe, &call);
        if (r < 0)
                return say_failed("the call cannot be made: %s", strerror(-r));
        if (quoit_outcall_send(call, UPB_UPCAST(request)) < 0)
                quoit_outcall_cancel(call);
        if (connection_wait(probe->connection, &probe->is_done) < 0)
                return HEALTH_CALL_FAILED;
        return exit_status(probe);
}

static int probe_run(struct probe *probe)
{
        const struct health_options *options = probe->options;
        quoit_call_options call = { .timeout_ms = options->rpc_ms     ? options->rpc_ms
                                                  : options->is_watch ? 0
                                                                      : RPC_MS };
        upb_Arena *arena = upb_Arena_New();
        struct metadata metadata = { 0 };
        int status;

        if (!arena)
                return say_failed("out of memory");
        status = metadata_make(&options->metadata, false, arena, &metadata);
        call.metadata = metadata.list;
        call.metadata_count = metadata.count;
        if (status == EXIT_DONE)
                status = probe_call(probe, &call, arena);
        upb_Arena_Free(arena);
        return status;
}

static int probe_target(
        const struct health_options *options, const char *target, const char *service)
{
        struct probe probe = { .options = options, .service = service, .status = -1 };
        int status = connection_open(&options->connection, target, &probe.connection);

        if (status == EXIT_FAILED)
                return HEALTH_NOT_CONNECTED;
        if (status == EXIT_DONE)
                status = probe_run(&probe);
        connection_close(probe.connection);
        return status;
}

static int run(int argc, char **argv)
{
        struct health_options options = { .connection.protocol = PROTOCOL_FOUND };
        struct words words;
        int status;

        if (!flags_parse(&command_health, argc, argv, &options, &words, &status))
                return status;
        if (words.count < 1 || words.count > 2)
                status = say_usage("%s: write quoit health HOST:PORT [SERVICE]",
                        words.count ? words.at[2] : "a target is missing");
        else
                status = probe_target(&options, words.at[0], words.count == 2 ? words.at[1] : "");
        metadata_flags_deinit(&options.metadata);
        return status;
}

const struct command command_health = {
        .name = "health",
        .synopsis = "HOST:PORT [SERVICE] [FLAGS]",
        .summary = "Asks a server whether it is serving.",
        .help = help,
        .groups = groups,
        .run = run,
};
