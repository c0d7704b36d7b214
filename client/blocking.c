/* SPDX-License-Identifier: MIT */
#include "client/blocking.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "call/here.h"
#include "client/channel.h"
#include "client/handle.h"
#include "client/outcall.h"
#include "core/here.h"

struct blocking {
        struct mail mail;
        struct channel *channel; /* the client's thread: another one may have freed it by now */
        struct client *client;
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

/* ---- what went wrong ---- */

static const struct blocking_problem none;

static const struct blocking_problem forbidden = { QUOIT_INTERNAL,
        "a blocking call on a ring's thread would keep all of its calls waiting: use an "
        "asynchronous one" };
const struct blocking_problem blocking_inherited = { QUOIT_UNAVAILABLE,
        "the channel is of the process that this one was forked from: make a client and a channel "
        "after fork()" };
static const struct blocking_problem bad_parent = { QUOIT_INTERNAL,
        "the parent is on none of the client's rings, or another thread's" };

/* The parent's ring, for its call to end with it; else the one whose turn it is. NULL: it cannot be that. */
static struct channel *choose_part(
        const quoit_channel *channel, const quoit_call_options *options, const char *function)
{
        const quoit_call *parent = options ? options->parent : NULL;

        if (!parent)
                return channel_part_next(channel);
        return call_is_here(parent, function) ? channel_part_of(channel, call_host_of(parent))
                                              : NULL;
}

const struct blocking_problem blocking_no_method = { QUOIT_INTERNAL,
        "no method: NULL is what quoit_service_method() returns for a name that the service does "
        "not have" };

struct blocking_problem blocking_choose(const quoit_channel *channel,
        const quoit_call_options *options, const char *function, struct channel **ret_part)
{
        if (client_is_inherited(channel->client))
                return blocking_inherited;
        if (here_turns() || channel_part_here(channel))
                return forbidden;
        *ret_part = choose_part(channel, options, function);
        return *ret_part ? none : bad_parent;
}

struct blocking_problem blocking_may_wait(const struct client *client)
{
        if (client_is_inherited(client->handle))
                return blocking_inherited;
        return here_turns() || client_is_here(client) ? forbidden : none;
}

struct blocking_problem blocking_post_problem(int error)
{
        if (error == -EAGAIN)
                return (struct blocking_problem){ QUOIT_UNAVAILABLE,
                        "the server on whose rings the client works has not started yet" };
        return (struct blocking_problem){ QUOIT_CANCELLED, "the client has ended" };
}

struct blocking_problem blocking_start_problem(int error)
{
        switch (error) {
        case -ESHUTDOWN:
                return (struct blocking_problem){ QUOIT_CANCELLED, "the channel was freed" };
        case -ENOMEM:
                return (struct blocking_problem){ QUOIT_RESOURCE_EXHAUSTED, "out of memory" };
        case -E2BIG:
                return (struct blocking_problem){ QUOIT_INTERNAL,
                        "the metadata is over the limit (metadata_out_bytes_max)" };
        default:
                return (struct blocking_problem){ QUOIT_INTERNAL,
                        "metadata or compression that gRPC does not allow" };
        }
}

struct blocking_problem blocking_send_problem(int error)
{
        switch (error) {
        case -EMSGSIZE:
                return (struct blocking_problem){ QUOIT_RESOURCE_EXHAUSTED,
                        "the request is over the limit (message_send_bytes_max, or the service "
                        "config's "
                        "maxRequestMessageBytes)" };
        case -EINVAL:
                return (struct blocking_problem){ QUOIT_INTERNAL,
                        "the request lacks a required field" };
        case -E2BIG:
                return (struct blocking_problem){ QUOIT_INTERNAL,
                        "the request is nested too deeply" };
        case -EILSEQ:
                return (struct blocking_problem){ QUOIT_INTERNAL,
                        "the request has text that is not UTF-8" };
        default:
                return (struct blocking_problem){ QUOIT_RESOURCE_EXHAUSTED, "out of memory" };
        }
}

struct blocking_problem blocking_parse_problem(int error)
{
        if (error == -ENOMEM)
                return (struct blocking_problem){ QUOIT_RESOURCE_EXHAUSTED,
                        "the reply becomes too large when parsed" };
        return (struct blocking_problem){ QUOIT_INTERNAL, "the reply does not parse" };
}

void blocking_fail(struct blocking_problem problem, quoit_error *ret_error)
{
        outcall_get_error(problem.status, upb_StringView_FromString(problem.text), ret_error);
}

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

        (void)status;
        quoit_outcall_get_error(call, &blocking->error);
        wake_caller(blocking);
}

static const quoit_outcall_handler handler = { .on_done = on_done };

static int take_reply(struct quoit_outcall *call, const uint8_t *data, size_t size)
{
        struct blocking *blocking = call->user;
        uint8_t *bytes = upb_Arena_Malloc(blocking->arena, size);

        if (!bytes)
                return -ENOBUFS;
        memcpy(bytes, data, size);
        blocking->reply = bytes;
        blocking->reply_size = size;
        return 0;
}

static void on_start(struct mail *mail)
{
        struct blocking *blocking = CONTAINER_OF(mail, struct blocking, mail);
        struct quoit_outcall *call = NULL;
        int r = blocking->client->is_stopping
                        ? -ESHUTDOWN /* the channel is freed, or about to be */
                        : outcall_new(blocking->channel, blocking->method, blocking->options,
                                  &handler, blocking, &call);
        struct blocking_problem problem;

        if (r < 0) {
                blocking_fail(blocking_start_problem(r), &blocking->error);
                wake_caller(blocking);
                return;
        }
        call->on_bytes = take_reply;
        r = outcall_send(call, blocking->request);
        if (r < 0) {
                problem = blocking_send_problem(r);
                outcall_fail(call, problem.status, problem.text);
        }
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
                blocking_fail(blocking_parse_problem(r), &blocking->error);
}

static void call_and_wait(struct blocking *blocking)
{
        int r;

        blocking->client = blocking->channel->client;
        pthread_mutex_init(&blocking->mutex, NULL);
        pthread_cond_init(&blocking->over, NULL);
        blocking->mail.on_delivery = on_start;
        r = client_post(blocking->client, &blocking->mail);
        if (r == 0)
                wait(blocking);
        else
                blocking_fail(blocking_post_problem(r), &blocking->error);
        pthread_cond_destroy(&blocking->over);
        pthread_mutex_destroy(&blocking->mutex);
}

quoit_status quoit_unary_blocking(quoit_channel *channel, const quoit_method *method,
        struct upb_Arena *arena, const struct upb_Message *request,
        const quoit_call_options *options, const struct upb_Message **ret_reply,
        quoit_error *ret_error)
{
        static const struct blocking_problem not_unary = { QUOIT_INTERNAL,
                "a blocking call of a method that is not unary: open a stream" };
        struct blocking blocking = { .extensions = channel->client->parts->extensions,
                .method = method,
                .arena = arena,
                .request = request,
                .options = options };
        struct blocking_problem problem =
                blocking_choose(channel, options, __func__, &blocking.channel);

        if (problem.status != QUOIT_OK)
                blocking_fail(problem, &blocking.error);
        else if (!method)
                blocking_fail(blocking_no_method, &blocking.error);
        else if (method->kind != QUOIT_UNARY)
                blocking_fail(not_unary, &blocking.error);
        else
                call_and_wait(&blocking);
        if (blocking.error.status == QUOIT_OK)
                parse(&blocking, ret_reply);
        if (ret_error)
                *ret_error = blocking.error;
        return blocking.error.status;
}
