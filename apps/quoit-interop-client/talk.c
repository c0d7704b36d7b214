/* SPDX-License-Identifier: MIT */
#include "talk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Never written to, so it costs only the kernel's zero page. */
static char zeros[TALK_PAYLOAD_BYTES_MAX];

/* ---- requests ---- */

grpc_testing_Payload *talk_payload(upb_Arena *arena, unsigned bytes)
{
        grpc_testing_Payload *payload = grpc_testing_Payload_new(arena);

        grpc_testing_Payload_set_body(payload, upb_StringView_FromDataAndSize(zeros, bytes));
        return payload;
}

grpc_testing_SimpleRequest *talk_simple_request(
        upb_Arena *arena, unsigned bytes, unsigned reply_bytes)
{
        grpc_testing_SimpleRequest *request = grpc_testing_SimpleRequest_new(arena);

        grpc_testing_SimpleRequest_set_payload(request, talk_payload(arena, bytes));
        grpc_testing_SimpleRequest_set_response_size(request, (int32_t)reply_bytes);
        return request;
}

grpc_testing_BoolValue *talk_bool(upb_Arena *arena, bool value)
{
        grpc_testing_BoolValue *made = grpc_testing_BoolValue_new(arena);

        grpc_testing_BoolValue_set_value(made, value);
        return made;
}

/* ---- what comes ---- */

static struct talk_bytes keep(upb_StringView bytes)
{
        struct talk_bytes kept = { bytes.size < TALK_BYTES_MAX ? bytes.size : TALK_BYTES_MAX, "" };

        if (kept.size > 0)
                memcpy(kept.data, bytes.data, kept.size);
        return kept;
}

static int64_t zeros_in(const grpc_testing_Payload *payload)
{
        upb_StringView body =
                payload ? grpc_testing_Payload_body(payload) : upb_StringView_FromString("");

        if (body.size > sizeof(zeros) ||
                (body.size > 0 && memcmp(body.data, zeros, body.size) != 0))
                return -1;
        return (int64_t)body.size;
}

static int64_t number_of(struct talk *talk, const upb_Message *message)
{
        const upb_MiniTable *type = talk->method->reply;

        if (type == &quoit_grpc__testing__SimpleResponse_msg_init) {
                const grpc_testing_SimpleResponse *reply = (const void *)message;

                talk->server_id = keep(grpc_testing_SimpleResponse_server_id(reply));
                return zeros_in(grpc_testing_SimpleResponse_payload(reply));
        }
        if (type == &quoit_grpc__testing__StreamingOutputCallResponse_msg_init)
                return zeros_in(
                        grpc_testing_StreamingOutputCallResponse_payload((const void *)message));
        if (type == &quoit_grpc__testing__StreamingInputCallResponse_msg_init)
                return grpc_testing_StreamingInputCallResponse_aggregated_payload_size(
                        (const void *)message);
        return 0;
}

static void send_next(struct talk *talk)
{
        unsigned next = talk->sent++;

        quoit_outcall_set_message_compression(talk->call, !talk->plain[next]);
        if (quoit_outcall_send(talk->call, talk->requests[next]) < 0)
                quoit_outcall_cancel(talk->call);
}

static void on_message(quoit_outcall *call, const upb_Message *message, void *user)
{
        struct talk *talk = user;

        if (talk->reply_count < TALK_REPLIES_MAX)
                talk->replies[talk->reply_count] = (struct talk_reply){ number_of(talk, message),
                        quoit_outcall_reply_compression(call) != QUOIT_IDENTITY };
        talk->reply_count++;
        if (talk->cancel == TALK_CANCEL_REPLIED)
                quoit_outcall_cancel(call);
        else if (talk->takes_turns && talk->sent < talk->request_count)
                send_next(talk);
        else if (talk->takes_turns)
                quoit_outcall_half_close(call);
}

static void end(struct talk *talk)
{
        pthread_mutex_lock(&talk->mutex);
        talk->is_over = true;
        pthread_cond_signal(&talk->ended);
        pthread_mutex_unlock(&talk->mutex);
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct talk *talk = user;
        upb_StringView value;

        talk->status = status;
        talk->message = keep(quoit_outcall_status_message(call));
        if (quoit_outcall_header(call, TALK_INITIAL, &value))
                talk->initial = keep(value);
        if (quoit_outcall_trailer(call, TALK_TRAILING, &value))
                talk->trailing = keep(value);
        talk->call = NULL;
        end(talk);
}

/* ---- on the client's thread ---- */

/* A turn after its begin: the headers are on their way, if there is a connection. */
static void cancel(quoit_client *client, void *arg)
{
        struct talk *talk = arg;

        (void)client;
        if (talk->call)
                quoit_outcall_cancel(talk->call);
}

static void fail(struct talk *talk, int error)
{
        talk->status = QUOIT_INTERNAL;
        talk->message = keep(upb_StringView_FromString(strerror(-error)));
        end(talk);
}

static void start(quoit_client *client, void *arg)
{
        static const quoit_outcall_handler handler = { .on_message = on_message,
                .on_done = on_done };
        struct talk *talk = arg;
        unsigned now = talk->takes_turns && talk->request_count > 0 ? 1 : talk->request_count;
        int r = quoit_outcall_start(
                talk->channel, talk->method, &talk->options, &handler, talk, &talk->call);

        if (r < 0) {
                fail(talk, r);
                return;
        }
        if (talk->cancel == TALK_CANCEL_BEGUN) {
                if (quoit_client_post(client, cancel, talk) < 0)
                        quoit_outcall_cancel(talk->call);
                return;
        }
        while (talk->sent < now)
                send_next(talk);
        if (talk->cancel == TALK_CANCEL_NEVER && (!talk->takes_turns || talk->request_count == 0))
                quoit_outcall_half_close(talk->call);
}

void talk_start(struct talk *talk, quoit_client *client, quoit_channel *channel)
{
        int r;

        talk->channel = channel;
        pthread_mutex_init(&talk->mutex, NULL);
        pthread_cond_init(&talk->ended, NULL);
        r = quoit_client_post(client, start, talk);
        if (r < 0)
                fail(talk, r);
}

void talk_wait(struct talk *talk)
{
        pthread_mutex_lock(&talk->mutex);
        while (!talk->is_over)
                pthread_cond_wait(&talk->ended, &talk->mutex);
        pthread_mutex_unlock(&talk->mutex);
        pthread_mutex_destroy(&talk->mutex);
        pthread_cond_destroy(&talk->ended);
}
