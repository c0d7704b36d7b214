/* SPDX-License-Identifier: MIT */
#include "grpc.h"

#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "elapsed.h"
#include "grpc/health/v1/health.quoit.h"
#include "grpc/reflection/v1/reflection.quoit.h"

enum {
        CALL_MS = 5000, /* until a server must have answered */
        DEADLINE_MS = 200,
        LATE_MS = 1000, /* behind the deadline */
};

#define ALPHA_PATH "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"

/* What is known of the server so far. */
struct asked {
        struct connection *connection;
        upb_Arena *arena;
        bool has_health, has_reflection;
        quoit_method reflection; /* if it has one */
};

static const quoit_method *health_method(const char *name)
{
        return quoit_service_method(&quoit_grpc__health__v1__Health_service, name);
}

/* What a call that has failed means for the topic. */
static void complain(struct report *report, const char *topic, const quoit_error *error)
{
        switch (error->status) {
        case QUOIT_UNAUTHENTICATED:
        case QUOIT_PERMISSION_DENIED:
                report_warn(report, topic,
                        "the server wants to know who calls: allow this service to all, or try "
                        "quoit call -H",
                        "%s", quoit_error_text(error));
                return;
        case QUOIT_UNAVAILABLE:
                report_fail(report, topic, "look at the server's log, and at the lines above", "%s",
                        quoit_error_text(error));
                return;
        case QUOIT_DEADLINE_EXCEEDED:
                report_fail(report, topic,
                        "the server takes calls and does not answer: is it overloaded, does a "
                        "handler block?",
                        "no answer within %d s", CALL_MS / 1000);
                return;
        default:
                report_warn(report, topic, "look at the server's log, and at proxies in between",
                        "%s", quoit_error_text(error));
        }
}

/* ---- health ---- */

static void note_health(const upb_Message *reply, void *user)
{
        *(int *)user = grpc_health_v1_HealthCheckResponse_status(
                (const grpc_health_v1_HealthCheckResponse *)reply);
}

static void check_health(struct report *report, struct asked *asked)
{
        static const char topic[] = "health";
        int status = -1;
        const struct ask question = {
                .method = health_method("Check"),
                .request = UPB_UPCAST(grpc_health_v1_HealthCheckRequest_new(asked->arena)),
                .timeout_ms = CALL_MS,
                .on_reply = note_health,
                .user = &status,
        };
        uint64_t begun_ns = clock_now_ns();
        quoit_error error;

        switch (ask(asked->connection, &question, &error)) {
        case QUOIT_OK:
                asked->has_health = true;
                if (status == grpc_health_v1_HealthCheckResponse_SERVING)
                        report_ok(report, topic, "SERVING, after %.1f ms", elapsed_ms(begun_ns));
                else
                        report_fail(report, topic,
                                "clients and Kubernetes send it no calls: look at the server's log",
                                "%s",
                                status == grpc_health_v1_HealthCheckResponse_NOT_SERVING
                                        ? "NOT_SERVING"
                                        : "UNKNOWN");
                return;
        case QUOIT_UNIMPLEMENTED:
                report_warn(report, topic,
                        "add grpc.health.v1.Health to the server: load balancers and Kubernetes "
                        "ask it",
                        "the server has no such service (answered in %.1f ms)",
                        elapsed_ms(begun_ns));
                return;
        case QUOIT_NOT_FOUND:
                asked->has_health = true;
                report_warn(report, topic, "have the server set the health of \"\", all of it",
                        "nothing is known of the server as a whole");
                return;
        default:
                complain(report, topic, &error);
        }
}

/* ---- reflection ---- */

struct listed {
        bool is_answered;
        size_t services;
};

static void note_services(const upb_Message *reply, void *user)
{
        const grpc_reflection_v1_ServerReflectionResponse *response =
                (const grpc_reflection_v1_ServerReflectionResponse *)reply;
        const grpc_reflection_v1_ListServiceResponse *list =
                grpc_reflection_v1_ServerReflectionResponse_list_services_response(response);
        struct listed *listed = user;

        listed->is_answered = list != NULL;
        if (list)
                (void)grpc_reflection_v1_ListServiceResponse_service(list, &listed->services);
}

/* Asks for the services, by this version. */
static quoit_status list_services(
        struct asked *asked, struct listed *ret_listed, quoit_error *ret_error)
{
        grpc_reflection_v1_ServerReflectionRequest *request =
                grpc_reflection_v1_ServerReflectionRequest_new(asked->arena);
        const struct ask question = {
                .method = &asked->reflection,
                .request = UPB_UPCAST(request),
                .timeout_ms = CALL_MS,
                .on_reply = note_services,
                .user = ret_listed,
        };

        *ret_listed = (struct listed){ 0 };
        if (request)
                grpc_reflection_v1_ServerReflectionRequest_set_list_services(
                        request, upb_StringView_FromString("*"));
        return ask(asked->connection, &question, ret_error);
}

static void check_reflection(struct report *report, struct asked *asked)
{
        static const char topic[] = "reflection";
        const char *version = "v1";
        struct listed listed;
        quoit_error error;
        quoit_status status;

        asked->reflection = *quoit_service_method(
                &quoit_grpc__reflection__v1__ServerReflection_service, "ServerReflectionInfo");
        status = list_services(asked, &listed, &error);
        if (status == QUOIT_UNIMPLEMENTED) {
                /* Its messages are the same. */
                version = "v1alpha";
                asked->reflection.path = ALPHA_PATH;
                status = list_services(asked, &listed, &error);
        }
        asked->has_reflection = listed.is_answered;
        if (listed.is_answered)
                report_ok(report, topic, "%s, %zu services", version, listed.services);
        else if (status == QUOIT_UNIMPLEMENTED)
                report_warn(report, topic,
                        "add it to the server, or give quoit call --proto FILE or --protoset FILE",
                        "the server has none, of v1 or v1alpha");
        else if (status == QUOIT_OK)
                report_warn(report, topic, "look at the server's log",
                        "%s: it does not list its services", version);
        else
                complain(report, topic, &error);
}

/* ---- deadlines ---- */

/* A call that the server does not end by itself. */
static void check_deadline(struct report *report, struct asked *asked)
{
        static const char topic[] = "deadline";
        const struct ask question = {
                .method = asked->has_health ? health_method("Watch") : &asked->reflection,
                .request = asked->has_health
                                   ? UPB_UPCAST(grpc_health_v1_HealthCheckRequest_new(asked->arena))
                                   : NULL,
                .stays_open = !asked->has_health,
                .timeout_ms = DEADLINE_MS,
        };
        uint64_t begun_ns = clock_now_ns();
        quoit_error error;
        quoit_status status;
        double took_ms;

        if (!asked->has_health && !asked->has_reflection) {
                report_ok(report, topic, "not tried: no service is known whose calls stay open");
                return;
        }
        status = ask(asked->connection, &question, &error);
        took_ms = elapsed_ms(begun_ns);
        if (status != QUOIT_DEADLINE_EXCEEDED)
                report_warn(report, topic, "look at the server's log, and at proxies in between",
                        "a call with %d ms ended after %.1f ms: %s", DEADLINE_MS, took_ms,
                        quoit_error_text(&error));
        else if (took_ms > DEADLINE_MS + LATE_MS)
                report_warn(report, topic, "is this machine overloaded, or its clock odd?",
                        "a call with %d ms ended DEADLINE_EXCEEDED only after %.1f ms", DEADLINE_MS,
                        took_ms);
        else
                report_ok(report, topic, "a call with %d ms ended DEADLINE_EXCEEDED after %.1f ms",
                        DEADLINE_MS, took_ms);
}

void grpc_check(struct report *report, struct connection *connection)
{
        struct asked asked = { .connection = connection, .arena = upb_Arena_New() };

        if (!asked.arena)
                return;
        check_health(report, &asked);
        check_reflection(report, &asked);
        check_deadline(report, &asked);
        upb_Arena_Free(asked.arena);
}
