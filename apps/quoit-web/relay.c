/* SPDX-License-Identifier: MIT */
#include "relay.h"

#include "backend.h"

/* ---- unary ---- */

/* @call is finished, or held until its outcall ends. */
static void hold_unless_failed(quoit_call *call, int r)
{
        if (r < 0)
                quoit_call_finish(call, QUOIT_INTERNAL, "the backend cannot be called");
        else
                quoit_call_hold(call);
}

/* Without a reply, the call ends as the outcall did. */
static void on_hello(
        quoit_outcall *outcall, quoit_status status, const api_Hello *reply, void *user)
{
        if (reply)
                api_Api_sayHello_reply(user, reply);
        else
                quoit_call_finish(user, status, quoit_outcall_status_message(outcall).data);
}

static void say_hello(quoit_call *call, const api_HelloRequest *request, void *user)
{
        const quoit_call_options options = { .parent = call, .timeout_ms = RELAY_TIMEOUT_MS };
        struct backend *backend = user;

        hold_unless_failed(call,
                api_Api_sayHello_start(backend->channel, request, &options, on_hello, call, NULL));
}

static void on_items(
        quoit_outcall *outcall, quoit_status status, const api_Items *reply, void *user)
{
        if (reply)
                api_Api_getAll_reply(user, reply);
        else
                quoit_call_finish(user, status, quoit_outcall_status_message(outcall).data);
}

static void get_all(quoit_call *call, const api_ApiRequest *request, void *user)
{
        const quoit_call_options options = { .parent = call, .timeout_ms = RELAY_TIMEOUT_MS };
        struct backend *backend = user;

        hold_unless_failed(call,
                api_Api_getAll_start(backend->channel, request, &options, on_items, call, NULL));
}

/* ---- a stream ---- */

static void on_item(quoit_outcall *outcall, const api_Item *item, void *user)
{
        quoit_call *call = user;

        api_Api_getStream_send(call, item);
        if (!quoit_call_writable(call))
                quoit_outcall_set_read_credits(outcall, 0); /* until read_on() */
}

/* The call's pump: its reader has caught up. */
static void read_on(quoit_call *call, void *state)
{
        (void)call;
        quoit_outcall_set_read_credits(state, QUOIT_CREDITS_UNLIMITED);
}

static void on_stream_done(quoit_outcall *outcall, quoit_status status, void *user)
{
        quoit_call_finish(user, status, quoit_outcall_status_message(outcall).data);
}

static const api_Api_getStream_receiver receiver = {
        .on_message = on_item,
        .on_done = on_stream_done,
};

static void get_stream(quoit_call *call, const api_ApiRequest *request, void *user)
{
        const quoit_call_options options = { .parent = call };
        struct backend *backend = user;
        quoit_outcall *outcall = NULL;
        int r = api_Api_getStream_start(
                backend->channel, request, &options, &receiver, call, &outcall);

        hold_unless_failed(call, r);
        if (r == 0)
                quoit_call_pump(call, read_on, outcall);
}

const api_Api_service relay_service = {
        .sayHello = say_hello,
        .getAll = get_all,
        .getStream = get_stream,
};
