/* SPDX-License-Identifier: MIT */
#include "script.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "script.quoit.h"

/* The state of one call; in its arena. */
struct play {
        struct script *script;
        uint32_t act;
        uint32_t left; /* answers to be sent */
        uint32_t size;
        uint32_t number;
        bool half_closed;
        bool posted; /* a function is posted: the call must not be finished before it has run */
};

static struct play *play_new(quoit_call *call, struct script *script)
{
        struct play *play = quoit_call_alloc(call, sizeof(*play));

        script->started++;
        if (!play)
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
        else
                play->script = script;
        return play;
}

static void play_read(struct play *play, const script_Ask *ask)
{
        play->act = script_Ask_act(ask) % SCRIPT_ACTS;
        play->left = script_Ask_count(ask) % 10000;
        play->size = script_Ask_size(ask) % SCRIPT_PAYLOAD_MAX;
        if (play->left * play->size > SCRIPT_BURST_MAX)
                play->left = SCRIPT_BURST_MAX / play->size;
}

static void hold(quoit_call *call, struct script *script)
{
        quoit_call_hold(call);
        if (script->held_count < SCRIPT_HELD_MAX)
                script->held[script->held_count++] = call;
        else
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "too many are held");
}

static void unhold(quoit_call *call, struct script *script)
{
        for (size_t i = 0; i < script->held_count; i++) {
                if (script->held[i] == call) {
                        script->held[i] = script->held[--script->held_count];
                        return;
                }
        }
}

static void on_done(quoit_call *call, void *user)
{
        struct script *script = user;

        unhold(call, script);
        script->done++;
}

static void on_cancel(quoit_call *call, void *user)
{
        struct play *play = user;

        assert(quoit_call_cancelled(call));
        play->script->cancels++;
        unhold(call, play->script);
        if (!play->posted)
                quoit_call_finish(call, QUOIT_CANCELLED, NULL);
}

/* One answer: its number, and a payload made from that. */
static script_Told *told_new(quoit_call *call, struct play *play)
{
        upb_Arena *arena = quoit_call_scratch(call);
        script_Told *told = arena ? script_Told_new(arena) : NULL;
        char *payload = told ? upb_Arena_Malloc(arena, play->size + 1) : NULL;

        if (!payload) {
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return NULL;
        }
        memset(payload, 'a' + (int)(play->number % 26), play->size);
        script_Told_set_number(told, play->number++);
        script_Told_set_payload(told, upb_StringView_FromDataAndSize(payload, play->size));
        return told;
}

static void reply(quoit_call *call, void *user)
{
        struct play *play = user;
        script_Told *told = told_new(call, play);

        if (told)
                script_Script_Unary_reply(call, told);
}

/* By name of a method that sends many: the one of a unary method is its reply. */
static void twice(quoit_call *call, struct play *play)
{
        script_Told *told = told_new(call, play);
        int r = told ? script_Script_ServerStream_send(call, told) : -ENOMEM;

        if (r == 0 && !quoit_call_cancelled(call))
                assert(script_Script_ServerStream_send(call, told) == -EALREADY);
        quoit_call_finish(call, QUOIT_OK, NULL);
}

static void post(quoit_call *call, struct play *play, void (*fn)(quoit_call *call, void *user))
{
        quoit_call_hold(call);
        if (quoit_call_post(call, fn, play) < 0)
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
        else
                play->posted = true;
}

static void posted_reply(quoit_call *call, void *user)
{
        ((struct play *)user)->posted = false;
        reply(call, user);
}

/* Sends the request's metadata back, except what must not be sent. */
static void echo_metadata(quoit_call *call)
{
        upb_StringView name, value;
        size_t cursor = 0;

        while (quoit_call_metadata_next(call, &cursor, &name, &value)) {
                char text[128];

                if (name.size >= sizeof(text))
                        continue;
                memcpy(text, name.data, name.size);
                text[name.size] = 0;
                (void)quoit_call_add_header(call, text, value);
                (void)quoit_call_add_trailer(call, text, value);
        }
}

static void fail(quoit_call *call, upb_StringView text)
{
        quoit_call_finishf(call, QUOIT_NOT_FOUND, "%.*s", (int)text.size, text.data);
}

/* ---- one request ---- */

static void unary(quoit_call *call, const script_Ask *ask, void *user)
{
        struct script *script = user;
        struct play *play = play_new(call, script);

        quoit_call_on_done(call, on_done, script);
        if (!play)
                return;
        quoit_call_on_cancel(call, on_cancel, play);
        play_read(play, ask);
        switch ((enum script_act)play->act) {
        case SCRIPT_FAIL:
                fail(call, script_Ask_payload(ask));
                break;
        case SCRIPT_FORGET:
                break;
        case SCRIPT_EMPTY:
                quoit_call_finish(call, QUOIT_OK, NULL);
                break;
        case SCRIPT_TWICE:
                twice(call, play);
                break;
        case SCRIPT_NULL:
                script_Script_Unary_reply(call, script_Told_new(NULL));
                break;
        case SCRIPT_HEADERS:
                quoit_call_send_headers(call);
                hold(call, script);
                break;
        case SCRIPT_HOLD:
                hold(call, script);
                break;
        case SCRIPT_POST:
                post(call, play, posted_reply);
                break;
        case SCRIPT_METADATA:
                echo_metadata(call);
                reply(call, play);
                break;
        default:
                reply(call, play);
                break;
        }
}

static bool send_one(quoit_call *call, struct play *play)
{
        script_Told *told = told_new(call, play);

        if (play->act != SCRIPT_ENDLESS)
                play->left--;
        return told && script_Script_ServerStream_send(call, told) == 0;
}

static void pump(quoit_call *call, void *user)
{
        struct play *play = user;

        while (play->left > 0 && (play->act == SCRIPT_BURST || quoit_call_writable(call))) {
                if (!send_one(call, play))
                        return;
        }
        if (play->left == 0)
                quoit_call_finish(call, QUOIT_OK, NULL);
}

static void posted_pump(quoit_call *call, void *user)
{
        ((struct play *)user)->posted = false;
        if (quoit_call_cancelled(call))
                quoit_call_finish(call, QUOIT_CANCELLED, NULL);
        else
                quoit_call_pump(call, pump, user);
}

static void server_stream(quoit_call *call, const script_Ask *ask, void *user)
{
        struct script *script = user;
        struct play *play = play_new(call, script);

        quoit_call_on_done(call, on_done, script);
        if (!play)
                return;
        quoit_call_on_cancel(call, on_cancel, play);
        play_read(play, ask);
        switch ((enum script_act)play->act) {
        case SCRIPT_FAIL:
                fail(call, script_Ask_payload(ask));
                break;
        case SCRIPT_FORGET:
                break;
        case SCRIPT_HEADERS:
                quoit_call_send_headers(call);
                hold(call, script);
                break;
        case SCRIPT_HOLD:
                hold(call, script);
                break;
        case SCRIPT_POST:
                post(call, play, posted_pump);
                break;
        case SCRIPT_METADATA:
                echo_metadata(call);
                quoit_call_pump(call, pump, play);
                break;
        case SCRIPT_NULL:
                assert(script_Script_ServerStream_send(call, NULL) == -ENOMEM);
                break;
        case SCRIPT_ENDLESS:
                play->left = 1;
                quoit_call_pump(call, pump, play);
                break;
        default:
                quoit_call_pump(call, pump, play);
                break;
        }
}

/* ---- many requests ---- */

static void *many_start(quoit_call *call, void *user)
{
        struct play *play = play_new(call, user);

        if (play)
                quoit_call_on_cancel(call, on_cancel, play);
        return play;
}

static void give_credits(quoit_call *call, void *user)
{
        struct play *play = user;

        play->posted = false;
        quoit_call_set_read_credits(call, play->left ? play->left : QUOIT_CREDITS_UNLIMITED);
        if (quoit_call_cancelled(call))
                quoit_call_finish(call, QUOIT_CANCELLED, NULL);
        else if (play->half_closed)
                quoit_call_finish(call, QUOIT_OK, NULL);
}

static void stop_reading(quoit_call *call, struct play *play)
{
        quoit_call_set_read_credits(call, 0);
        post(call, play, give_credits);
}

static void many_message(quoit_call *call, const script_Ask *ask, struct play *play)
{
        play->script->messages++;
        play_read(play, ask);
        if (play->act == SCRIPT_FAIL)
                fail(call, script_Ask_payload(ask));
        else if (play->act == SCRIPT_STOP_READING)
                stop_reading(call, play);
        else if (play->act == SCRIPT_HEADERS)
                quoit_call_send_headers(call);
        else if (play->act == SCRIPT_METADATA)
                echo_metadata(call);
}

static void upload_message(quoit_call *call, const script_Ask *ask, void *state)
{
        many_message(call, ask, state);
}

static void upload_half_close(quoit_call *call, void *state)
{
        struct play *play = state;

        play->half_closed = true;
        play->script->half_closes++;
        play->number = (uint32_t)play->script->messages;
        if (play->act == SCRIPT_HOLD)
                hold(call, play->script);
        else if (play->act != SCRIPT_FORGET && !play->posted)
                reply(call, play);
}

static void many_done(quoit_call *call, void *state)
{
        struct play *play = state;

        if (play)
                on_done(call, play->script);
}

static void chat_send(quoit_call *call, struct play *play)
{
        if (play->posted)
                return;
        while (play->left > 0 && (play->act == SCRIPT_BURST || quoit_call_writable(call))) {
                if (!send_one(call, play))
                        return;
        }
        if (play->left == 0 && play->half_closed && play->act != SCRIPT_HOLD)
                quoit_call_finish(call, QUOIT_OK, NULL);
}

static void chat_message(quoit_call *call, const script_Ask *ask, void *state)
{
        struct play *play = state;

        many_message(call, ask, play);
        if (play->act != SCRIPT_FORGET)
                chat_send(call, play);
}

static void chat_half_close(quoit_call *call, void *state)
{
        struct play *play = state;

        play->half_closed = true;
        play->script->half_closes++;
        if (play->act == SCRIPT_HOLD)
                hold(call, play->script);
        else if (play->act != SCRIPT_FORGET)
                chat_send(call, play);
}

static void chat_writable(quoit_call *call, void *state)
{
        chat_send(call, state);
}

/* ---- */

int script_register(quoit_server *server, struct script *script)
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
                        .on_writable = chat_writable,
                        .on_done = many_done,
                },
        };

        return script_Script_register(server, &service, script);
}

void script_finish_held(struct script *script)
{
        while (script->held_count > 0) {
                quoit_call *call = script->held[script->held_count - 1];

                unhold(call, script);
                quoit_call_finish(call, QUOIT_UNAVAILABLE, "finished from outside");
        }
}
