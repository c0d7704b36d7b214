/* SPDX-License-Identifier: MIT */
#include "client/client_lent.h"

#include "client/handle.h"

static struct client *part_of(struct rings_guest *guest, unsigned index)
{
        return CONTAINER_OF(guest, quoit_client, guest)->parts + index;
}

static void on_begin(struct rings_guest *guest, unsigned index, struct base *base)
{
        struct client *client = part_of(guest, index);

        base_init_host(
                &client->guest_host, base, &client->base_limits, base->host.room.bytes_max, client);
        client_begin(client, base, &client->guest_host);
}

static void on_stop(struct rings_guest *guest, unsigned index)
{
        client_shut_down(part_of(guest, index));
}

static bool is_over(struct rings_guest *guest, unsigned index)
{
        return client_is_over(part_of(guest, index));
}

static void on_end(struct rings_guest *guest, unsigned index, bool is_broken)
{
        struct client *client = part_of(guest, index);

        if (is_broken)
                client_break(client);
        client_end(client);
        if (is_broken)
                return;
        coders_deinit(&client->guest_host.coders);
        client_free_memory(client);
}

int client_lent_join(quoit_client *client, quoit_rings *rings)
{
        client->guest.on_begin = on_begin;
        client->guest.on_stop = on_stop;
        client->guest.is_over = is_over;
        client->guest.on_end = on_end;
        return rings_join(rings, &client->guest);
}

int client_lent_leave(quoit_client *client)
{
        return rings_leave(&client->guest);
}
