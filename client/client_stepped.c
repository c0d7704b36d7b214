/* SPDX-License-Identifier: MIT */
#include "client/client_stepped.h"

#include <poll.h>

#include "client/client_thread.h"

/* Turns that one step takes at most, before its caller's loop goes on. */
#define TURNS_A_STEP 4

static int turn(struct client *client, uint64_t timeout_ns)
{
        int r = ring_turn(&client->own.ring, timeout_ns);

        if (r == 0)
                base_look(&client->own);
        else
                client_break(client);
        return r;
}

int client_stepped_step(struct client *client)
{
        struct ring *ring = &client->own.ring;
        int r = ring_poll_fd(ring);

        if (r < 0)
                return r;
        for (int turns = 0; turns < TURNS_A_STEP; turns++) {
                r = turn(client, 0);
                if (r < 0)
                        return r;
                if (ring_may_poll(ring))
                        return 1;
        }
        ring_wake(ring);
        return 1;
}

/* Once its descriptor was given out a ring does not wait itself. */
static int poll_ring(struct ring *ring, uint64_t timeout_ns)
{
        struct pollfd pollfd = { .fd = ring_poll_fd(ring), .events = POLLIN };
        struct timespec timeout = clock_timespec(timeout_ns);

        return ppoll(&pollfd, 1, timeout_ns == RING_FOREVER ? NULL : &timeout, NULL);
}

int client_stepped_wait(struct client *client, uint64_t timeout_ns)
{
        struct ring *ring = &client->own.ring;
        int r;

        if (ring->is_polled && timeout_ns > 0 && ring_may_poll(ring) &&
                poll_ring(ring, timeout_ns) <= 0)
                return 1;
        r = turn(client, ring->is_polled ? 0 : timeout_ns);
        return r < 0 ? r : 1;
}

void client_stepped_end(struct client *client)
{
        client_shut_down(client);
        while (!client->is_broken && !client_is_over(client))
                (void)client_stepped_wait(client, RING_FOREVER);
        client_own_end(client);
}
