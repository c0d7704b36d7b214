/* SPDX-License-Identifier: MIT */

/*
 * Calls kinds.Kinds by generated stubs, for test_stubs.py: stubs_client TARGET TEST. Prints what it hears.
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/quoit.h>

#include "kinds.quoit.h"

#define MANY 20000
#define THREADS 64

#define CHECK(x)                                                                                   \
        do {                                                                                       \
                if (!(x)) {                                                                        \
                        fprintf(stderr, "line %d: %s\n", __LINE__, #x);                            \
                        exit(1);                                                                   \
                }                                                                                  \
        } while (0)

static quoit_client *client;
static quoit_channel *channel;
static const quoit_call_options options = { .timeout_ms = 20000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static bool is_over; /* under the mutex */

static void end(void)
{
        pthread_mutex_lock(&mutex);
        is_over = true;
        pthread_cond_signal(&ended);
        pthread_mutex_unlock(&mutex);
}

/* Runs @fn on the client's thread, and waits for end(). */
static void run(void (*fn)(quoit_client *client, void *arg))
{
        CHECK(quoit_client_post(client, fn, NULL) == 0);
        pthread_mutex_lock(&mutex);
        while (!is_over)
                pthread_cond_wait(&ended, &mutex);
        is_over = false;
        pthread_mutex_unlock(&mutex);
}

static kinds_Number *number(upb_Arena *arena, int64_t value)
{
        kinds_Number *made = kinds_Number_new(arena);

        CHECK(made);
        kinds_Number_set_value(made, value);
        return made;
}

/* ---- callbacks ---- */

/* Of one call. */
struct heard {
        int64_t sum, messages, sent;
        unsigned headers, writables;
};

static struct heard heard;

static void say(quoit_outcall *call, quoit_status status, const kinds_Number *reply)
{
        quoit_error error;

        quoit_outcall_get_error(call, &error);
        CHECK(error.status == status && !reply == (status != QUOIT_OK));
        printf("%s %lld\n", quoit_error_text(&error),
                reply ? (long long)kinds_Number_value(reply) : -1);
}

static void on_number(
        quoit_outcall *call, quoit_status status, const kinds_Number *reply, void *user)
{
        CHECK(user == &heard);
        say(call, status, reply);
        end();
}

static void start_unary(quoit_client *here, void *arg)
{
        upb_Arena *arena = upb_Arena_New();
        quoit_outcall *call = NULL;

        CHECK(here == client && !arg);
        CHECK(kinds_Kinds_Unary_start(
                      channel, number(arena, 14), &options, on_number, &heard, &call) == 0);
        CHECK(call);
        upb_Arena_Free(arena);
}

static void on_headers(quoit_outcall *call, void *user)
{
        (void)call;
        ((struct heard *)user)->headers++;
}

static void on_message(quoit_outcall *call, const kinds_Number *message, void *user)
{
        struct heard *h = user;

        (void)call;
        h->messages++;
        h->sum += kinds_Number_value(message);
}

static void on_end(quoit_outcall *call, quoit_status status, void *user)
{
        const struct heard *h = user;
        quoit_error error;

        quoit_outcall_get_error(call, &error);
        CHECK(error.status == status && h->headers <= 1);
        CHECK(!quoit_outcall_reply(call));
        printf("%s %lld %lld\n", quoit_error_text(&error), (long long)h->messages,
                (long long)h->sum);
        end();
}

static void start_server_stream(quoit_client *here, void *arg)
{
        static const kinds_Kinds_ServerStream_receiver receiver = {
                .on_headers = on_headers, .on_message = on_message, .on_done = on_end
        };
        upb_Arena *arena = upb_Arena_New();

        (void)here, (void)arg;
        heard = (struct heard){ 0 };
        CHECK(kinds_Kinds_ServerStream_start(
                      channel, number(arena, MANY), &options, &receiver, &heard, NULL) == 0);
        upb_Arena_Free(arena);
}

static void send_many(quoit_outcall *call, struct heard *h,
        int (*send)(quoit_outcall *call, const kinds_Number *message))
{
        upb_Arena *arena = upb_Arena_New();

        while (h->sent < MANY && quoit_outcall_writable(call))
                CHECK(send(call, number(arena, h->sent++)) == 0);
        if (h->sent == MANY)
                quoit_outcall_half_close(call);
        upb_Arena_Free(arena);
}

static void client_stream_writable(quoit_outcall *call, void *user)
{
        struct heard *h = user;

        h->writables++;
        send_many(call, h, kinds_Kinds_ClientStream_send_request);
}

static void start_client_stream(quoit_client *here, void *arg)
{
        static const kinds_Kinds_ClientStream_receiver receiver = { .on_headers = on_headers,
                .on_writable = client_stream_writable,
                .on_done = on_number };
        quoit_outcall *call;

        (void)here, (void)arg;
        heard = (struct heard){ 0 };
        CHECK(kinds_Kinds_ClientStream_start(channel, &options, &receiver, &heard, &call) == 0);
        send_many(call, &heard, kinds_Kinds_ClientStream_send_request);
        CHECK(heard.sent < MANY); /* it had to wait for room */
}

static void bidi_writable(quoit_outcall *call, void *user)
{
        send_many(call, user, kinds_Kinds_Bidi_send_request);
}

static void start_bidi(quoit_client *here, void *arg)
{
        static const kinds_Kinds_Bidi_receiver receiver = {
                .on_message = on_message, .on_writable = bidi_writable, .on_done = on_end
        };
        quoit_outcall *call;

        (void)here, (void)arg;
        heard = (struct heard){ 0 };
        CHECK(kinds_Kinds_Bidi_start(channel, &options, &receiver, &heard, &call) == 0);
        send_many(call, &heard, kinds_Kinds_Bidi_send_request);
}

/* Without anybody to hear of them. */
static void start_unheard(quoit_client *here, void *arg)
{
        static const kinds_Kinds_Bidi_receiver deaf;
        static const kinds_Kinds_ClientStream_receiver dumb;
        upb_Arena *arena = upb_Arena_New();
        quoit_outcall *call;

        CHECK(kinds_Kinds_Unary_start(channel, number(arena, 1), NULL, NULL, NULL, NULL) == 0);
        CHECK(kinds_Kinds_Bidi_start(channel, NULL, &deaf, NULL, &call) == 0);
        CHECK(kinds_Kinds_Bidi_send_request(call, number(arena, 1)) == 0);
        quoit_outcall_half_close(call);
        CHECK(kinds_Kinds_ClientStream_start(channel, NULL, &dumb, NULL, &call) == 0);
        quoit_outcall_half_close(call);
        upb_Arena_Free(arena);
        start_unary(here, arg);
}

static void fail(quoit_outcall *call, quoit_status status, const kinds_Number *reply, void *user)
{
        (void)call, (void)status, (void)reply, (void)user;
        CHECK(!"it is called");
}

/* Nothing is heard of a call that could not begin: this client sends 20 bytes at most. */
static void start_in_vain(quoit_client *here, void *arg)
{
        static const quoit_metadata upper = { "Upper", { "x", 1 } };
        static const quoit_call_options bad = { .metadata = &upper, .metadata_count = 1 };
        static char bytes[21];
        upb_Arena *arena = upb_Arena_New();
        kinds_Number *small = number(arena, 1);
        kinds_Number *large = kinds_Number_parse("\x12\x13-------------------", 21, arena);
        quoit_outcall *call = (quoit_outcall *)bytes;

        (void)here, (void)arg;
        CHECK(large); /* of a field that is not known */
        CHECK(kinds_Kinds_Unary_start(channel, large, NULL, fail, NULL, &call) == -EMSGSIZE);
        CHECK(kinds_Kinds_Unary_start(channel, NULL, NULL, fail, NULL, &call) == -ENOMEM);
        CHECK(kinds_Kinds_Unary_start(channel, small, &bad, fail, NULL, &call) == -EINVAL);
        CHECK(call == (quoit_outcall *)bytes);
        upb_Arena_Free(arena);
        start_unary(client, NULL);
}

/* ---- threads that wait ---- */

static void check_unary(void)
{
        upb_Arena *arena = upb_Arena_New();
        const kinds_Number *reply = NULL;
        quoit_error error;

        CHECK(kinds_Kinds_Unary_blocking(
                      channel, arena, number(arena, 14), &options, &reply, &error) == QUOIT_OK);
        CHECK(kinds_Number_value(reply) == 42);
        upb_Arena_Free(arena);
}

static void check_server_stream(int64_t many)
{
        upb_Arena *arena = upb_Arena_New();
        quoit_stream *stream =
                kinds_Kinds_ServerStream_open(channel, number(arena, many), &options);
        const kinds_Number *message;
        int64_t count = 0;

        while (kinds_Kinds_ServerStream_read(stream, arena, &message))
                CHECK(kinds_Number_value(message) == ++count);
        CHECK(count == many);
        CHECK(quoit_stream_finish(stream, NULL) == QUOIT_OK);
        upb_Arena_Free(arena);
}

static void check_client_stream(int64_t many)
{
        upb_Arena *arena = upb_Arena_New();
        quoit_stream *stream = kinds_Kinds_ClientStream_open(channel, &options);
        const kinds_Number *reply = NULL;

        for (int64_t i = 0; i < many; i++)
                CHECK(kinds_Kinds_ClientStream_write(stream, number(arena, i)));
        CHECK(kinds_Kinds_ClientStream_finish(stream, arena, &reply, NULL) == QUOIT_OK);
        CHECK(kinds_Number_value(reply) == many * (many - 1) / 2);
        upb_Arena_Free(arena);
}

static void check_bidi(int64_t many)
{
        upb_Arena *arena = upb_Arena_New();
        quoit_stream *stream = kinds_Kinds_Bidi_open(channel, &options);
        const kinds_Number *message;

        for (int64_t i = 0; i < many; i++) {
                CHECK(kinds_Kinds_Bidi_write(stream, number(arena, i)));
                CHECK(kinds_Kinds_Bidi_read(stream, arena, &message));
                CHECK(kinds_Number_value(message) == -3 * i);
        }
        CHECK(quoit_stream_finish(stream, NULL) == QUOIT_OK);
        upb_Arena_Free(arena);
}

static void *check_all(void *arg)
{
        (void)arg;
        for (int i = 0; i < 3; i++) {
                check_unary();
                check_server_stream(200);
                check_client_stream(200);
                check_bidi(5);
        }
        return NULL;
}

static void check_threads(void)
{
        pthread_t threads[THREADS];

        for (int i = 0; i < THREADS; i++)
                CHECK(pthread_create(threads + i, NULL, check_all, NULL) == 0);
        for (int i = 0; i < THREADS; i++)
                CHECK(pthread_join(threads[i], NULL) == 0);
}

/* ---- on the wrong thread ---- */

static void wait_on_the_ring(quoit_client *here, void *arg)
{
        upb_Arena *arena = upb_Arena_New();
        const kinds_Number *reply;
        quoit_error error;

        (void)here, (void)arg;
        CHECK(kinds_Kinds_Unary_blocking(channel, arena, number(arena, 1), NULL, &reply, &error) ==
                QUOIT_INTERNAL);
        puts(quoit_error_text(&error));
        CHECK(quoit_stream_finish(kinds_Kinds_Bidi_open(channel, NULL), &error) == QUOIT_INTERNAL);
        puts(quoit_error_text(&error));
        upb_Arena_Free(arena);
        end();
}

static void check_wrong_threads(void)
{
        upb_Arena *arena = upb_Arena_New();
        kinds_Number *one = number(arena, 1);

        CHECK(kinds_Kinds_Unary_start(channel, one, NULL, fail, NULL, NULL) == -EPERM);
        upb_Arena_Free(arena);
        run(wait_on_the_ring);
}

int main(int count, char **words)
{
        quoit_client_options with = { 0 };
        const char *test = count > 2 ? words[2] : "";

        if (count > 3)
                with.engine = QUOIT_ENGINE_EPOLL;
        if (!strcmp(test, "threads"))
                with.rings = 2;
        if (!strcmp(test, "vain"))
                with.limits.message_send_bytes_max = 20;
        CHECK(quoit_client_new(&with, &client) == 0);
        CHECK(quoit_channel_new(client, words[1], NULL, &channel) == 0);
        if (!strcmp(test, "unary"))
                run(start_unary);
        else if (!strcmp(test, "server_stream"))
                run(start_server_stream);
        else if (!strcmp(test, "client_stream"))
                run(start_client_stream);
        else if (!strcmp(test, "bidi"))
                run(start_bidi);
        else if (!strcmp(test, "unheard"))
                run(start_unheard);
        else if (!strcmp(test, "vain"))
                run(start_in_vain);
        else if (!strcmp(test, "blocking"))
                check_all(NULL), check_server_stream(MANY), check_client_stream(MANY);
        else if (!strcmp(test, "threads"))
                check_threads();
        else if (!strcmp(test, "wrong"))
                check_wrong_threads();
        quoit_channel_free(channel);
        quoit_client_free(client);
        return 0;
}
