/* SPDX-License-Identifier: MIT */

/*
 * A call in private. The server's certificate must be for the name, and signed by an authority of the file; with two more files the client
 * shows a certificate of its own, to servers that ask for one. tls_client TARGET CA_FILE NAME [CERTIFICATE_FILE KEY_FILE], for example
 *
 *      ./tls server.crt server.key & ./tls_client 127.0.0.1:50051 server.crt localhost
 */

#include <stdio.h>
#include <string.h>

#include <quoit/quoit.h>

#include "guide.quoit.h"

static int greet(quoit_channel *channel)
{
        static const quoit_call_options options = { .timeout_ms = 10000 };
        upb_Arena *arena = upb_Arena_New();
        guide_Name *name = guide_Name_new(arena);
        const guide_Greeting *greeting;
        quoit_error error;

        guide_Name_set_name(name, upb_StringView_FromString("Ann"));
        if (guide_Guide_Greet_blocking(channel, arena, name, &options, &greeting, &error) ==
                QUOIT_OK)
                printf("%.*s\n", (int)guide_Greeting_text(greeting).size,
                        guide_Greeting_text(greeting).data);
        else
                fprintf(stderr, "%s\n", quoit_error_text(&error));
        upb_Arena_Free(arena);
        return error.status != QUOIT_OK;
}

int main(int count, char **words)
{
        quoit_channel_tls tls = { 0 };
        quoit_client *client;
        quoit_channel *channel;
        int r, status;

        if (count != 4 && count != 6) {
                fprintf(stderr, "tls_client TARGET CA_FILE NAME [CERTIFICATE_FILE KEY_FILE]\n");
                return 2;
        }
        tls.ca_file = words[2]; /* NULL: the authorities that the system trusts */
        tls.server_name = words[3]; /* NULL: the host of the target */
        if (count == 6) {
                tls.certificate_file = words[4];
                tls.key_file = words[5];
        }
        if (quoit_client_new(NULL, &client) < 0)
                return 2;
        r = quoit_channel_new(client, words[1], &(quoit_channel_options){ .tls = &tls }, &channel);
        if (r < 0) {
                fprintf(stderr, "tls_client: the target or a file: %s\n", strerror(-r));
                quoit_client_free(client);
                return 2;
        }
        status = greet(channel);
        quoit_channel_free(channel);
        quoit_client_free(client);
        return status;
}
