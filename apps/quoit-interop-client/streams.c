/* SPDX-License-Identifier: MIT */
#include "cases.h"

/* What the client sends, and asks for, one after the other. */
static const unsigned sent_bytes[] = { 27182, 8, 1828, 45904 };
static const int64_t reply_bytes[] = { 31415, 9, 2653, 58979 };

/* ---- from the client ---- */

bool client_streaming(struct run *run)
{
        struct talk talk = { .method = run_method("StreamingInputCall"), .request_count = 4 };

        for (int i = 0; i < 4; i++)
                talk.requests[i] = UPB_UPCAST(input_request(run, sent_bytes[i]));
        return run_talk(run, &talk, QUOIT_OK) &&
               run_expect_replies(run, &talk, (const int64_t[]){ 74922 }, 1);
}

/* One that says whether it is compressed. */
static const upb_Message *told_request(struct run *run, unsigned bytes, bool told)
{
        grpc_testing_StreamingInputCallRequest *request = input_request(run, bytes);

        grpc_testing_StreamingInputCallRequest_set_expect_compressed(
                request, talk_bool(run->arena, told));
        return UPB_UPCAST(request);
}

bool client_compressed_streaming(struct run *run)
{
        struct talk probe = { .method = run_method("StreamingInputCall"),
                .options.compression = QUOIT_GZIP,
                .requests = { told_request(run, 27182, true) },
                .plain = { true },
                .request_count = 1 };
        struct talk talk = { .method = run_method("StreamingInputCall"),
                .options.compression = QUOIT_GZIP,
                .requests = { told_request(run, 27182, true), told_request(run, 45904, false) },
                .plain = { false, true },
                .request_count = 2 };

        return run_talk(run, &probe, QUOIT_INVALID_ARGUMENT) && run_talk(run, &talk, QUOIT_OK) &&
               run_expect_replies(run, &talk, (const int64_t[]){ 73086 }, 1);
}

/* ---- from the server ---- */

bool server_streaming(struct run *run)
{
        grpc_testing_StreamingOutputCallRequest *request =
                grpc_testing_StreamingOutputCallRequest_new(run->arena);
        struct talk talk = { .method = run_method("StreamingOutputCall"),
                .requests = { UPB_UPCAST(request) },
                .request_count = 1 };

        for (int i = 0; i < 4; i++)
                add_reply(run, request, (int32_t)reply_bytes[i]);
        return run_talk(run, &talk, QUOIT_OK) && run_expect_replies(run, &talk, reply_bytes, 4);
}

bool server_compressed_streaming(struct run *run)
{
        static const int64_t sizes[] = { 31415, 92653 };
        grpc_testing_StreamingOutputCallRequest *request =
                grpc_testing_StreamingOutputCallRequest_new(run->arena);
        struct talk talk = { .method = run_method("StreamingOutputCall"),
                .requests = { UPB_UPCAST(request) },
                .request_count = 1 };

        for (int i = 0; i < 2; i++)
                grpc_testing_ResponseParameters_set_compressed(
                        add_reply(run, request, (int32_t)sizes[i]), talk_bool(run->arena, i == 0));
        if (!run_talk(run, &talk, QUOIT_OK) || !run_expect_replies(run, &talk, sizes, 2))
                return false;
        return (talk.replies[0].compressed && !talk.replies[1].compressed) ||
               run_fail(run,
                       "the first reply is %scompressed and the second one is %scompressed, "
                       "against "
                       "what was asked for",
                       talk.replies[0].compressed ? "" : "not ",
                       talk.replies[1].compressed ? "" : "not ");
}

/* ---- both ---- */

bool ping_pong(struct run *run)
{
        struct talk talk = {
                .method = run_method("FullDuplexCall"), .request_count = 4, .takes_turns = true
        };

        for (int i = 0; i < 4; i++)
                talk.requests[i] =
                        UPB_UPCAST(output_request(run, sent_bytes[i], (unsigned)reply_bytes[i]));
        return run_talk(run, &talk, QUOIT_OK) && run_expect_replies(run, &talk, reply_bytes, 4);
}

bool empty_stream(struct run *run)
{
        struct talk talk = { .method = run_method("FullDuplexCall") };

        return run_talk(run, &talk, QUOIT_OK) && run_expect_replies(run, &talk, NULL, 0);
}
