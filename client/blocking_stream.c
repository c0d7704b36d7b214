/* SPDX-License-Identifier: MIT */

/*
 * A call that streams, for threads that wait. Each direction is a queue of messages as bytes (message_queue.h): the threads encode and
 * parse, and the ring only moves bytes between these queues and the call. The threads ask the ring for something by flags, and a mail
 * that tells it to look; the ring answers by conditions.
 *
 * Backpressure: a writer waits while too many bytes are in the queue. The ring takes them as the call has room, and waits for
 * on_writable. The other way round the ring takes the call's credits while too many bytes wait for the reader.
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/stream.h>

#include "call/encoding.h"
#include "client/blocking.h"
#include "client/channel.h"
#include "client/credentials.h"
#include "client/handle.h"
#include "client/message_queue.h"
#include "client/outcall.h"

struct quoit_stream {
        /* fixed */
        struct fork_mark *
                mark; /* the client's: in a child process the mutex may be locked for ever. NULL: it was opened there */
        struct client *client; /* valid while the call is not over */
        const quoit_method *method;
        const struct upb_ExtensionRegistry *extensions;
        size_t send_bytes_max; /* of a message */
        size_t queue_bytes_max;

        /* the ring's */
        struct channel
                *channel; /* until the call is made; another thread may have freed it by then */
        quoit_call_options options; /* with copies of what they point to */
        quoit_outcall *call; /* NULL: not yet, or over */
        struct message_queue sending; /* taken from @outbox */

        /* the reader's */
        struct message_queue reading; /* taken from @inbox */

        struct mail mail;
        pthread_mutex_t mutex;
        pthread_cond_t readable; /* or over */
        pthread_cond_t writable; /* or over */
        /* under the mutex */
        unsigned references; /* the user's, the call's, the mail's */
        bool is_posted : 1; /* the mail is on its way */
        bool half_closed : 1; /* there will be nothing more in @outbox */
        bool was_cancelled : 1;
        bool has_stalled : 1; /* the call has no credits, as @inbox is full */
        bool is_dropping : 1; /* nobody reads any more */
        bool is_over : 1;
        struct message_queue outbox; /* what was written */
        struct message_queue inbox; /* what is to be read */
        struct blocking_problem problem; /* on this side, the first one; QUOIT_OK: none */
        quoit_error error; /* once it is over: how the call has ended */
};

/* ---- its memory ---- */

static quoit_stream *stream_free(quoit_stream *stream)
{
        message_queue_deinit(&stream->sending);
        message_queue_deinit(&stream->reading);
        message_queue_deinit(&stream->outbox);
        message_queue_deinit(&stream->inbox);
        pthread_cond_destroy(&stream->readable);
        pthread_cond_destroy(&stream->writable);
        pthread_mutex_destroy(&stream->mutex);
        fork_mark_unref(stream->mark);
        quoit_call_credentials_free(stream->options.credentials);
        free(stream);
        return NULL;
}

/* There is one, and it is of this process. */
static bool is_usable(const quoit_stream *stream)
{
        return stream && stream->mark && !fork_mark_is_inherited(stream->mark);
}

/* Unlocks it too: nobody but the last one may free what others lock. */
static void release_and_unlock(quoit_stream *stream)
{
        bool is_last = --stream->references == 0;

        pthread_mutex_unlock(&stream->mutex);
        if (is_last)
                stream_free(stream);
}

/* What options_keep() needs behind the options. */
static size_t options_bytes(const quoit_call_options *options)
{
        size_t bytes =
                options->metadata_count * sizeof(*options->metadata) + options->hash_key.size;

        for (size_t i = 0; i < options->metadata_count; i++)
                bytes += strlen(options->metadata[i].name) + 1 + options->metadata[i].value.size;
        return bytes;
}

/* The copy of @text is at *@at, which moves behind it. */
static upb_StringView keep(char **at, upb_StringView text)
{
        char *copy = *at;

        if (text.size > 0)
                memcpy(copy, text.data, text.size);
        *at += text.size;
        return upb_StringView_FromDataAndSize(copy, text.size);
}

/* Copies the metadata and the hash key into @memory, of options_bytes(): the ring reads them when the caller has gone on. */
static void options_keep(quoit_call_options *options, void *memory)
{
        quoit_metadata *copies = memory;
        char *at = (char *)(copies + options->metadata_count);

        for (size_t i = 0; i < options->metadata_count; i++) {
                const quoit_metadata *field = options->metadata + i;

                copies[i].name = keep(
                        &at, upb_StringView_FromDataAndSize(field->name, strlen(field->name) + 1))
                                         .data;
                copies[i].value = keep(&at, field->value);
        }
        options->metadata = copies;
        options->hash_key = keep(&at, options->hash_key);
}

static quoit_stream *stream_new(
        const quoit_channel *channel, const quoit_method *method, const quoit_call_options *options)
{
        static const quoit_call_options defaults;
        const struct client *client = channel->client->parts;
        quoit_stream *stream;

        if (!options)
                options = &defaults;
        stream = malloc(sizeof(*stream) + options_bytes(options));
        if (!stream)
                return NULL;
        *stream = (quoit_stream){
                .mark = client_is_inherited(channel->client) ? NULL
                                                             : fork_mark_ref(channel->client->mark),
                .method = method,
                .extensions = client->extensions,
                .send_bytes_max = client->limits.message_send_bytes_max,
                .queue_bytes_max = client->limits.call_queue_bytes_max,
                .options = *options,
                .references = 1,
        };
        options_keep(&stream->options, stream + 1);
        credentials_ref(stream->options.credentials);
        pthread_mutex_init(&stream->mutex, NULL);
        pthread_cond_init(&stream->readable, NULL);
        pthread_cond_init(&stream->writable, NULL);
        return stream;
}

/* ---- on the ring ---- */

/* The call is over, or there is none. */
static void end(quoit_stream *stream, const quoit_error *error)
{
        stream->call = NULL;
        pthread_mutex_lock(&stream->mutex);
        stream->is_over = true;
        stream->error = *error;
        pthread_cond_broadcast(&stream->readable);
        pthread_cond_broadcast(&stream->writable);
        release_and_unlock(stream);
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        quoit_error error;

        (void)status;
        quoit_outcall_get_error(call, &error);
        end(user, &error);
}

/* A message has arrived: on_bytes of the call. */
static int take(struct quoit_outcall *call, const uint8_t *data, size_t size)
{
        quoit_stream *stream = call->user;
        uint8_t *place = NULL;
        bool is_dropping;

        pthread_mutex_lock(&stream->mutex);
        is_dropping = stream->is_dropping;
        if (!is_dropping)
                place = message_queue_append(&stream->inbox, FRAMING_PREFIX_BYTES + size);
        if (place) {
                framing_write_prefix(place, false, (uint32_t)size);
                memcpy(place + FRAMING_PREFIX_BYTES, data, size);
                stream->has_stalled =
                        message_queue_bytes(&stream->inbox) >= stream->queue_bytes_max;
                if (stream->has_stalled)
                        quoit_outcall_set_read_credits(call, 0);
                pthread_cond_signal(&stream->readable);
        }
        pthread_mutex_unlock(&stream->mutex);
        return place || is_dropping ? 0 : -ENOBUFS;
}

/* More of what was written, for the call. False: there is nothing. *@ret_is_last: nor will there be. */
static bool refill(quoit_stream *stream, bool *ret_is_last)
{
        message_queue_clear(&stream->sending);
        pthread_mutex_lock(&stream->mutex);
        message_queue_swap(&stream->sending, &stream->outbox);
        *ret_is_last = stream->half_closed;
        pthread_cond_signal(&stream->writable);
        pthread_mutex_unlock(&stream->mutex);
        return message_queue_bytes(&stream->sending) > 0;
}

/* Sends what was written, as far as the call has room. */
static void flush(quoit_stream *stream)
{
        quoit_outcall *call = stream->call;
        struct blocking_problem problem;
        const uint8_t *data;
        size_t size;
        bool is_last = false;
        int r;

        while (quoit_outcall_writable(call)) {
                if (!message_queue_take(&stream->sending, &data, &size)) {
                        if (refill(stream, &is_last))
                                continue;
                        if (is_last)
                                outcall_half_close(call);
                        return;
                }
                r = outcall_send_bytes(call, data, size);
                if (r < 0) {
                        problem = blocking_send_problem(r);
                        outcall_fail(call, problem.status, problem.text);
                        return;
                }
        }
}

static void on_writable(quoit_outcall *call, void *user)
{
        (void)call;
        flush(user);
}

static void start(quoit_stream *stream)
{
        static const quoit_outcall_handler handler = { .on_writable = on_writable,
                .on_done = on_done };
        quoit_error error;
        int r = stream->client->is_stopping
                        ? -ESHUTDOWN /* the channel is freed, or about to be */
                        : outcall_new(stream->channel, stream->method, &stream->options, &handler,
                                  stream, &stream->call);

        if (r < 0) {
                blocking_fail(blocking_start_problem(r), &error);
                end(stream, &error);
                return;
        }
        stream->call->on_bytes = take;
}

/* Does what the threads have asked for. */
static void on_mail(struct mail *mail)
{
        quoit_stream *stream = CONTAINER_OF(mail, quoit_stream, mail);
        bool was_cancelled, may_receive;

        pthread_mutex_lock(&stream->mutex);
        stream->is_posted = false; /* what is asked for from here on needs another one */
        was_cancelled = stream->was_cancelled;
        may_receive = !stream->has_stalled;
        pthread_mutex_unlock(&stream->mutex);
        if (stream->channel) {
                start(stream);
                stream->channel = NULL;
        }
        if (stream->call && was_cancelled) {
                outcall_fail(stream->call, QUOIT_CANCELLED, "cancelled by the caller");
        } else if (stream->call) {
                if (may_receive)
                        quoit_outcall_set_read_credits(stream->call, QUOIT_CREDITS_UNLIMITED);
                flush(stream);
        }
        pthread_mutex_lock(&stream->mutex);
        release_and_unlock(stream);
}

/* ---- on the threads ---- */

/* The ring is to look. Under the mutex, while the call is not over: then its client is there. */
static int ask(quoit_stream *stream)
{
        int r;

        if (stream->is_over || stream->is_posted)
                return 0;
        r = client_post(stream->client, &stream->mail);
        if (r < 0)
                return r;
        stream->is_posted = true;
        stream->references++;
        return 0;
}

/* The call is to end, for a reason on this side. Under the mutex. */
static void fail(quoit_stream *stream, struct blocking_problem problem)
{
        if (stream->problem.status == QUOIT_OK)
                stream->problem = problem;
        stream->was_cancelled = true;
        (void)ask(stream);
}

static void fail_unlocked(quoit_stream *stream, struct blocking_problem problem)
{
        pthread_mutex_lock(&stream->mutex);
        fail(stream, problem);
        pthread_mutex_unlock(&stream->mutex);
}

/* Whether the calling thread may wait; if not, the call fails. Under the mutex. */
static bool may_wait(quoit_stream *stream)
{
        struct blocking_problem problem;

        if (stream->is_over)
                return true;
        problem = blocking_may_wait(stream->client);
        if (problem.status == QUOIT_OK)
                return true;
        fail(stream, problem);
        return false;
}

/* Has the ring begin the call. */
static struct blocking_problem begin(quoit_stream *stream, const quoit_channel *channel)
{
        struct blocking_problem problem =
                blocking_choose(channel, &stream->options, "quoit_stream_open", &stream->channel);
        int r;

        if (problem.status == QUOIT_OK && !stream->method)
                problem = blocking_no_method;
        if (problem.status != QUOIT_OK)
                return problem;
        stream->client = stream->channel->client;
        stream->mail.on_delivery = on_mail;
        r = ask(stream);
        return r < 0 ? blocking_post_problem(r) : problem;
}

quoit_stream *quoit_stream_open(quoit_channel *channel, const quoit_method *method,
        const struct upb_Message *request, const quoit_call_options *options)
{
        quoit_stream *stream = stream_new(channel, method, options);
        struct blocking_problem problem;

        if (!stream)
                return NULL;
        pthread_mutex_lock(&stream->mutex);
        problem = begin(stream, channel);
        if (problem.status == QUOIT_OK)
                stream->references++; /* the call's */
        else
                blocking_fail(problem, &stream->error);
        stream->is_over = problem.status != QUOIT_OK;
        pthread_mutex_unlock(&stream->mutex);
        if (method && (method->kind == QUOIT_UNARY || method->kind == QUOIT_SERVER_STREAMING)) {
                (void)quoit_stream_write(stream, request);
                quoit_stream_half_close(stream);
        }
        return stream;
}

/* Adds @encoding to what the ring sends, when there is room. False: the call is over, or was half-closed. */
static bool post_message(quoit_stream *stream, const struct encoding *encoding)
{
        uint8_t *place = NULL;

        pthread_mutex_lock(&stream->mutex);
        while (may_wait(stream) && !stream->is_over && !stream->half_closed &&
                message_queue_bytes(&stream->outbox) >= stream->queue_bytes_max)
                pthread_cond_wait(&stream->writable, &stream->mutex);
        if (!stream->is_over && !stream->half_closed && !stream->was_cancelled) {
                place = message_queue_append(&stream->outbox, encoding->size);
                if (place)
                        encoding_copy(encoding, place);
                else
                        fail(stream, blocking_send_problem(-ENOMEM));
                (void)ask(stream);
        }
        pthread_mutex_unlock(&stream->mutex);
        return place;
}

bool quoit_stream_write(quoit_stream *stream, const struct upb_Message *message)
{
        uint8_t small[WRITER_PLACE_BYTES_MAX];
        struct encoding encoding;
        bool is_posted;
        int r;

        if (!is_usable(stream) || !stream->method)
                return false;
        r = !message ? -ENOMEM
                     : encoding_init(&encoding, small, &upb_alloc_global, NULL, message,
                               stream->method->request, stream->send_bytes_max);
        if (r < 0) {
                fail_unlocked(stream, blocking_send_problem(r));
                return false;
        }
        is_posted = post_message(stream, &encoding);
        encoding_deinit(&encoding);
        return is_posted;
}

void quoit_stream_half_close(quoit_stream *stream)
{
        if (!is_usable(stream))
                return;
        pthread_mutex_lock(&stream->mutex);
        stream->half_closed = true;
        pthread_cond_broadcast(&stream->writable);
        (void)ask(stream);
        pthread_mutex_unlock(&stream->mutex);
}

void quoit_stream_cancel(quoit_stream *stream)
{
        if (!is_usable(stream))
                return;
        pthread_mutex_lock(&stream->mutex);
        stream->was_cancelled = true;
        (void)ask(stream);
        pthread_mutex_unlock(&stream->mutex);
}

/* Waits until there is something to read, and takes all of it. False: there will be nothing. */
static bool fetch(quoit_stream *stream)
{
        bool has_some;

        message_queue_clear(&stream->reading);
        pthread_mutex_lock(&stream->mutex);
        while (may_wait(stream) && !stream->is_over && message_queue_bytes(&stream->inbox) == 0)
                pthread_cond_wait(&stream->readable, &stream->mutex);
        message_queue_swap(&stream->reading, &stream->inbox);
        has_some = message_queue_bytes(&stream->reading) > 0;
        if (stream->has_stalled) {
                stream->has_stalled = false;
                (void)ask(stream);
        }
        pthread_mutex_unlock(&stream->mutex);
        return has_some;
}

bool quoit_stream_read(
        quoit_stream *stream, struct upb_Arena *arena, const struct upb_Message **ret_message)
{
        upb_Message *message;
        const uint8_t *data;
        size_t size;
        int r;

        if (!is_usable(stream))
                return false;
        while (!message_queue_take(&stream->reading, &data, &size)) {
                if (!fetch(stream))
                        return false;
        }
        r = quoit_message_parse_checked((const char *)data, size, stream->method->reply,
                stream->extensions, arena, &message);
        if (r < 0) {
                fail_unlocked(stream, blocking_parse_problem(r));
                return false;
        }
        *ret_message = message;
        return true;
}

/* Under the mutex. */
static void get_end(const quoit_stream *stream, quoit_error *ret_error)
{
        if (stream->problem.status != QUOIT_OK)
                blocking_fail(stream->problem, ret_error);
        else
                *ret_error = stream->error;
}

quoit_status quoit_stream_finish(quoit_stream *stream, quoit_error *ret_error)
{
        quoit_error error;

        if (!stream) {
                blocking_fail(blocking_send_problem(-ENOMEM), &error);
        } else if (!is_usable(stream)) {
                blocking_fail(blocking_inherited, &error);
                if (!stream->mark) /* else its memory stays */
                        stream_free(stream);
        } else {
                quoit_stream_half_close(stream);
                pthread_mutex_lock(&stream->mutex);
                message_queue_clear(&stream->inbox);
                stream->is_dropping = true;
                stream->has_stalled = false;
                (void)ask(stream);
                while (may_wait(stream) && !stream->is_over)
                        pthread_cond_wait(&stream->readable, &stream->mutex);
                get_end(stream, &error);
                release_and_unlock(stream);
        }
        if (ret_error)
                *ret_error = error;
        return error.status;
}
