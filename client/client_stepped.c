/* SPDX-License-Identifier: MIT */
#include "client/client_stepped.h"

#include <poll.h>

#include "client/client_thread.h"

/* Turns that one step takes at most, before its caller's loop goes on. */
#define TURNS_A_STEP 4

int client_stepped_begin(struct client *client, enum ring_engine engine)
{
        int fd, r = client_own_begin(client, engine);

        if (r < 0)
                return r;
        fd = ring_poll_fd(&client->own.ring);
        if (fd >= 0)
                return 0;
        client_own_end(client);
        return fd;
}

static int turn(struct client *client)
{
        int r = ring_turn(&client->own.ring, 0);

        if (r == 0)
                base_look(&client->own);
        else
                client_break(client);
        return r;
}

int client_stepped_step(struct client *client)
{
        struct ring *ring = &client->own.ring;

        for (int turns = 0; turns < TURNS_A_STEP; turns++) {
                int r = turn(client);

                if (r < 0)
                        return r;
                if (ring_may_poll(ring))
                        return 1;
        }
        ring_wake(ring);
        return 1;
}

void client_stepped_end(struct client *client)
{
        struct ring *ring = &client->own.ring;
        struct pollfd pollfd = { .fd = ring_poll_fd(ring), .events = POLLIN };

        client_shut_down(client);
        while (!client->is_broken && !client_is_over(client)) {
                if (turn(client) == 0 && !client_is_over(client) && ring_may_poll(ring))
                        (void)poll(&pollfd, 1, -1);
        }
        client_own_end(client);
}
