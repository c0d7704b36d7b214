/* SPDX-License-Identifier: MIT */
#include "cases.h"

/* ---- the server's status ---- */

static grpc_testing_EchoStatus *echo_status(struct run *run, const char *message)
{
        grpc_testing_EchoStatus *status = grpc_testing_EchoStatus_new(run->arena);

        grpc_testing_EchoStatus_set_code(status, QUOIT_UNKNOWN);
        grpc_testing_EchoStatus_set_message(status, upb_StringView_FromString(message));
        return status;
}

static bool expect_message(
        struct run *run, const char *method, const upb_Message *request, const char *message)
{
        struct talk talk = {
                .method = run_method(method), .requests = { request }, .request_count = 1
        };

        if (!run_talk(run, &talk, QUOIT_UNKNOWN))
                return false;
        return upb_StringView_IsEqual(
                       talk_text(&talk.message), upb_StringView_FromString(message)) ||
               run_fail(run, "%s: the status's message is \"%.*s\", and should be \"%s\"",
                       talk.method->path, (int)talk.message.size, talk.message.data, message);
}

static bool echo_unary(struct run *run, const char *message)
{
        grpc_testing_SimpleRequest *request = grpc_testing_SimpleRequest_new(run->arena);

        grpc_testing_SimpleRequest_set_response_status(request, echo_status(run, message));
        return expect_message(run, "UnaryCall", UPB_UPCAST(request), message);
}

bool status_code_and_message(struct run *run)
{
        static const char message[] = "test status message";
        grpc_testing_StreamingOutputCallRequest *request =
                grpc_testing_StreamingOutputCallRequest_new(run->arena);

        grpc_testing_StreamingOutputCallRequest_set_response_status(
                request, echo_status(run, message));
        return echo_unary(run, message) &&
               expect_message(run, "FullDuplexCall", UPB_UPCAST(request), message);
}

bool special_status_message(struct run *run)
{
        return echo_unary(run, "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n");
}

static bool expect_unimplemented(struct run *run, const quoit_method *method)
{
        struct talk talk = { .method = method,
                .requests = { UPB_UPCAST(grpc_testing_Empty_new(run->arena)) },
                .request_count = 1 };

        return run_talk(run, &talk, QUOIT_UNIMPLEMENTED);
}

bool unimplemented_method(struct run *run)
{
        return expect_unimplemented(run, run_method("UnimplementedCall"));
}

bool unimplemented_service(struct run *run)
{
        return expect_unimplemented(
                run, quoit_service_method(&quoit_grpc__testing__UnimplementedService_service,
                             "UnimplementedCall"));
}

/* ---- ours ---- */

/* On a connection that is there already, so that the server hears of the call. */
bool cancel_after_begin(struct run *run)
{
        struct talk talk = { .method = run_method("StreamingInputCall"),
                .cancel = TALK_CANCEL_BEGUN };

        return run_connect(run) && run_talk(run, &talk, QUOIT_CANCELLED) &&
               run_expect_replies(run, &talk, NULL, 0);
}

bool cancel_after_first_response(struct run *run)
{
        struct talk talk = { .method = run_method("FullDuplexCall"),
                .requests = { UPB_UPCAST(output_request(run, 27182, 31415)) },
                .request_count = 1,
                .cancel = TALK_CANCEL_REPLIED };

        return run_talk(run, &talk, QUOIT_CANCELLED) &&
               run_expect_replies(run, &talk, (const int64_t[]){ 31415 }, 1);
}

bool timeout_on_sleeping_server(struct run *run)
{
        struct talk talk = { .method = run_method("FullDuplexCall"),
                .options.timeout_ms = 1,
                .requests = { UPB_UPCAST(output_request(run, 27182, 0)) },
                .request_count = 1,
                .takes_turns = true };

        return run_connect(run) && run_talk(run, &talk, QUOIT_DEADLINE_EXCEEDED) &&
               run_expect_replies(run, &talk, NULL, 0);
}
