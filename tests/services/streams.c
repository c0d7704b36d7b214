/* SPDX-License-Identifier: MIT */
#include "test_server.h"

#include <stdlib.h>
#include <string.h>

/* ---- the server streams ---- */

struct counting {
        struct test_server *test;
        int64_t sent;
        int64_t count;
        quoit_status status;
        const char *message;
};

static struct counting *start_counting(
        quoit_call *call, const calls_CountRequest *request, void *user)
{
        struct counting *counting = quoit_call_alloc(call, sizeof(*counting));
        upb_StringView message = calls_CountRequest_message(request);
        char *text = quoit_call_alloc(call, message.size + 1);

        watch(call, user);
        if (message.size > 0)
                memcpy(text, message.data, message.size);
        counting->test = user;
        counting->count = calls_CountRequest_count(request);
        counting->status = (quoit_status)calls_CountRequest_code(request);
        counting->message = message.size > 0 ? text : NULL;
        return counting;
}

static void send_next(quoit_call *call, struct counting *counting)
{
        calls_Number *number = calls_Number_new(quoit_call_scratch(call));

        calls_Number_set_value(number, ++counting->sent);
        calls_Calls_Count_send(call, number);
        atomic_fetch_add(&counting->test->sent, 1);
}

static void count_pump(quoit_call *call, void *state)
{
        struct counting *counting = state;

        while (counting->sent < counting->count && quoit_call_writable(call))
                send_next(call, counting);
        if (counting->sent >= counting->count)
                quoit_call_finish(call, counting->status, counting->message);
}

static void count(quoit_call *call, const calls_CountRequest *request, void *user)
{
        quoit_call_pump(call, count_pump, start_counting(call, request, user));
}

static void blocking_count(quoit_call *call, const calls_CountRequest *request, void *user)
{
        struct counting *counting = start_counting(call, request, user);

        while (counting->sent < counting->count && !quoit_call_cancelled(call))
                send_next(call, counting);
        if (quoit_call_cancelled(call))
                atomic_fetch_add(&counting->test->stopped, 1);
        quoit_call_finish(call, counting->status, counting->message);
}

static void blocking_parts(quoit_call *call, const calls_Number *request, void *user)
{
        static const char part[16 << 10];

        watch(call, user);
        for (int64_t i = 0; i < calls_Number_value(request); i++) {
                calls_Payload *payload = calls_Payload_new(quoit_call_scratch(call));

                calls_Payload_set_data(payload, upb_StringView_FromDataAndSize(part, sizeof(part)));
                calls_Calls_BlockingParts_send(call, payload);
        }
        quoit_call_finish(call, QUOIT_OK, NULL);
}

static void late(quoit_call *call, const calls_Empty *request, void *user)
{
        struct counting counting = { .test = user };

        (void)request;
        watch(call, user);
        send_next(call, &counting);
        quoit_call_finish(call, QUOIT_OK, NULL);
        send_next(call, &counting);
        quoit_call_send_headers(call);
        quoit_call_hold(call);
        if (quoit_call_add_trailer(call, "x-late", upb_StringView_FromString("1")) == 0)
                abort();
        quoit_call_finish(call, QUOIT_DATA_LOSS, "a second finish");
}

/* ---- the client streams ---- */

struct summing {
        struct test_server *test;
        int64_t value;
};

static void *sum_start(quoit_call *call, void *user)
{
        struct summing *summing = quoit_call_alloc(call, sizeof(*summing));

        watch(call, user);
        summing->test = user;
        return summing;
}

static void sum_message(quoit_call *call, const calls_Number *message, void *state)
{
        struct summing *summing = state;

        (void)call;
        summing->value += calls_Number_value(message);
}

static void sum_half_close(quoit_call *call, void *state)
{
        struct summing *summing = state;
        calls_Number *reply = calls_Number_new(quoit_call_arena(call));

        calls_Number_set_value(reply, summing->value);
        calls_Calls_Sum_reply(call, reply);
}

static void *watch_start(quoit_call *call, void *user)
{
        watch(call, user);
        return user;
}

static void first_message(quoit_call *call, const calls_Payload *message, void *state)
{
        (void)state;
        calls_Calls_First_reply(call, message);
}

/* ---- both stream ---- */

#define CHAT_CREDITS 4

struct chatting {
        struct test_server *test;
        bool refills; /* reads on as it can write */
};

static void *chat_start(quoit_call *call, void *user)
{
        struct chatting *chatting = quoit_call_alloc(call, sizeof(*chatting));
        upb_StringView credits;

        watch(call, user);
        chatting->test = user;
        chatting->refills = !quoit_call_metadata(call, "credits", &credits);
        quoit_call_set_read_credits(
                call, chatting->refills ? CHAT_CREDITS
                                        : (uint32_t)strtoul(quoit_call_format(call, "%.*s",
                                                                    (int)credits.size, credits.data)
                                                                    .data,
                                                  NULL, 10));
        quoit_call_send_headers(call);
        return chatting;
}

static void chat_read_on(quoit_call *call, struct chatting *chatting)
{
        if (chatting->refills && quoit_call_writable(call))
                quoit_call_set_read_credits(call, CHAT_CREDITS);
}

static void chat_message(quoit_call *call, const calls_Payload *message, void *state)
{
        struct chatting *chatting = state;

        calls_Calls_Chat_send(call, message);
        atomic_fetch_add(&chatting->test->sent, 1);
        chat_read_on(call, chatting);
}

static void chat_writable(quoit_call *call, void *state)
{
        chat_read_on(call, state);
}

static void chat_half_close(quoit_call *call, void *state)
{
        (void)state;
        quoit_call_finish(call, QUOIT_OK, NULL);
}

void streams_add(calls_Calls_service *service)
{
        service->Count = count;
        service->BlockingCount = blocking_count;
        service->BlockingParts = blocking_parts;
        service->Late = late;
        service->Sum = (calls_Calls_Sum_handler){
                .on_start = sum_start,
                .on_message = sum_message,
                .on_half_close = sum_half_close,
        };
        service->First = (calls_Calls_First_handler){
                .on_start = watch_start,
                .on_message = first_message,
        };
        service->ForgetStream = (calls_Calls_ForgetStream_handler){
                .on_start = watch_start,
        };
        service->Chat = (calls_Calls_Chat_handler){
                .on_start = chat_start,
                .on_message = chat_message,
                .on_writable = chat_writable,
                .on_half_close = chat_half_close,
        };
}
