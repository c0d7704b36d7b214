/* SPDX-License-Identifier: MIT */

/*
 * quoit-bench-client PORT METHOD CONNECTIONS STREAMS WARMUP SECONDS
 *
 * Quoit's side of the bench of clients: what a user would write. METHOD is sayHello, getAll or getStream, the last two of 100 items; a
 * call follows as soon as the one before is answered. After WARMUP seconds it counts for SECONDS, and prints a line of JSON: calls,
 * seconds, and the CPU time of the process.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <quoit/quoit.h>

#include "../clock.h"
#include "../number.h"
#include "api.quoit.h"

#define ITEMS 100
#define COUNT_MAX 100000 /* of connections, and of calls on each */
#define US_PER_S 1e6

/* A call that begins anew when it is over. */
struct caller {
        quoit_channel *channel;
        unsigned items; /* that have come */
};

static const quoit_method *method;
static bool greets;
static atomic_ulong calls;
static atomic_bool is_over; /* calls that are left end CANCELLED */

static void __attribute__((noreturn)) die(const char *what)
{
        fprintf(stderr, "quoit-bench-client: %s\n", what);
        exit(EXIT_FAILURE);
}

/* ---- calls ---- */

static void start(struct caller *caller);

static void on_message(quoit_outcall *call, const struct upb_Message *message, void *user)
{
        static const char hello[] = "Hello World!";
        struct caller *caller = user;
        size_t count;

        (void)call;
        if (greets) {
                if (!upb_StringView_IsEqual(api_Hello_message((const api_Hello *)message),
                            upb_StringView_FromString(hello)))
                        die("a wrong answer");
        } else if (method->kind == QUOIT_UNARY) {
                api_Items_items((const api_Items *)message, &count);
                caller->items += (unsigned)count;
        } else if (api_Item_id((const api_Item *)message) != (int32_t)++caller->items) {
                die("a wrong item");
        }
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct caller *caller = user;

        if (atomic_load_explicit(&is_over, memory_order_relaxed))
                return;
        if (status != QUOIT_OK)
                die(quoit_outcall_status_message(call).data);
        if (!greets && caller->items != ITEMS)
                die("a wrong number of items");
        atomic_store_explicit(&calls, atomic_load_explicit(&calls, memory_order_relaxed) + 1,
                memory_order_relaxed);
        start(caller);
}

static const struct upb_Message *request(quoit_outcall *call)
{
        upb_Arena *arena = quoit_outcall_arena(call);
        api_HelloRequest *hello;
        api_ApiRequest *items;

        if (greets) {
                hello = api_HelloRequest_new(arena);
                api_HelloRequest_set_name(hello, upb_StringView_FromString("World"));
                return UPB_UPCAST(hello);
        }
        items = api_ApiRequest_new(arena);
        api_ApiRequest_set_length(items, ITEMS);
        return UPB_UPCAST(items);
}

static void start(struct caller *caller)
{
        static const quoit_outcall_handler handler = { .on_message = on_message,
                .on_done = on_done };
        quoit_outcall *call;

        caller->items = 0;
        if (quoit_outcall_start(caller->channel, method, NULL, &handler, caller, &call) < 0 ||
                quoit_outcall_send(call, request(call)) < 0)
                die("cannot call");
}

static void start_first(quoit_client *client, void *arg)
{
        (void)client;
        start(arg);
}

/* ---- figures ---- */

static void wait_s(double seconds)
{
        usleep((useconds_t)(seconds * US_PER_S));
}

static void count(double seconds)
{
        uint64_t began_ns = now_ns(), cpu_before_ns = cpu_ns(), took_ns;
        unsigned long before = atomic_load(&calls), done;

        wait_s(seconds);
        done = atomic_load(&calls) - before;
        took_ns = now_ns() - began_ns;
        printf("{\"calls\": %lu, \"seconds\": %.6f, \"cpu_seconds\": %.6f}\n", done,
                (double)took_ns / NS_PER_SECOND,
                (double)(cpu_ns() - cpu_before_ns) / NS_PER_SECOND);
}

static unsigned number_of(const char *text)
{
        uint64_t value;

        if (!number_parse(text, 1, COUNT_MAX, &value))
                die("CONNECTIONS and STREAMS are numbers from 1 on");
        return (unsigned)value;
}

int main(int argc, char **words)
{
        unsigned connections, streams;
        char target[32];
        quoit_client *client;
        struct caller *callers;

        if (argc != 7)
                die("PORT METHOD CONNECTIONS STREAMS WARMUP SECONDS");
        method = quoit_service_method(&quoit_api__Api_service, words[2]);
        if (!method)
                die("there is no such method");
        greets = strcmp(words[2], "sayHello") == 0;
        connections = number_of(words[3]);
        streams = number_of(words[4]);
        callers = calloc((size_t)connections * streams, sizeof(*callers));
        snprintf(target, sizeof(target), "127.0.0.1:%s", words[1]);
        if (!callers || quoit_client_new(NULL, &client) < 0)
                die("no client");
        for (unsigned i = 0; i < connections * streams; i++) {
                if (i % streams > 0)
                        callers[i].channel = callers[i - 1].channel;
                else if (quoit_channel_new(client, target, NULL, &callers[i].channel) < 0)
                        die("no channel");
                if (quoit_client_post(client, start_first, callers + i) < 0)
                        die("out of memory");
        }
        wait_s(atof(words[5]));
        count(atof(words[6]));
        atomic_store(&is_over, true);
        quoit_client_free(client);
        free(callers);
        return EXIT_SUCCESS;
}
