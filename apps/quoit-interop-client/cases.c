/* SPDX-License-Identifier: MIT */
#include "cases.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CONNECT_MS 20000
#define POLL_MS 1
#define NS_PER_MS 1000000

case_fn *case_find(const char *name)
{
#define CASE(fn) { #fn, fn }
        static const struct {
                const char *name;
                case_fn *fn;
        } cases[] = {
                CASE(cancel_after_begin),
                CASE(cancel_after_first_response),
                CASE(channel_soak),
                CASE(client_compressed_streaming),
                CASE(client_compressed_unary),
                CASE(client_streaming),
                CASE(custom_metadata),
                CASE(empty_stream),
                CASE(empty_unary),
                CASE(goaway),
                CASE(large_unary),
                CASE(max_streams),
                CASE(pick_first_unary),
                CASE(ping),
                CASE(ping_pong),
                CASE(rpc_soak),
                CASE(rst_after_data),
                CASE(rst_after_header),
                CASE(rst_during_data),
                CASE(server_compressed_streaming),
                CASE(server_compressed_unary),
                CASE(server_streaming),
                CASE(special_status_message),
                CASE(status_code_and_message),
                CASE(timeout_on_sleeping_server),
                CASE(unimplemented_method),
                CASE(unimplemented_service),
        };
#undef CASE

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                if (strcmp(cases[i].name, name) == 0)
                        return cases[i].fn;
        }
        return NULL;
}

bool run_fail(struct run *run, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(run->problem, sizeof(run->problem), format, arguments);
        va_end(arguments);
        return false;
}

bool run_connect(struct run *run)
{
        const struct timespec pause = { .tv_nsec = POLL_MS * NS_PER_MS };

        if (quoit_channel_connect(run->channel) < 0)
                return run_fail(run, "out of memory");
        for (int ms = 0; ms < CONNECT_MS; ms += POLL_MS) {
                if (quoit_channel_get_state(run->channel) == QUOIT_CHANNEL_READY)
                        return true;
                nanosleep(&pause, NULL);
        }
        return run_fail(run, "the channel is %s",
                quoit_channel_state_name(quoit_channel_get_state(run->channel)));
}

/* ---- calls ---- */

const quoit_method *run_method(const char *name)
{
        return quoit_service_method(&quoit_grpc__testing__TestService_service, name);
}

void run_start(struct run *run, struct talk *talk)
{
        size_t own = talk->options.metadata_count, all = run->metadata_count + own;
        quoit_metadata *metadata = upb_Arena_Malloc(run->arena, (all + 1) * sizeof(*metadata));

        if (run->metadata_count > 0)
                memcpy(metadata, run->metadata, run->metadata_count * sizeof(*metadata));
        if (own > 0)
                memcpy(metadata + run->metadata_count, talk->options.metadata,
                        own * sizeof(*metadata));
        talk->options.metadata = metadata;
        talk->options.metadata_count = all;
        talk_start(talk, run->client, run->channel);
}

bool run_talk(struct run *run, struct talk *talk, quoit_status status)
{
        run_start(run, talk);
        talk_wait(talk);
        return run_expect_status(run, talk, status);
}

bool run_expect_status(struct run *run, const struct talk *talk, quoit_status status)
{
        if (talk->status == status)
                return true;
        return run_fail(run, "%s: its status is %s (%.*s), and should be %s", talk->method->path,
                quoit_status_name(talk->status), (int)talk->message.size, talk->message.data,
                quoit_status_name(status));
}

bool run_expect_replies(
        struct run *run, const struct talk *talk, const int64_t *numbers, unsigned count)
{
        if (talk->reply_count != count)
                return run_fail(run, "%s: %u replies came, and should be %u", talk->method->path,
                        talk->reply_count, count);
        for (unsigned i = 0; i < count; i++) {
                int64_t number = talk->replies[i].number;

                if (number < 0)
                        return run_fail(run, "%s: the payload of reply %u is not all zeros",
                                talk->method->path, i + 1);
                if (number != numbers[i])
                        return run_fail(run, "%s: the size in reply %u is %jd, and should be %jd",
                                talk->method->path, i + 1, (intmax_t)number, (intmax_t)numbers[i]);
        }
        return true;
}

/* ---- requests ---- */

struct talk unary_talk(const grpc_testing_SimpleRequest *request)
{
        return (struct talk){ .method = run_method("UnaryCall"),
                .requests = { UPB_UPCAST(request) },
                .request_count = 1 };
}

grpc_testing_SimpleRequest *large_request(struct run *run)
{
        return talk_simple_request(run->arena, LARGE_REQUEST_BYTES, LARGE_REPLY_BYTES);
}

grpc_testing_StreamingInputCallRequest *input_request(struct run *run, unsigned bytes)
{
        grpc_testing_StreamingInputCallRequest *request =
                grpc_testing_StreamingInputCallRequest_new(run->arena);

        grpc_testing_StreamingInputCallRequest_set_payload(
                request, talk_payload(run->arena, bytes));
        return request;
}

grpc_testing_StreamingOutputCallRequest *output_request(
        struct run *run, unsigned bytes, unsigned reply_bytes)
{
        grpc_testing_StreamingOutputCallRequest *request =
                grpc_testing_StreamingOutputCallRequest_new(run->arena);

        grpc_testing_StreamingOutputCallRequest_set_payload(
                request, talk_payload(run->arena, bytes));
        if (reply_bytes > 0)
                add_reply(run, request, (int32_t)reply_bytes);
        return request;
}

grpc_testing_ResponseParameters *add_reply(
        struct run *run, grpc_testing_StreamingOutputCallRequest *request, int32_t bytes)
{
        grpc_testing_ResponseParameters *parameters =
                grpc_testing_StreamingOutputCallRequest_add_response_parameters(
                        request, run->arena);

        grpc_testing_ResponseParameters_set_size(parameters, bytes);
        return parameters;
}
