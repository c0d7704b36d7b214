/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <quoit/quoit.h>

#include "kinds.quoit.h"

/* kinds.Kinds, for test_plugin_service.py: one handler of each kind, through generated glue. */

static void unary(quoit_call *call, const kinds_Number *req, void *user)
{
        kinds_Number *reply = kinds_Number_new(quoit_call_arena(call));

        /* @user as registered: what the answer is multiplied with. */
        kinds_Number_set_value(reply, kinds_Number_value(req) * *(const int *)user);
        kinds_Kinds_Unary_reply(call, reply);
}

struct count {
        int64_t next, last;
};

static void count_pump(quoit_call *call, void *state)
{
        struct count *c = state;

        while (c->next <= c->last && quoit_call_writable(call)) {
                kinds_Number *number = kinds_Number_new(quoit_call_scratch(call));

                kinds_Number_set_value(number, c->next++);
                kinds_Kinds_ServerStream_send(call, number);
        }
        if (c->next > c->last)
                quoit_call_finish(call, QUOIT_OK, NULL);
}

static void server_stream(quoit_call *call, const kinds_Number *req, void *user)
{
        struct count *c = quoit_call_alloc(call, sizeof(*c));

        (void)user;
        *c = (struct count){ .next = 1, .last = kinds_Number_value(req) };
        quoit_call_pump(call, count_pump, c);
}

static void *sum_start(quoit_call *call, void *user)
{
        (void)user;
        return quoit_call_alloc(call, sizeof(int64_t));
}

static void sum_message(quoit_call *call, const kinds_Number *message, void *state)
{
        (void)call;
        *(int64_t *)state += kinds_Number_value(message);
}

static void sum_half_close(quoit_call *call, void *state)
{
        kinds_Number *reply = kinds_Number_new(quoit_call_arena(call));

        kinds_Number_set_value(reply, *(const int64_t *)state);
        kinds_Kinds_ClientStream_reply(call, reply);
}

/* Without on_start the state is @user. */
static void negate_message(quoit_call *call, const kinds_Number *message, void *state)
{
        kinds_Number *reply = kinds_Number_new(quoit_call_scratch(call));

        kinds_Number_set_value(reply, -kinds_Number_value(message) * *(const int *)state);
        kinds_Kinds_Bidi_send(call, reply);
}

static void negate_half_close(quoit_call *call, void *state)
{
        (void)state;
        quoit_call_finish(call, QUOIT_OK, NULL);
}

static const kinds_Kinds_service kinds = {
        .Unary = unary,
        .ServerStream = server_stream,
        .ClientStream = { .on_start = sum_start,
                .on_message = sum_message,
                .on_half_close = sum_half_close },
        .Bidi = { .on_message = negate_message, .on_half_close = negate_half_close },
};

/* Has one method only: the others are UNIMPLEMENTED. */
static const kinds_Partial_service partial = { .Second = unary };

static quoit_server *running;

static void on_signal(int signal)
{
        (void)signal;
        quoit_server_stop(running);
}

int main(void)
{
        int factor = 3;
        uint16_t port = 0;
        int r;

        r = quoit_server_new(NULL, &running);
        if (!r)
                r = kinds_Kinds_register(running, &kinds, &factor);
        if (!r)
                r = kinds_Partial_register(running, &partial, &factor);
        if (!r && kinds_Kinds_register(running, &kinds, &factor) != -EEXIST)
                r = -EINVAL;
        if (!r)
                r = quoit_server_listen(running, "127.0.0.1:0", &port);
        if (!r) {
                signal(SIGTERM, on_signal);
                printf("%d\n", port);
                fflush(stdout);
                r = quoit_server_run(running);
        }
        if (r)
                fprintf(stderr, "kinds_server: %d: %s\n", r, quoit_server_problem(running));
        quoit_server_free(running);
        return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
