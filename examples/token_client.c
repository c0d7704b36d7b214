/* SPDX-License-Identifier: MIT */

/*
 * Says who calls: each call has a token that a command prints, such as "gcloud auth print-access-token". The command runs on a thread of
 * its own, as a ring must not wait; the call waits for it, within its deadline. token_client TARGET CA_FILE COMMAND, with "-" for a server
 * in the clear, for example
 *
 *      ./authenticate & ./token_client 127.0.0.1:50051 - 'echo ann'
 */

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <quoit/quoit.h>

#include "guide.quoit.h"

#define TOKEN_MAX 8192

static const char *command;

static void *fetch(void *arg)
{
        quoit_credentials_request *request = arg;
        char text[TOKEN_MAX] = "Bearer ";
        size_t used = strlen(text);
        FILE *output = popen(command, "r");
        bool has_token = output && fgets(text + used, (int)(sizeof(text) - used), output);

        if ((!output || pclose(output) == 0) && has_token) {
                text[strcspn(text, "\n")] = '\0';
                quoit_credentials_request_answer(request,
                        &(quoit_metadata){ "authorization", upb_StringView_FromString(text) }, 1);
        } else {
                quoit_credentials_request_fail(request, QUOIT_UNAUTHENTICATED, command);
        }
        return NULL;
}

/* A program with many calls would keep a token until shortly before its end, and answer at once. */
static void on_request(quoit_credentials_request *request, void *user)
{
        pthread_t thread;

        (void)user;
        if (pthread_create(&thread, NULL, fetch, request) == 0)
                pthread_detach(thread);
        else
                quoit_credentials_request_fail(request, QUOIT_UNAVAILABLE, "no thread");
}

static int greet(quoit_channel *channel)
{
        static const quoit_call_options options = { .timeout_ms = 10000 };
        upb_Arena *arena = upb_Arena_New();
        const guide_Greeting *greeting;
        quoit_error error;

        if (guide_Guide_Greet_blocking(
                    channel, arena, guide_Name_new(arena), &options, &greeting, &error) == QUOIT_OK)
                printf("%.*s\n", (int)guide_Greeting_text(greeting).size,
                        guide_Greeting_text(greeting).data);
        else
                fprintf(stderr, "%s\n", quoit_error_text(&error));
        upb_Arena_Free(arena);
        return error.status != QUOIT_OK;
}

int main(int count, char **words)
{
        static const quoit_credentials_plugin plugin = { .on_request = on_request };
        quoit_channel_options options = { 0 };
        quoit_channel_tls tls = { 0 };
        quoit_client *client;
        quoit_channel *channel;
        int status = 2;

        if (count != 4) {
                fprintf(stderr, "token_client TARGET CA_FILE COMMAND\n");
                return 2;
        }
        command = words[3];
        tls.ca_file = words[2];
        options.tls = &tls;
        if (strcmp(words[2], "-") == 0) {
                options.tls = NULL;
                options.insecure_credentials = true; /* or tokens are only sent by TLS */
        }
        if (quoit_client_new(NULL, &client) < 0)
                return 2;
        if (quoit_call_credentials_new(&plugin, NULL, &options.call_credentials) == 0 &&
                quoit_channel_new(client, words[1], &options, &channel) == 0) {
                status = greet(channel);
                quoit_channel_free(channel);
        }
        quoit_call_credentials_free(options.call_credentials);
        quoit_client_free(client);
        return status;
}
