/* SPDX-License-Identifier: MIT */
#include "ask.h"

#include <stdio.h>
#include <string.h>

struct asking {
        const struct ask *question;
        quoit_error *error;
        bool is_done;
};

static void on_message(quoit_outcall *call, const struct upb_Message *message, void *user)
{
        struct asking *asking = user;

        (void)call;
        if (asking->question->on_reply)
                asking->question->on_reply(message, asking->question->user);
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct asking *asking = user;

        (void)status;
        quoit_outcall_get_error(call, asking->error);
        asking->is_done = true;
}

static const quoit_outcall_handler handler = { .on_message = on_message, .on_done = on_done };

static quoit_status fail(int error, quoit_error *ret_error)
{
        *ret_error = (quoit_error){ .status = QUOIT_INTERNAL };
        snprintf(ret_error->text, sizeof(ret_error->text), "%s", strerror(-error));
        return QUOIT_INTERNAL;
}

quoit_status ask(struct connection *connection, const struct ask *question, quoit_error *ret_error)
{
        const quoit_call_options options = { .timeout_ms = question->timeout_ms };
        struct asking asking = { .question = question, .error = ret_error };
        quoit_outcall *call;
        int r = quoit_outcall_start(
                connection->channel, question->method, &options, &handler, &asking, &call);

        if (r < 0)
                return fail(r, ret_error);
        if (question->request)
                r = quoit_outcall_send(call, question->request);
        if (r == 0 && !question->stays_open)
                quoit_outcall_half_close(call);
        if (r < 0)
                quoit_outcall_cancel(call);
        r = connection_wait(connection, &asking.is_done);
        if (r < 0)
                return fail(r, ret_error); /* the ring is broken, and the call with it */
        return ret_error->status;
}
