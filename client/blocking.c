/* SPDX-License-Identifier: MIT */
#include "client/blocking.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "call/compressor.h"
#include "call/here.h"
#include "client/channel.h"
#include "client/handle.h"
#include "client/outcall.h"
#include "codec/message.h"

struct blocking {
        struct mail mail;
        struct quoit_channel
                *channel; /* the client's thread: another one may have freed it by now */
        struct quoit_client *client;
        const struct upb_ExtensionRegistry *extensions;
        const quoit_method *method;
        const struct upb_Message *request;
        const quoit_call_options *options;
        upb_Arena *arena; /* the caller's */
        const uint8_t *reply; /* in it */
        size_t reply_size;
        quoit_error error;

        pthread_mutex_t mutex;
        pthread_cond_t over;
        bool is_over; /* under the mutex */
};

/* ---- on the client's thread ---- */

/* The caller goes on, and @blocking with it. */
static void wake_caller(struct blocking *blocking)
{
        pthread_mutex_lock(&blocking->mutex);
        blocking->is_over = true;
        pthread_cond_signal(&blocking->over);
        pthread_mutex_unlock(&blocking->mutex);
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct blocking *blocking = user;

        outcall_get_error(status, call->message, &blocking->error);
        wake_caller(blocking);
}

const quoit_outcall_handler blocking_handler = { .on_done = on_done };

void blocking_take_reply(struct quoit_outcall *call, struct reader_message *message)
{
        struct blocking *blocking = call->user;
        struct exchange *exchange = &call->exchange;
        upb_Arena *arena = exchange_arena(exchange);
        uint8_t *bytes;
        int r = 0;

        if (message->compression != QUOIT_IDENTITY)
                r = arena ? exchange_decompress(
                                    exchange, &exchange->group->host->coders, message, arena)
                          : -ENOMEM;
        if (r == -EMSGSIZE)
                outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED,
                        "the reply is over the limit (message_receive_bytes_max) when "
                        "decompressed");
        else if (r < 0)
                outcall_fail(call, r == -ENOMEM ? QUOIT_RESOURCE_EXHAUSTED : QUOIT_INTERNAL,
                        r == -ENOMEM ? "out of memory" : "the reply does not decompress");
        if (r < 0)
                return;
        bytes = upb_Arena_Malloc(blocking->arena, message->size);
        if (!bytes) {
                outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return;
        }
        memcpy(bytes, message->data, message->size);
        blocking->reply = bytes;
        blocking->reply_size = message->size;
}

static void fail(struct blocking *blocking, quoit_status status, const char *text)
{
        outcall_get_error(status, upb_StringView_FromString(text), &blocking->error);
}

static void fail_start(struct blocking *blocking, int error)
{
        if (error == -ESHUTDOWN)
                fail(blocking, QUOIT_CANCELLED, "the channel was freed");
        else if (error == -ENOMEM)
                fail(blocking, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
        else
                fail(blocking, QUOIT_INTERNAL,
                        error == -E2BIG ? "the metadata is over the limit (metadata_out_bytes_max)"
                                        : "metadata or compression that gRPC does not allow");
}

static const char *send_problem(int error)
{
        switch (error) {
        case -EMSGSIZE:
                return "the request is over the limit (message_send_bytes_max, or the service "
                       "config's maxRequestMessageBytes)";
        case -EINVAL:
                return "the request lacks a required field";
        case -E2BIG:
                return "the request is nested too deeply";
        case -EILSEQ:
                return "the request has text that is not UTF-8";
        default:
                return "out of memory";
        }
}

static void on_start(struct mail *mail)
{
        struct blocking *blocking = CONTAINER_OF(mail, struct blocking, mail);
        struct quoit_outcall *call = NULL;
        int r = blocking->client->is_stopping
                        ? -ESHUTDOWN /* the channel is freed, or about to be */
                        : outcall_new(blocking->channel, blocking->method, blocking->options,
                                  &blocking_handler, blocking, &call);

        if (r < 0) {
                fail_start(blocking, r);
                wake_caller(blocking);
                return;
        }
        r = outcall_send(call, blocking->request);
        if (r < 0)
                outcall_fail(call,
                        r == -EMSGSIZE || r == -ENOMEM ? QUOIT_RESOURCE_EXHAUSTED : QUOIT_INTERNAL,
                        send_problem(r));
}

/* ---- on the caller's ---- */

static void wait(struct blocking *blocking)
{
        pthread_mutex_lock(&blocking->mutex);
        while (!blocking->is_over)
                pthread_cond_wait(&blocking->over, &blocking->mutex);
        pthread_mutex_unlock(&blocking->mutex);
}

/* Parses the reply, within what a message of its size may become. */
static void parse(struct blocking *blocking, const struct upb_Message **ret_reply)
{
        upb_Message *reply;
        int r = quoit_message_parse_checked((const char *)blocking->reply, blocking->reply_size,
                blocking->method->reply, blocking->extensions, blocking->arena, &reply);

        if (r == 0)
                *ret_reply = reply;
        else
                fail(blocking, r == -ENOMEM ? QUOIT_RESOURCE_EXHAUSTED : QUOIT_INTERNAL,
                        r == -ENOMEM ? "the reply becomes too large when parsed"
                                     : "the reply does not parse");
}

static void fail_post(struct blocking *blocking, int error)
{
        if (error == -EAGAIN)
                fail(blocking, QUOIT_UNAVAILABLE,
                        "the server on whose rings the client works has not started yet");
        else
                fail(blocking, QUOIT_CANCELLED, "the client has ended");
}

static void call_and_wait(struct blocking *blocking)
{
        int r;

        pthread_mutex_init(&blocking->mutex, NULL);
        pthread_cond_init(&blocking->over, NULL);
        blocking->mail.on_delivery = on_start;
        r = client_post(blocking->client, &blocking->mail);
        if (r == 0)
                wait(blocking);
        else
                fail_post(blocking, r);
        pthread_cond_destroy(&blocking->over);
        pthread_mutex_destroy(&blocking->mutex);
}

/* The parent's ring, for its call to end with it; else the one whose turn it is. NULL: it cannot be that. */
static struct quoit_channel *choose_part(
        const quoit_channel *channel, const quoit_call_options *options)
{
        const quoit_call *parent = options ? options->parent : NULL;

        if (!parent)
                return channel_part_next(channel);
        return call_is_here(parent, "quoit_unary_blocking")
                       ? channel_part_on(channel, call_host_of(parent)->ring)
                       : NULL;
}

quoit_status quoit_unary_blocking(quoit_channel *channel, const quoit_method *method,
        struct upb_Arena *arena, const struct upb_Message *request,
        const quoit_call_options *options, const struct upb_Message **ret_reply,
        quoit_error *ret_error)
{
        struct quoit_channel *part = choose_part(channel, options);
        struct blocking blocking = { .channel = part,
                .client = part ? part->client : NULL,
                .extensions = channel->client->parts->extensions,
                .method = method,
                .arena = arena,
                .request = request,
                .options = options };

        if (client_is_inherited(channel->client))
                fail(&blocking, QUOIT_UNAVAILABLE,
                        "the channel is of the process that this one was forked from: make a "
                        "client and a channel after fork()");
        else if (ring_turns_here() || channel_part_here(channel))
                fail(&blocking, QUOIT_INTERNAL,
                        "a blocking call on a ring's thread would keep all of its calls waiting: "
                        "use an asynchronous one");
        else if (method->kind != QUOIT_UNARY)
                fail(&blocking, QUOIT_INTERNAL, "a blocking call of a method that is not unary");
        else if (!part)
                fail(&blocking, QUOIT_INTERNAL,
                        "the parent is on none of the client's rings, or another thread's");
        else
                call_and_wait(&blocking);
        if (blocking.error.status == QUOIT_OK)
                parse(&blocking, ret_reply);
        if (ret_error)
                *ret_error = blocking.error;
        return blocking.error.status;
}
