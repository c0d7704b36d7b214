/* SPDX-License-Identifier: MIT */

/* --generic: methods that calls.proto does not have are an echo of bytes. */

#include "test_server.h"

#include <errno.h>

static void *on_start(quoit_call *call, void *user)
{
        watch(call, user);
        attach_to_reply(call);
        if (quoit_call_method(call))
                quoit_call_finish(call, QUOIT_INTERNAL, "it has a method");
        quoit_call_add_header(call, "path", upb_StringView_FromString(quoit_call_path(call)));
        quoit_call_set_read_credits(call, 1);
        return NULL;
}

static void read_on(quoit_call *call)
{
        if (quoit_call_writable(call))
                quoit_call_set_read_credits(call, 1);
}

/* All comes back, but for one. */
static void on_message(quoit_call *call, upb_StringView message, void *state)
{
        (void)state;
        if (upb_StringView_IsEqual(message, upb_StringView_FromString("fail")))
                quoit_call_finish(call, QUOIT_DATA_LOSS, "as told");
        else if (quoit_call_send_bytes(call, message.data, message.size) == 0)
                read_on(call);
}

static void on_writable(quoit_call *call, void *state)
{
        (void)state;
        read_on(call);
}

static void on_half_close(quoit_call *call, void *state)
{
        (void)state;
        quoit_call_finish(call, QUOIT_OK, NULL);
}

int generic_add(struct test_server *test, bool offload)
{
        static const quoit_generic_handler echo = {
                .on_start = on_start,
                .on_message = on_message,
                .on_half_close = on_half_close,
                .on_writable = on_writable,
        };
        const quoit_method_options options = { .offload = offload, .live_calls_max = 20 };
        int r = quoit_server_register_generic(test->server, &echo, &options, test);

        if (r == 0 && quoit_server_register_generic(test->server, &echo, NULL, NULL) != -EEXIST)
                r = -EPROTO;
        return r;
}
