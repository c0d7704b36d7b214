/* SPDX-License-Identifier: MIT */

/*
 * The client of api.proto: says hello, gets items all at once, and as a stream, over one connection. api_client [NAME [LENGTH]], where
 * BACKEND_HOST and BACKEND_PORT say where the server is:
 *
 *      protoc --quoit_out=. -I../proto ../proto/api.proto
 *      cc api_client.c api.quoit.c -o api_client $(pkg-config --cflags --libs quoit)
 *      quoit-api & BACKEND_HOST=127.0.0.1 BACKEND_PORT=50051 ./api_client Ann 3
 */

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

static const char *setting(const char *name, const char *otherwise)
{
        const char *value = getenv(name);

        return value ? value : otherwise;
}

/* 0, or a negative errno. */
static int api_client_init(struct api_client *api, const char *host, const char *port)
{
        char target[512];
        int r = quoit_client_new(NULL, &api->client);

        if (r < 0)
                return r;
        snprintf(target, sizeof(target), "%s:%s", host, port);
        r = quoit_channel_new(api->client, target, NULL, &api->channel);
        if (r < 0)
                quoit_client_free(api->client);
        return r;
}

static void api_client_deinit(struct api_client *api)
{
        quoit_channel_free(api->channel);
        quoit_client_free(api->client);
}

/* Each prints what the server says. A reply lives as long as its arena. */
static quoit_status say_hello(struct api_client *api, const char *name, quoit_error *error)
{
        upb_Arena *arena = upb_Arena_New();
        api_HelloRequest *request = api_HelloRequest_new(arena);
        const api_Hello *hello;
        quoit_status status;

        api_HelloRequest_set_name(request, upb_StringView_FromString(name));
        status = api_Api_sayHello_blocking(api->channel, arena, request, &options, &hello, error);
        if (status == QUOIT_OK)
                printf("%.*s\n", (int)api_Hello_message(hello).size, api_Hello_message(hello).data);
        upb_Arena_Free(arena);
        return status;
}

static void print_item(const api_Item *item)
{
        upb_StringView name = api_Item_name(item);

        printf("%d: %.*s\n", api_Item_id(item), (int)name.size, name.data);
}

static quoit_status get_all(struct api_client *api, int length, quoit_error *error)
{
        upb_Arena *arena = upb_Arena_New();
        api_ApiRequest *request = api_ApiRequest_new(arena);
        const api_Items *items;
        quoit_status status;

        api_ApiRequest_set_length(request, length);
        status = api_Api_getAll_blocking(api->channel, arena, request, &options, &items, error);
        if (status == QUOIT_OK) {
                size_t size;
                const api_Item *const *list = api_Items_items(items, &size);

                for (size_t i = 0; i < size; i++)
                        print_item(list[i]);
        }
        upb_Arena_Free(arena);
        return status;
}

/* Each item as it arrives. */
static quoit_status get_stream(struct api_client *api, int length, quoit_error *error)
{
        upb_Arena *arena = upb_Arena_New();
        api_ApiRequest *request = api_ApiRequest_new(arena);
        const api_Item *item;
        quoit_stream *stream;

        api_ApiRequest_set_length(request, length);
        stream = api_Api_getStream_open(api->channel, request, &options);
        while (api_Api_getStream_read(stream, arena, &item))
                print_item(item);
        upb_Arena_Free(arena);
        return quoit_stream_finish(stream, error);
}

int main(int count, char **words)
{
        const char *name = count > 1 ? words[1] : "world";
        int length = count > 2 ? atoi(words[2]) : 3;
        struct api_client api;
        quoit_error error;
        bool failed;

        if (api_client_init(&api, setting("BACKEND_HOST", "localhost"),
                    setting("BACKEND_PORT", "50051")) < 0) {
                fprintf(stderr, "api_client: BACKEND_HOST or BACKEND_PORT is not good\n");
                return 2;
        }
        failed = say_hello(&api, name, &error) != QUOIT_OK ||
                 get_all(&api, length, &error) != QUOIT_OK ||
                 get_stream(&api, length, &error) != QUOIT_OK;
        if (failed)
                fprintf(stderr, "%s\n", quoit_error_text(&error));
        api_client_deinit(&api);
        return failed;
}
