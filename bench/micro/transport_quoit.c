/* SPDX-License-Identifier: MIT */

/*
 * Quoit's side: a connection as link/connection.c drives it, without ring and socket. What it does in
 * a turn, and when it makes frames, is the same; of the ring it has clock, timers and mailbox.
 */

#include <assert.h>
#include <stdlib.h>

#include "api.h"
#include "bench/micro/transport_client.h"
#include "core/engine.h"
#include "server/dispatch.h"
#include "server/shard.h"
#include "server/stream_events.h"

#define CALLS_A_FILL 8 /* as the connection has it */
#define OUTPUT_BYTES_MAX ((size_t)1 << 20)

struct quoit_side {
        quoit_server *server;
        struct api_limits limits;
        struct shard shard;
        struct session session;
        struct call_group group;
        struct list ready;
        struct output *output; /* of the last turn */
};

static struct quoit_side *side_of(struct call_group *group)
{
        return CONTAINER_OF(group, struct quoit_side, group);
}

static void on_ready(struct exchange *exchange)
{
        if (list_is_empty(&exchange->ready))
                list_append(&side_of(exchange->group)->ready, &exchange->ready);
}

static void on_output(struct call_group *group)
{
        (void)group; /* every turn ends with a fill */
}

static void on_freed(void *user, struct call_group *group)
{
        (void)user;
        (void)group;
}

static void shard_open(struct shard *shard, quoit_server *server)
{
        shard->server = server;
        shard->base.ring.engine = &engine_epoll; /* for its clock */
        timers_init(&shard->base.ring.timers, 0);
        mailbox_init(&shard->base.ring.mailbox);
        memory_init(&shard->base.memory);
        arena_pool_init(&shard->base.arenas, (size_t)8 << 20);
        slab_init(&shard->base.calls, sizeof(struct quoit_call));
        slab_init(&shard->base.outputs, sizeof(struct output));
        shard->calls_max = server->options.limits.calls_max;
        shard->base.host = (struct call_host){
                .ring = &shard->base.ring,
                .arenas = &shard->base.arenas,
                .calls = &shard->base.calls,
                .limits = &server->options.limits,
                .room = { .bytes_max = SIZE_MAX,
                        .arenas = &shard->base.arenas,
                        .shared_arenas = &shard->base.shared_arenas },
                .user = shard,
                .on_ready = on_ready,
                .on_output = on_output,
                .on_freed = on_freed,
        };
        lingering_init(&shard->base.host.lingering);
        list_init(&shard->base.host.at_stop);
}

static const struct peer peer = { .address = "memory" };

static void *side_open(void)
{
        struct quoit_side *side = calloc(1, sizeof(*side));

        if (!side || quoit_server_new(&(quoit_server_options){ 0 }, &side->server) < 0)
                abort();
        side->limits.message_bytes_max = (size_t)4 << 20;
        if (api_Api_register(side->server, &api_service, &side->limits) < 0)
                abort();
        shard_open(&side->shard, side->server);
        call_group_init(&side->group, &side->shard.base.host, &peer);
        list_init(&side->ready);
        if (session_init_server(&side->session, &side->shard.base.memory.h2,
                    &side->server->options.limits, 0, &stream_events, &side->group) < 0)
                abort();
        return side;
}

static void release_output(struct quoit_side *side)
{
        if (!side->output)
                return;
        session_release(&stream_events, side->output);
        slab_free(&side->shard.base.outputs, side->output);
        side->output = NULL;
}

static void fill(struct quoit_side *side)
{
        if (!session_has_output(&side->session))
                return;
        if (!side->output) {
                side->output = slab_alloc(&side->shard.base.outputs);
                if (!side->output)
                        abort();
                output_init(side->output, OUTPUT_BYTES_MAX);
        }
        if (session_fill(&side->session, side->output) < 0)
                abort();
}

static size_t side_turn(void *server, const uint8_t *data, size_t size)
{
        struct quoit_side *side = server;
        unsigned calls = 0;
        struct list *link;

        release_output(side);
        if (session_feed(&side->session, data, size) < 0)
                abort();
        while ((link = list_pop(&side->ready))) {
                if (dispatch_call(CONTAINER_OF(link, struct quoit_call, exchange.ready),
                            side->server, true) != DISPATCHED_ALL)
                        abort(); /* sayHello has one event and its end */
                if (++calls % CALLS_A_FILL == 0)
                        fill(side);
        }
        fill(side);
        return side->output ? side->output->bytes : 0;
}

static const uint8_t *side_output(void *server)
{
        struct quoit_side *side = server;

        assert(!side->output || side->output->iov_count == 1);
        return side->output ? side->output->block : NULL;
}

static void side_close(void *server)
{
        struct quoit_side *side = server;

        release_output(side);
        session_deinit(&side->session);
        slab_deinit(&side->shard.base.outputs);
        slab_deinit(&side->shard.base.calls);
        memory_deinit(&side->shard.base.memory);
        arena_pool_deinit(&side->shard.base.arenas);
        timers_deinit(&side->shard.base.ring.timers);
        quoit_server_free(side->server);
        free(side);
}

const struct server_ops quoit_server_ops = {
        .open = side_open,
        .turn = side_turn,
        .output = side_output,
        .close = side_close,
};
