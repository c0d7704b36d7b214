/* SPDX-License-Identifier: MIT */
/*
 * A server that knows no service and answers all methods: it sends each message back, byte for byte, for all four kinds of
 * methods. A proxy has the same structure, with another server's answers in place of the echo.
 */
#include <stdio.h>

#include "serve.h"

/* Counts for the trailers, as a proxy's log would have them. */
struct traffic {
        unsigned long messages;
        unsigned long long bytes;
};

/* One message at a time: the next one is read when there is room for its echo, and the client waits meanwhile. */
static void read_on(quoit_call *call)
{
        if (quoit_call_writable(call))
                quoit_call_set_read_credits(call, 1);
}

/* The server stops, and does not wait for a client that never ends its stream. */
static void on_stop(quoit_call *call, void *arg)
{
        (void)arg;
        quoit_call_finish(call, QUOIT_UNAVAILABLE, "the server is stopping");
}

static void *on_start(quoit_call *call, void *user)
{
        struct traffic *traffic = quoit_call_alloc(call, sizeof(*traffic));

        (void)user;
        if (!traffic || quoit_call_at_stop(call, on_stop, NULL) < 0) {
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return NULL;
        }
        quoit_call_add_header(call, "method", upb_StringView_FromString(quoit_call_path(call)));
        quoit_call_set_read_credits(call, 1);
        return traffic;
}

static void on_message(quoit_call *call, upb_StringView message, void *state)
{
        struct traffic *traffic = state;

        traffic->messages++;
        traffic->bytes += message.size;
        if (quoit_call_send_bytes(call, message.data, message.size) == 0)
                read_on(call);
}

static void on_writable(quoit_call *call, void *state)
{
        (void)state;
        read_on(call);
}

static void on_half_close(quoit_call *call, void *state)
{
        const struct traffic *traffic = state;
        upb_StringView text = quoit_call_format(
                call, "%lu messages, %llu bytes", traffic->messages, traffic->bytes);

        quoit_call_add_trailer(call, "traffic", text);
        quoit_call_finish(call, QUOIT_OK, NULL);
}

static const quoit_generic_handler echo = {
        .on_start = on_start,
        .on_message = on_message,
        .on_writable = on_writable,
        .on_half_close = on_half_close,
};

int main(int argc, char **argv)
{
        quoit_server *server = example_server(NULL);

        return example_serve(server, quoit_server_register_generic(server, &echo, NULL, NULL),
                example_address(argc, argv));
}
