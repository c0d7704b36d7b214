/* SPDX-License-Identifier: MIT */

/*
 * flood-client [--engine NAME] [--connections N] TARGET CALLS: begins so many unary calls at once on one channel, and waits for them.
 * Prints a line of JSON: how many were answered as they should be; how many places a call has passed those that were begun before it, at
 * most; how much memory it took at most, and how much is left at the end, in KiB.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <quoit/quoit.h>

#include "calls.quoit.h"

static quoit_channel *channel;
static uint32_t calls, ok, over, passed;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_over = PTHREAD_COND_INITIALIZER;

static void __attribute__((noreturn)) die(const char *what)
{
        fprintf(stderr, "flood-client: %s\n", what);
        exit(2);
}

static upb_StringView text_of(uintptr_t number, char *text, size_t size)
{
        return upb_StringView_FromDataAndSize(
                text, (size_t)snprintf(text, size, "call %ju", (uintmax_t)number));
}

/* Its own text is back. @user is its number. */
static void on_message(quoit_outcall *call, const struct upb_Message *message, void *user)
{
        char text[32];

        (void)call;
        ok += upb_StringView_IsEqual(calls_Payload_text((const calls_Payload *)message),
                text_of((uintptr_t)user, text, sizeof(text)));
}

/* Those before it that are not over: each of them has begun, if calls begin in their order. */
static void note_order(uintptr_t number)
{
        if (number > over && number - over > passed)
                passed = (uint32_t)(number - over);
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        note_order((uintptr_t)user);
        if (status != QUOIT_OK && over == 0)
                fprintf(stderr, "flood-client: %.*s\n",
                        (int)quoit_outcall_status_message(call).size,
                        quoit_outcall_status_message(call).data);
        pthread_mutex_lock(&mutex);
        if (++over == calls)
                pthread_cond_signal(&all_over);
        pthread_mutex_unlock(&mutex);
}

static void start(uintptr_t number)
{
        static const quoit_outcall_handler handler = { .on_message = on_message,
                .on_done = on_done };
        upb_Arena *arena = upb_Arena_New(); /* what is sent is encoded at once */
        calls_Payload *payload = calls_Payload_new(arena);
        quoit_outcall *call;
        char text[32];

        calls_Payload_set_text(payload, text_of(number, text, sizeof(text)));
        if (quoit_outcall_start(channel, quoit_service_method(&quoit_calls__Calls_service, "Echo"),
                    NULL, &handler, (void *)number, &call) < 0 ||
                quoit_outcall_send(call, UPB_UPCAST(payload)) < 0)
                die("cannot call");
        upb_Arena_Free(arena);
}

static void start_all(quoit_client *client, void *arg)
{
        (void)client;
        (void)arg;
        for (uintptr_t number = 0; number < calls; number++)
                start(number);
}

/* A line of /proc/self/status, in KiB. */
static unsigned long status_of(const char *name)
{
        FILE *file = fopen("/proc/self/status", "r");
        unsigned long value = 0;
        char line[256];

        while (file && fgets(line, sizeof(line), file)) {
                if (strncmp(line, name, strlen(name)) == 0)
                        value = strtoul(line + strlen(name), NULL, 10);
        }
        if (file)
                fclose(file);
        return value;
}

int main(int count, char **words)
{
        quoit_client_options options = { .limits.calls_queued_max = UINT32_MAX };
        quoit_channel_options channel_options = { 0 };
        quoit_client *client;

        for (; count > 3; words += 2, count -= 2) {
                if (strcmp(words[1], "--engine") == 0)
                        options.engine = strcmp(words[2], "epoll") == 0 ? QUOIT_ENGINE_EPOLL
                                                                        : QUOIT_ENGINE_IO_URING;
                else if (strcmp(words[1], "--connections") == 0)
                        channel_options.connections_max = (unsigned)atoi(words[2]);
                else
                        break;
        }
        if (count != 3)
                die("flood-client [--engine NAME] [--connections N] TARGET CALLS");
        calls = (uint32_t)strtoul(words[2], NULL, 10);
        if (quoit_client_new(&options, &client) < 0 ||
                quoit_channel_new(client, words[1], &channel_options, &channel) < 0)
                die("no channel");
        if (quoit_client_post(client, start_all, NULL) < 0)
                die("out of memory");
        pthread_mutex_lock(&mutex);
        while (over < calls)
                pthread_cond_wait(&all_over, &mutex);
        pthread_mutex_unlock(&mutex);
        sleep(3); /* memory of a peak goes back within seconds */
        printf("{\"ok\": %u, \"passed\": %u, \"peak\": %lu, \"left\": %lu}\n", ok, passed,
                status_of("VmHWM:"), status_of("VmRSS:"));
        quoit_channel_free(channel);
        quoit_client_free(client);
        return 0;
}
