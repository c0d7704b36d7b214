/* SPDX-License-Identifier: MIT */

/*
 * Ten threads that call at the same time, over one connection: each waits for its own replies alone. The channel is for all of them;
 * arenas and messages are a thread's own. threads_client TARGET, for example
 *
 *      ./unary & ./threads_client 127.0.0.1:50051
 */

#include <pthread.h>
#include <stdio.h>

#include <quoit/quoit.h>

#include "guide.quoit.h"

#define THREADS 10
#define CALLS 100 /* of each */

struct caller {
        quoit_channel *channel;
        pthread_t thread;
        unsigned number;
        unsigned greeted;
};

static bool greet(struct caller *caller, upb_Arena *arena, const char *text)
{
        static const quoit_call_options options = { .timeout_ms = 10000 };
        guide_Name *name = guide_Name_new(arena);
        const guide_Greeting *greeting;
        quoit_error error;

        guide_Name_set_name(name, upb_StringView_FromString(text));
        if (guide_Guide_Greet_blocking(caller->channel, arena, name, &options, &greeting, &error) ==
                QUOIT_OK)
                return true;
        fprintf(stderr, "%s: %s\n", text, quoit_error_text(&error));
        return false;
}

static void *run(void *arg)
{
        struct caller *caller = arg;
        char name[32];

        snprintf(name, sizeof(name), "thread %u", caller->number);
        for (unsigned i = 0; i < CALLS; i++) {
                upb_Arena *arena = upb_Arena_New(); /* of one call */

                caller->greeted += greet(caller, arena, name);
                upb_Arena_Free(arena);
        }
        return NULL;
}

int main(int count, char **words)
{
        struct caller callers[THREADS] = { 0 };
        quoit_client *client;
        quoit_channel *channel;
        unsigned greeted = 0;

        if (count != 2 || quoit_client_new(NULL, &client) < 0 ||
                quoit_channel_new(client, words[1], NULL, &channel) < 0) {
                fprintf(stderr, "threads_client TARGET\n");
                return 2;
        }
        for (unsigned i = 0; i < THREADS; i++) {
                callers[i].channel = channel;
                callers[i].number = i;
                if (pthread_create(&callers[i].thread, NULL, run, callers + i) != 0)
                        return 2;
        }
        for (unsigned i = 0; i < THREADS; i++) {
                pthread_join(callers[i].thread, NULL);
                greeted += callers[i].greeted;
        }
        printf("%u of %u calls were answered\n", greeted, THREADS * CALLS);
        quoit_channel_free(channel);
        quoit_client_free(client);
        return greeted < THREADS * CALLS;
}
