/* SPDX-License-Identifier: MIT */

/*
 * Load balancing: ten calls to several servers, by one of gRPC's policies, or by one of this file's. balancing POLICY TARGET, for example
 *
 *      ./balancing round_robin dns:///service.example:50051
 *      ./balancing fewest ipv4:127.0.0.1:50051,127.0.0.1:50052
 *
 * "fewest" looks at all servers, and takes the one that has answered the fewest calls. Which servers that were is printed.
 */

#include <stdio.h>
#include <string.h>

#include <quoit/quoit.h>

#include "api.quoit.h"

/* ---- a policy ---- */

#define ADDRESSES_MAX 64

/* All of it is used on the client's thread alone. */
struct fewest {
        const quoit_balancer_address *addresses[ADDRESSES_MAX];
        unsigned answered[ADDRESSES_MAX];
        size_t count;
};

static void on_update(const quoit_balancer_address *const *addresses, size_t count, void *user)
{
        struct fewest *fewest = user;

        *fewest = (struct fewest){ .count = count < ADDRESSES_MAX ? count : ADDRESSES_MAX };
        for (size_t i = 0; i < fewest->count; i++)
                fewest->addresses[i] = addresses[i];
}

static int pick(const quoit_balancer_call *call, const quoit_balancer_address *const *addresses,
        size_t count, void *user)
{
        const struct fewest *fewest = user;
        size_t best = 0;

        (void)call;
        (void)addresses;
        for (size_t i = 1; i < count && i < fewest->count; i++) {
                if (fewest->answered[i] < fewest->answered[best])
                        best = i;
        }
        return (int)best;
}

static void on_done(const quoit_balancer_address *address, quoit_status status, void *user)
{
        struct fewest *fewest = user;

        printf("%s: %s\n", quoit_balancer_address_text(address), quoit_status_name(status));
        for (size_t i = 0; i < fewest->count; i++)
                fewest->answered[i] += fewest->addresses[i] == address;
}

static const quoit_balancer fewest_policy = {
        .on_update = on_update, .pick = pick, .on_done = on_done
};

/* ---- calls ---- */

static void call(quoit_channel *channel, upb_Arena *arena)
{
        static const quoit_call_options options = { .timeout_ms = 10000 };
        const api_HelloRequest *request = api_HelloRequest_new(arena);
        const api_Hello *reply;
        quoit_error error;

        if (api_Api_sayHello_blocking(channel, arena, request, &options, &reply, &error) !=
                QUOIT_OK)
                fprintf(stderr, "%s\n", quoit_error_text(&error));
}

int main(int count, char **words)
{
        static struct fewest fewest;
        quoit_load_balancing balancing = { .policy = count == 3 ? words[1] : NULL,
                .user = &fewest };
        const quoit_channel_options options = { .load_balancing = &balancing };
        upb_Arena *arena = upb_Arena_New();
        quoit_channel *channel = NULL;
        quoit_client *client = NULL;
        bool began;

        if (count == 3 && strcmp(words[1], "fewest") == 0)
                balancing.balancer = &fewest_policy;
        began = count == 3 && quoit_client_new(NULL, &client) == 0 &&
                quoit_channel_new(client, words[2], &options, &channel) == 0;
        if (!began)
                fprintf(stderr, "balancing POLICY TARGET\n");
        for (int i = 0; began && i < 10; i++)
                call(channel, arena);
        quoit_channel_free(channel);
        quoit_client_free(client);
        upb_Arena_Free(arena);
        return began ? 0 : 2;
}
