/* SPDX-License-Identifier: MIT */

/*
 * The client of api.proto: says hello, gets items all at once, and as a stream. api_client TARGET NAME LENGTH, for example
 *
 *      quoit-api & ./api_client 127.0.0.1:50051 Ann 3
 *
 * The first two calls block. A stream is read by callbacks, on the client's thread, while this one waits.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <quoit/quoit.h>

#include "api.quoit.h"

/* ApiClient of the Python original. */
struct api_client {
        quoit_client *client;
        quoit_channel *channel;
};

static const quoit_call_options options = { .timeout_ms = 10000 };

static const quoit_method *method(const char *name)
{
        return quoit_service_method(&quoit_api__Api_service, name);
}

static void fail(const quoit_error *error)
{
        fprintf(stderr, "%s\n", quoit_error_text(error));
        exit(1);
}

/* ---- blocking ---- */

static const api_Hello *say_hello(struct api_client *api, upb_Arena *arena, const char *name)
{
        api_HelloRequest *request = api_HelloRequest_new(arena);
        const upb_Message *reply;
        quoit_error error;

        api_HelloRequest_set_name(request, upb_StringView_FromString(name));
        if (quoit_unary_blocking(api->channel, method("sayHello"), arena,
                    (const upb_Message *)request, &options, &reply, &error) != QUOIT_OK)
                fail(&error);
        return (const api_Hello *)reply;
}

static const api_Items *get_all(struct api_client *api, upb_Arena *arena, int length)
{
        api_ApiRequest *request = api_ApiRequest_new(arena);
        const upb_Message *reply;
        quoit_error error;

        api_ApiRequest_set_length(request, length);
        if (quoit_unary_blocking(api->channel, method("getAll"), arena,
                    (const upb_Message *)request, &options, &reply, &error) != QUOIT_OK)
                fail(&error);
        return (const api_Items *)reply;
}

/* ---- a stream ---- */

struct stream {
        struct api_client *api;
        int length;
        quoit_error error; /* how it ended */
        pthread_mutex_t mutex;
        pthread_cond_t ended;
        bool is_over;
};

static void print_item(const api_Item *item)
{
        upb_StringView name = api_Item_name(item);

        printf("%d: %.*s\n", api_Item_id(item), (int)name.size, name.data);
}

static void on_message(quoit_outcall *call, const upb_Message *message, void *user)
{
        (void)call;
        (void)user;
        print_item((const api_Item *)message);
}

static void end(struct stream *stream)
{
        pthread_mutex_lock(&stream->mutex);
        stream->is_over = true;
        pthread_cond_signal(&stream->ended);
        pthread_mutex_unlock(&stream->mutex);
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct stream *stream = user;

        (void)status;
        quoit_outcall_get_error(call, &stream->error);
        end(stream);
}

/* On the client's thread. */
static void start(quoit_client *client, void *arg)
{
        static const quoit_outcall_handler handler = { .on_message = on_message,
                .on_done = on_done };
        struct stream *stream = arg;
        quoit_outcall *call;
        api_ApiRequest *request;

        (void)client;
        if (quoit_outcall_start(stream->api->channel, method("getStream"), &options, &handler,
                    stream, &call) < 0) {
                stream->error = (quoit_error){ QUOIT_INTERNAL, "the call cannot begin" };
                end(stream);
                return;
        }
        request = api_ApiRequest_new(quoit_outcall_arena(call));
        if (request)
                api_ApiRequest_set_length(request, stream->length);
        if (quoit_outcall_send(call, (const upb_Message *)request) < 0)
                quoit_outcall_cancel(call);
}

static void print_stream(struct api_client *api, int length)
{
        struct stream stream = { .api = api,
                .length = length,
                .mutex = PTHREAD_MUTEX_INITIALIZER,
                .ended = PTHREAD_COND_INITIALIZER };

        if (quoit_client_post(api->client, start, &stream) < 0)
                exit(1);
        pthread_mutex_lock(&stream.mutex);
        while (!stream.is_over)
                pthread_cond_wait(&stream.ended, &stream.mutex);
        pthread_mutex_unlock(&stream.mutex);
        if (stream.error.status != QUOIT_OK)
                fail(&stream.error);
}

int main(int count, char **words)
{
        struct api_client api;
        upb_Arena *arena = upb_Arena_New();
        const api_Item *const *items;
        upb_StringView hello;
        size_t size;

        if (count != 4 || quoit_client_new(NULL, &api.client) < 0 ||
                quoit_channel_new(api.client, words[1], NULL, &api.channel) < 0) {
                fprintf(stderr, "api_client TARGET NAME LENGTH\n");
                return 2;
        }
        hello = api_Hello_message(say_hello(&api, arena, words[2]));
        printf("%.*s\n", (int)hello.size, hello.data);
        items = api_Items_items(get_all(&api, arena, atoi(words[3])), &size);
        for (size_t i = 0; i < size; i++)
                print_item(items[i]);
        print_stream(&api, atoi(words[3]));
        quoit_channel_free(api.channel);
        quoit_client_free(api.client);
        upb_Arena_Free(arena);
        return 0;
}
