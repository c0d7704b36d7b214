/* SPDX-License-Identifier: MIT */

/*
 * Interceptors on outgoing calls: one adds a token, which another thread fetches first; another one says how each call went.
 * intercepting_client TARGET, for example
 *
 *      ./authenticate & ./intercepting_client 127.0.0.1:50051
 */

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include <quoit/quoit.h>

#include "guide.quoit.h"

/* ---- a token ---- */

static bool has_token; /* the client has one ring: only its thread uses this */

static void add_token(quoit_outcall *call)
{
        const quoit_metadata field = { "authorization", upb_StringView_FromString("Bearer ann") };

        if (quoit_outcall_set_metadata(call, &field) < 0)
                quoit_outcall_finish(call, QUOIT_INTERNAL, "no room for the token");
}

/* On the client's thread again. */
static void on_token(quoit_outcall *call, void *arg)
{
        (void)arg;
        has_token = true;
        add_token(call);
        quoit_outcall_proceed(call); /* does nothing if it was refused */
}

/* Takes its time, as a request to another service does. */
static void *fetch_token(void *call)
{
        usleep(10000);
        while (quoit_outcall_post(call, on_token, NULL) < 0)
                usleep(10000); /* memory is short: whoever holds a call must go on */
        return NULL;
}

static void authenticate(quoit_outcall *call, void *user)
{
        pthread_t thread;

        (void)user;
        if (has_token) {
                add_token(call);
                return;
        }
        quoit_outcall_hold(call);
        if (pthread_create(&thread, NULL, fetch_token, call) == 0)
                pthread_detach(thread);
        else
                quoit_outcall_finish(call, QUOIT_RESOURCE_EXHAUSTED, "no thread for the token");
}

/* ---- a log ---- */

static void tell(const quoit_outcall *call, const quoit_outcall_summary *summary, void *user)
{
        (void)user;
        fprintf(stderr, "%s: %s, %u attempts, %.1f ms\n", quoit_outcall_method(call)->path,
                quoit_status_name(summary->status),
                1 + summary->retries + summary->transparent_retries + summary->hedges,
                (double)summary->duration_ns / 1e6);
}

static const quoit_client_interceptor authentication = { .on_start = authenticate };
static const quoit_client_interceptor logging = { .on_end = tell };

/* ---- calls ---- */

static bool greet(quoit_channel *channel)
{
        static const quoit_call_options options = { .timeout_ms = 10000 };
        upb_Arena *arena = upb_Arena_New();
        const guide_Greeting *greeting;
        bool is_greeted = guide_Guide_Greet_blocking(channel, arena, guide_Name_new(arena),
                                  &options, &greeting, NULL) == QUOIT_OK;

        if (is_greeted)
                printf("%.*s\n", (int)guide_Greeting_text(greeting).size,
                        guide_Greeting_text(greeting).data);
        upb_Arena_Free(arena);
        return is_greeted;
}

int main(int count, char **words)
{
        quoit_client *client;
        quoit_channel *channel;
        bool is_greeted;

        if (count != 2 || quoit_client_new(NULL, &client) < 0 ||
                quoit_channel_new(client, words[1], NULL, &channel) < 0 ||
                quoit_channel_intercept(channel, &logging, NULL) < 0 ||
                quoit_channel_intercept(channel, &authentication, NULL) < 0) {
                fprintf(stderr, "intercepting_client TARGET\n");
                return 2;
        }
        is_greeted = greet(channel) && greet(channel);
        quoit_channel_free(channel);
        quoit_client_free(client);
        return is_greeted ? 0 : 1;
}
