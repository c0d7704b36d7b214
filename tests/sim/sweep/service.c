/* SPDX-License-Identifier: MIT */
#include "service.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/client_interceptor.h>
#include <quoit/interceptor.h>

#include "../pattern.h"
#include "core/engine/sim.h"
#include "script.quoit.h"

/* Of a call, in its arena. */
struct served {
        uint32_t messages; /* received */
        uint32_t count, size;
};

static unsigned begun, ended;

static void on_done(quoit_call *call, void *unused)
{
        (void)call;
        (void)unused;
        ended++;
}

/* NULL: it has been finished. */
static struct served *begin(quoit_call *call)
{
        struct served *served = quoit_call_alloc(call, sizeof(*served));

        begun++;
        if (!served)
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
        else
                *served = (struct served){ 0 };
        return served;
}

/* NULL: the call has been finished. */
static script_Told *told_new(quoit_call *call, uint32_t number, uint32_t size)
{
        upb_Arena *arena = quoit_call_scratch(call);
        script_Told *told = arena ? script_Told_new(arena) : NULL;
        unsigned char *payload = told ? upb_Arena_Malloc(arena, size + 1) : NULL;

        if (!payload) {
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return NULL;
        }
        pattern_fill(payload, size, number);
        script_Told_set_number(told, number);
        script_Told_set_payload(told, upb_StringView_FromDataAndSize((char *)payload, size));
        return told;
}

static void reply(quoit_call *call, void *user)
{
        const struct served *served = user;
        const script_Told *told = told_new(call, served->messages, served->size);

        if (told)
                script_Script_Unary_reply(call, told);
}

static unsigned attempt_of(const quoit_call *call)
{
        upb_StringView value;

        return quoit_call_metadata(call, "grpc-previous-rpc-attempts", &value)
                       ? (unsigned)(value.data[0] - '0')
                       : 0;
}

/* ---- calls that are made for others ---- */

static quoit_channel *back;

static void on_called(quoit_outcall *outcall, quoit_status status, void *user)
{
        quoit_call *call = user;

        (void)outcall;
        if (status == QUOIT_OK)
                reply(call, quoit_call_attachment(call, &back));
        else
                quoit_call_finish(call, status, "the call that was made for it");
}

static void call_back(quoit_call *call, struct served *served)
{
        static const quoit_outcall_handler handler = { .on_done = on_called };
        const quoit_call_options options = { .parent = call };
        script_Ask *ask = script_Ask_new(quoit_call_arena(call));
        quoit_outcall *outcall;
        int r = quoit_call_attach(call, &back, served);

        if (r == 0)
                r = quoit_outcall_start(back,
                        quoit_service_method(&quoit_script__Script_service, "Unary"), &options,
                        &handler, call, &outcall);
        if (r < 0) {
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return;
        }
        quoit_call_hold(call);
        if (quoit_outcall_send(outcall, (struct upb_Message *)ask) < 0)
                quoit_outcall_finish(outcall, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
}

void service_call_back(quoit_channel *channel)
{
        back = channel;
}

/* ---- what is asked for ---- */

/* True: it has been answered, or will be. */
static bool acts(quoit_call *call, struct served *served, const script_Ask *ask)
{
        served->count = script_Ask_count(ask);
        served->size = script_Ask_size(ask);
        switch (script_Ask_act(ask)) {
        case ACT_LATER:
                if (quoit_call_after(call, served->count, reply, served) < 0)
                        quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return true;
        case ACT_AGAIN:
                if (attempt_of(call) >= served->count)
                        return false;
                quoit_call_finish(call, QUOIT_UNAVAILABLE, "again");
                return true;
        case ACT_CALL:
                call_back(call, served);
                return true;
        default:
                return false;
        }
}

static void unary(quoit_call *call, const script_Ask *ask, void *user)
{
        struct served *served;

        (void)user;
        quoit_call_on_done(call, on_done, NULL);
        served = begin(call);
        if (!served)
                return;
        if (!acts(call, served, ask))
                reply(call, served);
}

/* All at once. */
static void server_stream(quoit_call *call, const script_Ask *ask, void *user)
{
        struct served *served = begin(call);
        int r = 0;

        (void)user;
        quoit_call_on_done(call, on_done, NULL);
        if (!served)
                return;
        if (acts(call, served, ask))
                return;
        for (uint32_t i = 0; i < served->count && r == 0; i++) {
                const script_Told *told = told_new(call, i, served->size);

                r = told ? script_Script_ServerStream_send(call, told) : -ECANCELED;
        }
        if (r != -ECANCELED)
                quoit_call_finish(call, r == 0 ? QUOIT_OK : QUOIT_RESOURCE_EXHAUSTED, NULL);
}

static void *many_start(quoit_call *call, void *user)
{
        (void)user;
        return begin(call);
}

static void many_done(quoit_call *call, void *state)
{
        on_done(call, state);
}

static void upload_message(quoit_call *call, const script_Ask *ask, void *state)
{
        struct served *served = state;

        (void)call;
        served->messages++;
        served->size = script_Ask_size(ask);
}

static void upload_half_close(quoit_call *call, void *state)
{
        const struct served *served = state;
        const script_Told *told = told_new(call, served->messages, served->size);

        if (told)
                script_Script_ClientStream_reply(call, told);
}

static void chat_message(quoit_call *call, const script_Ask *ask, void *state)
{
        struct served *served = state;
        const script_Told *told = told_new(call, served->messages++, script_Ask_size(ask));

        if (told && script_Script_Bidi_send(call, told) < 0)
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
}

static void chat_half_close(quoit_call *call, void *state)
{
        (void)state;
        quoit_call_finish(call, QUOIT_OK, NULL);
}

int service_register(quoit_server *server, const quoit_method_options *methods)
{
        static const script_Script_service service = {
                .Unary = unary,
                .ServerStream = server_stream,
                .ClientStream = {
                        .on_start = many_start,
                        .on_message = upload_message,
                        .on_half_close = upload_half_close,
                        .on_done = many_done,
                },
                .Bidi = {
                        .on_start = many_start,
                        .on_message = chat_message,
                        .on_half_close = chat_half_close,
                        .on_done = many_done,
                },
        };
        static const char *const names[] = { "/script.Script/Unary", "/script.Script/ServerStream",
                "/script.Script/ClientStream", "/script.Script/Bidi" };
        int r = script_Script_register(server, &service, NULL);

        for (unsigned i = 0; methods && r == 0 && i < 4; i++)
                r = quoit_server_set_method(server, names[i], methods);
        return r;
}

void service_begin(void)
{
        begun = ended = 0;
}

void service_end(void)
{
        if (begun != ended)
                sim_fail("%u handlers have begun, and %u have ended", begun, ended);
}
