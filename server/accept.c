/* SPDX-License-Identifier: MIT */
#include "server/accept.h"

#include <string.h>

#include "core/clock.h"
#include "server/admission.h"
#include "server/connections.h"

static struct shard *shard_of(const struct listener *listener)
{
        return CONTAINER_OF(listener->ring, struct shard, base.ring);
}

static void on_accept(struct listener *listener, int fd, const struct endpoint *peer)
{
        struct shard *shard = shard_of(listener);
        struct quoit_server *server = shard->server;
        struct arrival arrival = {
                .fd = fd,
                .peer = *peer,
                .listener = server->listeners + (listener - shard->listeners),
        };

        atomic_fetch_add_explicit(&server->connections_accepted, 1, memory_order_relaxed);
        if (admission_enter(shard, &arrival))
                connections_place(shard, &arrival);
        else
                ring_refuse(&shard->base.ring, fd);
        call_host_look(&shard->base.host);
}

/* A server can be out of descriptors for hours. */
#define BACKOFF_LOG_NS (10 * NS_PER_S)

static void on_backoff(struct listener *listener, int error)
{
        struct shard *shard = shard_of(listener);
        uint64_t now_ns = ring_now_ns(&shard->base.ring);

        if (shard->backoff_logged_ns > 0 && now_ns - shard->backoff_logged_ns < BACKOFF_LOG_NS)
                return;
        shard->backoff_logged_ns = now_ns;
        server_log(shard->server, QUOIT_LOG_WARNING,
                "cannot accept connections: %s; trying again every 100 ms", strerror(-error));
}

static void on_listener_closed(struct listener *listener)
{
        struct quoit_server *server = shard_of(listener)->server;

        if (atomic_fetch_sub(&server->listening, 1) > 1)
                return;
        /* no more connections are handed over: the other shards can end */
        for (unsigned i = 1; i < server->options.rings; i++)
                ring_wake(&server->shards[i].base.ring);
}

static const struct listener_handler listener_handler = {
        .on_accept = on_accept,
        .on_backoff = on_backoff,
        .on_closed = on_listener_closed,
};

void accept_start(struct shard *shard)
{
        struct quoit_server *server = shard->server;

        if (shard != server->shards)
                return;
        for (unsigned i = 0; i < server->listener_count; i++) {
                listener_start(shard->listeners + i, &shard->base.ring, server->listeners[i].fd,
                        &listener_handler);
                server->listeners[i].is_taken = true;
        }
}

void accept_stop(struct shard *shard)
{
        struct quoit_server *server = shard->server;

        for (unsigned i = 0; shard == server->shards && i < server->listener_count; i++)
                listener_stop(shard->listeners + i);
}
