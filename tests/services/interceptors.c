/* SPDX-License-Identifier: MIT */

/*
 * Two interceptors, "outer" and "inner". Each tells its start in a trailer, "order", and its end in a line on stderr.
 * The outer one does what the request's metadata "gate" says: see enter().
 */

#include "test_server.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char user_key;

static bool is(upb_StringView text, const char *what)
{
        return text.size == strlen(what) && memcmp(text.data, what, text.size) == 0;
}

static void tell_order(quoit_call *call, const char *name)
{
        quoit_call_add_trailer(call, "order", upb_StringView_FromString(name));
}

/* ---- a token that is checked elsewhere ---- */

#define GATE_MS 20

/* How long its start is held: GATE_MS, or what its metadata say. */
static uint32_t gate_ms(const quoit_call *call)
{
        upb_StringView text;
        uint32_t ms = 0;

        if (!quoit_call_metadata(call, "gate-ms", &text))
                return GATE_MS;
        for (size_t i = 0; i < text.size; i++)
                ms = ms * 10 + (uint32_t)(text.data[i] - '0');
        return ms;
}

struct check {
        quoit_call *call;
        bool good;
        uint32_t ms;
};

static void checked(quoit_call *call, void *arg)
{
        struct check *check = arg;

        if (check->good)
                quoit_call_proceed(call);
        else
                quoit_call_finish(call, QUOIT_UNAUTHENTICATED, "checked elsewhere");
        free(check);
}

static void *check_elsewhere(void *arg)
{
        struct check *check = arg;

        usleep(check->ms * 1000);
        if (quoit_call_post(check->call, checked, check) < 0)
                abort();
        return NULL;
}

static void hold(quoit_call *call, bool good)
{
        struct check *check = malloc(sizeof(*check));
        pthread_t thread;

        *check = (struct check){ .call = call, .good = good, .ms = gate_ms(call) };
        quoit_call_hold(call);
        if (pthread_create(&thread, NULL, check_elsewhere, check) != 0)
                abort();
        pthread_detach(thread);
}

/* ---- the outer one ---- */

static void proceed(quoit_call *call, void *state)
{
        (void)state;
        quoit_call_proceed(call);
}

static void enter(quoit_call *call, void *user)
{
        upb_StringView gate;

        tell_order(call, user);
        if (!quoit_call_metadata(call, "gate", &gate))
                return;
        if (is(gate, "refuse"))
                quoit_call_finish(call, QUOIT_PERMISSION_DENIED, "refused at the gate");
        else if (is(gate, "hold"))
                hold(call, true);
        else if (is(gate, "hold and refuse"))
                hold(call, false);
        else if (is(gate, "delay"))
                quoit_call_after(call, gate_ms(call), proceed, NULL); /* holds by itself */
        else if (is(gate, "hold until cancelled")) {
                quoit_call_hold(call);
                quoit_call_on_cancel(call, proceed, NULL);
        } else if (is(gate, "attach"))
                quoit_call_attach(call, &user_key, "ann");
}

/* "veto": no message of more than ten bytes. "mute": none is sent. */
static void see_received(quoit_call *call, const quoit_message_info *info, void *user)
{
        upb_StringView gate;

        (void)user;
        if (info->size > 10 && quoit_call_metadata(call, "gate", &gate) && is(gate, "veto"))
                quoit_call_finish(call, QUOIT_FAILED_PRECONDITION, "too long for the gate");
}

static void see_sent(quoit_call *call, const quoit_message_info *info, void *user)
{
        upb_StringView gate;

        (void)user;
        if ((info->type || info->bytes.data) && quoit_call_metadata(call, "gate", &gate) &&
                is(gate, "mute"))
                quoit_call_finish(call, QUOIT_ABORTED, "muted");
}

/* ---- both ---- */

static void tell_user(quoit_call *call, void *user)
{
        const char *name = quoit_call_attachment(call, &user_key);

        tell_order(call, user);
        if (name)
                quoit_call_add_header(call, "user", upb_StringView_FromString(name));
}

static void tell_end(const quoit_call *call, const quoit_call_summary *summary, void *user)
{
        const quoit_method *method = quoit_call_method(call);

        fprintf(stderr,
                "%s end: %s %s status=%d http=%u seen=%d handled=%d in=%" PRIu32 "/%" PRIu64
                " out=%" PRIu32 "/%" PRIu64 " wait_ms=%" PRIu64 " ms=%" PRIu64 "\n",
                (const char *)user, quoit_call_path(call), method ? "known" : "unknown",
                (int)summary->status, summary->http_status, summary->start_seen, summary->handled,
                summary->messages_received, summary->bytes_received, summary->messages_sent,
                summary->bytes_sent, summary->wait_ns / 1000000, summary->duration_ns / 1000000);
}

static const quoit_interceptor outer = {
        .on_start = enter, .on_received = see_received, .on_sent = see_sent, .on_end = tell_end
};
static const quoit_interceptor inner = { .on_start = tell_user, .on_end = tell_end };

int intercept(quoit_server *server)
{
        int r = quoit_server_intercept(server, &outer, "outer");

        return r < 0 ? r : quoit_server_intercept(server, &inner, "inner");
}

void attach_to_reply(quoit_call *call)
{
        const char *name = quoit_call_attachment(call, &user_key);

        if (name)
                quoit_call_add_trailer(call, "handler-saw", upb_StringView_FromString(name));
}
