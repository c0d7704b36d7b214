/* SPDX-License-Identifier: MIT */
#include "service.h"

static void out_of_memory(quoit_call *call)
{
        quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
}

/* ---- echo ---- */

static void echo(quoit_call *call, const bench_Payload *request, void *user)
{
        (void)user;
        bench_Bench_echo_reply(call, request);
}

/* ---- collect ---- */

struct collection {
        int64_t messages;
        int64_t bytes;
};

static void *collect_start(quoit_call *call, void *user)
{
        struct collection *collection = quoit_call_alloc(call, sizeof(*collection));

        (void)user;
        if (!collection)
                out_of_memory(call);
        return collection;
}

static void collect_message(quoit_call *call, const bench_Payload *message, void *state)
{
        struct collection *collection = state;

        (void)call;
        collection->messages++;
        collection->bytes += (int64_t)bench_Payload_body(message).size;
}

static void collect_half_close(quoit_call *call, void *state)
{
        const struct collection *collection = state;
        bench_Summary *summary = bench_Summary_new(quoit_call_scratch(call));

        if (summary) {
                bench_Summary_set_messages(summary, collection->messages);
                bench_Summary_set_bytes(summary, collection->bytes);
        }
        bench_Bench_collect_reply(call, summary);
}

/* ---- chat ---- */

/* Reads no more than it can write: a client that sends and does not read waits. */
static void chat_message(quoit_call *call, const bench_Payload *message, void *user)
{
        (void)user;
        bench_Bench_chat_send(call, message);
        if (!quoit_call_writable(call))
                quoit_call_set_read_credits(call, 0);
}

static void chat_writable(quoit_call *call, void *user)
{
        (void)user;
        quoit_call_set_read_credits(call, QUOIT_CREDITS_UNLIMITED);
}

static void chat_half_close(quoit_call *call, void *user)
{
        (void)user;
        quoit_call_finish(call, QUOIT_OK, NULL);
}

/* ---- pause ---- */

static void end_pause(quoit_call *call, void *arg)
{
        (void)arg;
        bench_Bench_pause_reply(call, bench_Payload_new(quoit_call_scratch(call)));
}

static void pause_ms(quoit_call *call, const bench_Pause *request, void *user)
{
        int32_t ms = bench_Pause_milliseconds(request);

        (void)user;
        if (quoit_call_after(call, ms > 0 ? (uint32_t)ms : 0, end_pause, NULL) < 0)
                out_of_memory(call);
}

const bench_Bench_service bench_service = {
        .echo = echo,
        .collect = {
                .on_start = collect_start,
                .on_message = collect_message,
                .on_half_close = collect_half_close,
        },
        .chat = {
                .on_message = chat_message,
                .on_writable = chat_writable,
                .on_half_close = chat_half_close,
        },
        .pause = pause_ms,
};
