/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A host for calls whose streams have no session: nothing is sent, and the test calls the events.
 * The ring has only its clock and timers.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "call/call.h"
#include "core/engine.h"

struct bench {
        struct ring ring;
        struct arena_pool arenas;
        struct arena_pool shared_arenas;
        struct slab calls;
        quoit_limits limits;
        struct call_host host;
        struct call_group group;
        unsigned ready, outputs, freed, overdue;
};

static inline void bench_on_ready(struct exchange *exchange)
{
        ((struct bench *)exchange->group->host->user)->ready++;
}

static inline void bench_on_output(struct call_group *group)
{
        ((struct bench *)group->host->user)->outputs++;
}

static inline void bench_on_overdue(const struct quoit_call *call)
{
        ((struct bench *)call_host_of(call)->user)->overdue++;
}

static inline void bench_on_freed(void *user, struct call_group *group)
{
        struct bench *bench = user;

        assert_ptr_equal(group, &bench->group);
        bench->freed++;
}

static inline struct bench *bench_new(void)
{
        struct bench *bench = calloc(1, sizeof(*bench));

        assert_non_null(bench);
        bench->ring.engine = &engine_epoll;
        timers_init(&bench->ring.timers, 0);
        mailbox_init(&bench->ring.mailbox);
        arena_pool_init(&bench->arenas, (size_t)1 << 20);
        arena_pool_init_shared(&bench->shared_arenas, (size_t)1 << 20);
        slab_init(&bench->calls, sizeof(struct quoit_call));
        bench->limits = (quoit_limits){
                .message_receive_bytes_max = 1 << 20,
                .connection_receive_bytes_max = 2 << 20,
                .call_queue_bytes_hard_max = 1 << 20,
                .handler_end_ms = UINT32_MAX,
                .retry_pushback_ms = 1000,
        };
        bench->host = (struct call_host){
                .ring = &bench->ring,
                .arenas = &bench->arenas,
                .shared_arenas = &bench->shared_arenas,
                .calls = &bench->calls,
                .limits = &bench->limits,
                .room = {
                        .bytes_max = SIZE_MAX,
                        .bytes_min = ROOM_BYTES_MIN_MOST,
                        .arenas = &bench->arenas,
                        .shared_arenas = &bench->shared_arenas,
                },
                .user = bench,
                .on_ready = bench_on_ready,
                .on_output = bench_on_output,
                .on_freed = bench_on_freed,
                .on_overdue = bench_on_overdue,
        };
        lingering_init(&bench->host.lingering);
        list_init(&bench->host.at_stop);
        call_group_init(&bench->group, &bench->host, NULL);
        return bench;
}

/* Asserts that all memory was freed. */
static inline void bench_free(struct bench *bench)
{
        assert_int_equal(bench->group.count, 0);
        assert_int_equal(bench->group.held_bytes, 0);
        assert_int_equal(bench->group.queued_bytes, 0);
        assert_int_equal(bench->calls.live, 0);
        assert_int_equal(bench->arenas.used_bytes, 0);
        lingering_deinit(&bench->host);
        slab_deinit(&bench->calls);
        arena_pool_deinit(&bench->arenas);
        arena_pool_deinit(&bench->shared_arenas);
        timers_deinit(&bench->ring.timers);
        free(bench);
}

static inline const struct route *route_of(quoit_method_kind kind)
{
        static const quoit_method methods[] = {
                [QUOIT_UNARY] = { .path = "/t.T/unary", .kind = QUOIT_UNARY },
                [QUOIT_SERVER_STREAMING] = { .path = "/t.T/down", .kind = QUOIT_SERVER_STREAMING },
                [QUOIT_CLIENT_STREAMING] = { .path = "/t.T/up", .kind = QUOIT_CLIENT_STREAMING },
                [QUOIT_BIDI] = { .path = "/t.T/both", .kind = QUOIT_BIDI },
        };
        static const struct route routes[] = {
                [QUOIT_UNARY] = { .method = methods + QUOIT_UNARY },
                [QUOIT_SERVER_STREAMING] = { .method = methods + QUOIT_SERVER_STREAMING },
                [QUOIT_CLIENT_STREAMING] = { .method = methods + QUOIT_CLIENT_STREAMING },
                [QUOIT_BIDI] = { .method = methods + QUOIT_BIDI },
        };

        return routes + kind;
}

/* A call whose header block has arrived. */
static inline struct quoit_call *bench_call(struct bench *bench, quoit_method_kind kind)
{
        struct quoit_call *call = call_new(&bench->group);

        assert_non_null(call);
        list_init(&call->exchange.stream.link);
        stream_set_state(&call->exchange.stream, STREAM_OPEN);
        call_set_route(call, route_of(kind));
        call_set_state(call, CALL_OPEN);
        return call;
}

/* The stream is closed by the peer; a call that no handler had is freed with it. */
static inline void bench_close(struct quoit_call *call)
{
        stream_set_state(&call->exchange.stream, STREAM_CLOSED);
        call_on_stream_closed(call, false);
}
