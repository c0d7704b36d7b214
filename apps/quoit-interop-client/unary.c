/* SPDX-License-Identifier: MIT */
#include "cases.h"

#define PICK_FIRST_CALLS 20

bool empty_unary(struct run *run)
{
        struct talk talk = { .method = run_method("EmptyCall"),
                .requests = { UPB_UPCAST(grpc_testing_Empty_new(run->arena)) },
                .request_count = 1 };

        return run_talk(run, &talk, QUOIT_OK) &&
               run_expect_replies(run, &talk, (const int64_t[]){ 0 }, 1);
}

/* @request must have @status, and if that is OK, a reply of LARGE_REPLY_BYTES. */
static bool call_large(struct run *run, const grpc_testing_SimpleRequest *request,
        quoit_compression compression, quoit_status status)
{
        struct talk talk = unary_talk(request);

        talk.options.compression = compression;
        return run_talk(run, &talk, status) &&
               run_expect_replies(
                       run, &talk, (const int64_t[]){ LARGE_REPLY_BYTES }, status == QUOIT_OK);
}

bool large_unary(struct run *run)
{
        return call_large(run, large_request(run), QUOIT_IDENTITY, QUOIT_OK);
}

/* ---- compression ---- */

/* A large call that says whether its request is compressed, which it is if @compressed. */
static bool call_compressed(struct run *run, bool told, bool compressed, quoit_status status)
{
        grpc_testing_SimpleRequest *request = large_request(run);

        grpc_testing_SimpleRequest_set_expect_compressed(request, talk_bool(run->arena, told));
        return call_large(run, request, compressed ? QUOIT_GZIP : QUOIT_IDENTITY, status);
}

bool client_compressed_unary(struct run *run)
{
        return call_compressed(run, true, false, QUOIT_INVALID_ARGUMENT) &&
               call_compressed(run, true, true, QUOIT_OK) &&
               call_compressed(run, false, false, QUOIT_OK);
}

static bool ask_for_compressed(struct run *run, bool compressed)
{
        grpc_testing_SimpleRequest *request = large_request(run);
        struct talk talk = unary_talk(request);

        grpc_testing_SimpleRequest_set_response_compressed(
                request, talk_bool(run->arena, compressed));
        if (!run_talk(run, &talk, QUOIT_OK) ||
                !run_expect_replies(run, &talk, (const int64_t[]){ LARGE_REPLY_BYTES }, 1))
                return false;
        return talk.replies[0].compressed == compressed ||
               run_fail(run, "the reply is %scompressed, against what was asked for",
                       compressed ? "not " : "");
}

bool server_compressed_unary(struct run *run)
{
        return ask_for_compressed(run, true) && ask_for_compressed(run, false);
}

/* ---- metadata ---- */

static bool is(const struct talk_bytes *bytes, const char *wanted)
{
        return upb_StringView_IsEqual(talk_text(bytes), upb_StringView_FromString(wanted));
}

static bool echo_metadata(struct run *run, const char *method, const upb_Message *request)
{
        static const char initial[] = "test_initial_metadata_value", trailing[] = "\xab\xab\xab";
        const quoit_metadata metadata[] = {
                { TALK_INITIAL, upb_StringView_FromString(initial) },
                { TALK_TRAILING, upb_StringView_FromString(trailing) },
        };
        struct talk talk = { .method = run_method(method),
                .options = { .metadata = metadata, .metadata_count = 2 },
                .requests = { request },
                .request_count = 1 };

        if (!run_talk(run, &talk, QUOIT_OK) ||
                !run_expect_replies(run, &talk, (const int64_t[]){ LARGE_REPLY_BYTES }, 1))
                return false;
        if (!is(&talk.initial, initial))
                return run_fail(run, "%s: " TALK_INITIAL " did not come back with the headers",
                        talk.method->path);
        return is(&talk.trailing, trailing) ||
               run_fail(run, "%s: " TALK_TRAILING " did not come back with the trailers",
                       talk.method->path);
}

bool custom_metadata(struct run *run)
{
        return echo_metadata(run, "UnaryCall", UPB_UPCAST(large_request(run))) &&
               echo_metadata(run, "FullDuplexCall",
                       UPB_UPCAST(output_request(run, LARGE_REQUEST_BYTES, LARGE_REPLY_BYTES)));
}

/* ---- one server ---- */

bool pick_first_unary(struct run *run)
{
        struct talk_bytes first = { 0 };

        for (int i = 0; i < PICK_FIRST_CALLS; i++) {
                grpc_testing_SimpleRequest *request = talk_simple_request(run->arena, 1, 1);
                struct talk talk = unary_talk(request);

                grpc_testing_SimpleRequest_set_fill_server_id(request, true);
                if (!run_talk(run, &talk, QUOIT_OK) ||
                        !run_expect_replies(run, &talk, (const int64_t[]){ 1 }, 1))
                        return false;
                if (i == 0)
                        first = talk.server_id;
                if (first.size == 0)
                        return run_fail(run, "the server has no id");
                if (!upb_StringView_IsEqual(talk_text(&talk.server_id), talk_text(&first)))
                        return run_fail(run, "calls went to more than one server");
        }
        return true;
}
