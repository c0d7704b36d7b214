/* SPDX-License-Identifier: MIT */
#include "calls.h"

#include <errno.h>
#include <string.h>

#include <quoit/stream.h>

#include "../pattern.h"
#include "core/engine/sim.h"
#include "script.quoit.h"

enum { TIMEOUT_MS = 5000 };

/* ---- what is sent and received ---- */

static const quoit_method *method_of(quoit_method_kind kind)
{
        static const char *const names[] = { "Unary", "ServerStream", "ClientStream", "Bidi" };

        return quoit_service_method(&quoit_script__Script_service, names[kind]);
}

static bool sends_many(const struct sweep_call *call)
{
        return call->kind == QUOIT_CLIENT_STREAMING || call->kind == QUOIT_BIDI;
}

static unsigned expected(const struct sweep_call *call)
{
        if (call->kind == QUOIT_SERVER_STREAMING)
                return call->count;
        return call->kind == QUOIT_BIDI ? call->asks : 1;
}

struct sweep_call call_of(quoit_method_kind kind, uint32_t size)
{
        return (struct sweep_call){ .kind = kind, .size = size, .count = 3, .asks = 3 };
}

/* The test's own memory does not fail. */
static const struct upb_Message *ask_new(const struct sweep_call *call, upb_Arena **ret_arena)
{
        static unsigned char payload[1 << 16];
        upb_Arena *arena;
        script_Ask *ask;

        sim_own_begin();
        arena = upb_Arena_New();
        ask = script_Ask_new(arena);
        script_Ask_set_act(ask, call->act);
        script_Ask_set_count(ask, call->count);
        script_Ask_set_size(ask, call->size);
        pattern_fill(payload, call->size, 0);
        script_Ask_set_payload(
                ask, upb_StringView_FromDataAndSize((const char *)payload, call->size));
        sim_own_end();
        *ret_arena = arena;
        return (const struct upb_Message *)ask;
}

static void check_reply(struct sweep_call *call, const struct upb_Message *message)
{
        upb_StringView payload = script_Told_payload((const script_Told *)message);
        uint32_t number = script_Told_number((const script_Told *)message);

        if (payload.size != call->size || pattern_check((const unsigned char *)payload.data,
                                                  payload.size, number) < payload.size)
                sim_fail("a reply is not what was asked for");
        call->replies++;
}

/* ---- the end ---- */

static void check_status(const struct sweep_call *call, const quoit_error *error)
{
        quoit_status status = error->status;
        const char *text = error->text;

        if (status == call->ends_with || (call->is_given_up && status == QUOIT_CANCELLED))
                return;
        if (!plan_has_fired())
                sim_fail("a call fails, and nothing was to fail yet: %s", text);
        if (status == QUOIT_UNAVAILABLE || status == QUOIT_RESOURCE_EXHAUSTED ||
                status == QUOIT_INTERNAL)
                return;
        if (status == QUOIT_DEADLINE_EXCEEDED && plan_now()->goes_on)
                return;
        sim_fail("a call ends with a status that it must not have: %s", text);
}

static void end(struct sweep_call *call, const quoit_error *error)
{
        call->status = error->status;
        check_status(call, error);
        if (error->status == QUOIT_OK && call->replies != expected(call))
                sim_fail("OK, with %u replies of %u", call->replies, expected(call));
        if (call->is_done)
                sim_fail("a call ends twice");
        call->is_done = true;
}

/* ---- asynchronous ---- */

static void on_message(quoit_outcall *outcall, const struct upb_Message *message, void *user)
{
        (void)outcall;
        check_reply(user, message);
}

static void on_done(quoit_outcall *outcall, quoit_status status, void *user)
{
        quoit_error error;

        quoit_outcall_get_error(outcall, &error);
        if (error.status != status)
                sim_fail("two statuses of one call");
        end(user, &error);
}

static void send_all(struct sweep_call *call)
{
        for (unsigned i = 0; i < (sends_many(call) ? call->asks : 1) && !call->is_given_up; i++) {
                upb_Arena *arena;
                const struct upb_Message *ask = ask_new(call, &arena);

                call->is_given_up = !STAGE_TRY(quoit_outcall_send(call->call, ask));
                upb_Arena_Free(arena);
        }
        if (call->is_given_up)
                quoit_outcall_cancel(call->call);
        else
                quoit_outcall_half_close(call->call);
}

void call_begin(struct stage *stage, struct sweep_call *call)
{
        static const quoit_outcall_handler handler = { .on_message = on_message,
                .on_done = on_done };
        quoit_outcall *outcall;

        if (call->options.timeout_ms == 0)
                call->options.timeout_ms = TIMEOUT_MS;
        if (!STAGE_TRY(quoit_outcall_start(stage->channel, method_of(call->kind), &call->options,
                    &handler, call, &outcall))) {
                call->is_done = true;
                call->status = QUOIT_RESOURCE_EXHAUSTED;
                return;
        }
        call->call = outcall;
        send_all(call);
}

static bool is_done(const void *user)
{
        return ((const struct sweep_call *)user)->is_done;
}

void call_wait(struct stage *stage, struct sweep_call *call)
{
        stage_wait_until(stage, is_done, call);
}

bool call_make(struct stage *stage, struct sweep_call *call)
{
        call_begin(stage, call);
        call_wait(stage, call);
        return call->status == QUOIT_OK;
}

/* ---- blocking ---- */

static void make_unary(struct stage *stage, struct sweep_call *call, upb_Arena *arena)
{
        const struct upb_Message *reply = NULL;
        upb_Arena *own;
        quoit_error error;

        (void)quoit_unary_blocking(stage->channel, method_of(call->kind), arena,
                ask_new(call, &own), &call->options, &reply, &error);
        upb_Arena_Free(own);
        if (error.status == QUOIT_OK)
                check_reply(call, reply);
        end(call, &error);
}

static void write_all(struct sweep_call *call, quoit_stream *stream)
{
        for (unsigned i = 0; i < call->asks; i++) {
                upb_Arena *arena;
                bool is_sent = quoit_stream_write(stream, ask_new(call, &arena));

                upb_Arena_Free(arena);
                if (!is_sent)
                        break;
        }
        quoit_stream_half_close(stream);
}

static void make_stream(struct stage *stage, struct sweep_call *call, upb_Arena *arena)
{
        const struct upb_Message *reply;
        quoit_error error;
        upb_Arena *own;
        quoit_stream *stream = quoit_stream_open(
                stage->channel, method_of(call->kind), ask_new(call, &own), &call->options);

        upb_Arena_Free(own);
        if (!stage_went_well(stream ? 0 : -ENOMEM, "quoit_stream_open"))
                return;
        if (sends_many(call))
                write_all(call, stream);
        while (quoit_stream_read(stream, arena, &reply))
                check_reply(call, reply);
        (void)quoit_stream_finish(stream, &error);
        end(call, &error);
}

void call_make_blocking(struct stage *stage, struct sweep_call *call)
{
        upb_Arena *arena;

        call->options.timeout_ms = TIMEOUT_MS;
        sim_own_begin();
        arena = upb_Arena_New();
        sim_own_end();
        if (call->kind == QUOIT_UNARY)
                make_unary(stage, call, arena);
        else
                make_stream(stage, call, arena);
        upb_Arena_Free(arena);
}

/* ---- afterwards ---- */

static bool has_server(const struct stage *stage)
{
        for (unsigned i = 0; i < stage->server_count; i++) {
                if (stage->servers[i].serves && !stage->servers[i].has_ended)
                        return true;
        }
        return false;
}

void call_check_recovery(struct stage *stage)
{
        struct sweep_call call = call_of(QUOIT_UNARY, 10);

        if (!stage->channel || !has_server(stage) || plan_now()->goes_on || !plan_has_fired())
                return;
        call.options = (quoit_call_options){ .timeout_ms = 600000,
                .wait_for_ready = QUOIT_WAIT_FOR_READY };
        if (stage->scenario->client.stepped) {
                (void)call_make(stage, &call);
        } else {
                call_make_blocking(stage, &call);
        }
        if (call.status != QUOIT_OK)
                sim_fail("a call fails after what was to fail has failed: %s",
                        quoit_status_name(call.status));
}
