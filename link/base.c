/* SPDX-License-Identifier: MIT */
#include "link/base.h"

#include "core/clock.h"
#include "core/mapping.h"
#include "link/connection.h"

#define ARENAS_KEPT_BYTES_MAX ((size_t)32 << 20)
#define ARENAS_KEPT_SHARE 16 /* of the ring's memory */

/* ---- memory ---- */

#define TRIM_NS NS_PER_S
#define REST_BYTES ((size_t)4 << 20) /* a ring with no more free memory than this needs no trims */

static void on_trim(struct timer *timer);

/* Trims run every second until little is left: what is in use now can be free later, and no event reports that. */
static void start_trims(struct base *base)
{
        if (!timer_is_running(&base->trim))
                timer_start(&base->ring.timers, &base->trim, ring_now_ns(&base->ring) + TRIM_NS,
                        on_trim);
}

static void on_trim(struct timer *timer)
{
        struct base *base = CONTAINER_OF(timer, struct base, trim);
        size_t bytes = memory_trim(&base->memory);

        bytes += arena_pool_trim(&base->arenas);
        bytes += arena_pool_trim(&base->shared_arenas);
        for (struct list *link = base->slabs.next; link != &base->slabs; link = link->next)
                bytes += slab_trim(&CONTAINER_OF(link, struct base_slab, link)->slab);
        bytes += slab_trim(&base->calls);
        bytes += slab_trim(&base->outputs);
        heap_look(&base->heap);
        if (bytes > REST_BYTES || heap_is_used(&base->heap))
                start_trims(base);
}

void base_slab_init(struct base_slab *slab, struct base *base, size_t object_bytes)
{
        slab_init(&slab->slab, object_bytes);
        list_append(&base->slabs, &slab->link);
}

void base_slab_deinit(struct base_slab *slab)
{
        list_remove(&slab->link);
        slab_deinit(&slab->slab);
}

/* While the process maps no memory, no ring starts a timer for this, or makes extra turns. */
static void see_mappings(struct base *base)
{
        size_t made = mappings_made();

        if (base->mappings_seen == made)
                return;
        base->mappings_seen = made;
        start_trims(base);
}

void base_look(struct base *base)
{
        see_mappings(base);
        if (heap_is_used(&base->heap))
                start_trims(base);
        shortage_look(base);
}

/* ---- life ---- */

/*
 * There is one bulk buffer, so one connection reads bulk in a turn. What a turn reads, decodes and sends then stays in the
 * core's cache, and connections with little data are served between any two that have much.
 */
#define BULK_COUNT 1

/*
 * Nobody knows yet what a newcomer wants, and there can be thousands that send all at once. So a turn reads from a few of them, and
 * the other connections neither wait for buffers behind them nor for a long turn. It reads from several for each one that it accepts
 * (ACCEPTS_A_TURN), because a handshake takes several reads: those that have come are served before more come.
 */
#define NEWCOMERS_COUNT 16

static void deinit_buffers(struct base *base)
{
        buffers_deinit(&base->newcomers);
        buffers_deinit(&base->buffers);
        buffers_deinit(&base->bulk);
}

static int init_buffers(struct base *base)
{
        const struct buffers_options bulk = {
                .count = BULK_COUNT,
                .buffer_bytes = 256 << 10,
                .group = 1,
        };
        const struct buffers_options small = { .bulk = &base->bulk };
        const struct buffers_options newcomers = {
                .count = NEWCOMERS_COUNT,
                .group = 2,
                .once = true,
        };
        int r = buffers_init(&base->bulk, &base->ring, &bulk);

        if (r == 0)
                r = buffers_init(&base->buffers, &base->ring, &small);
        if (r == 0)
                r = buffers_init(&base->newcomers, &base->ring, &newcomers);
        if (r < 0)
                deinit_buffers(base);
        return r;
}

size_t base_kernel_bytes(unsigned entries)
{
        return ring_kernel_bytes(entries) + buffers_kernel_bytes(0) +
               buffers_kernel_bytes(BULK_COUNT) + buffers_kernel_bytes(NEWCOMERS_COUNT);
}

/* How many free bytes each arena pool keeps. */
static size_t kept_bytes_max(size_t memory_bytes)
{
        size_t share = memory_bytes / ARENAS_KEPT_SHARE;

        return share < ARENAS_KEPT_BYTES_MAX ? share : ARENAS_KEPT_BYTES_MAX;
}

void base_init_host(struct call_host *host, struct base *base, const quoit_limits *limits,
        size_t memory_bytes_max, void *user)
{
        *host = (struct call_host){
                .ring = &base->ring,
                .arenas = &base->arenas,
                .shared_arenas = &base->shared_arenas,
                .calls = &base->calls,
                .limits = limits,
                .room = {
                        .bytes_max = memory_bytes_max,
                        .arenas = &base->arenas,
                        .shared_arenas = &base->shared_arenas,
                },
                .user = user,
                .on_ready = connection_on_call_ready,
                .on_output = connection_on_call_output,
                .on_freed = connection_on_call_freed,
        };
        lingering_init(&host->lingering);
        room_share(&host->room, 0);
        list_init(&host->at_stop);
}

int base_init(struct base *base, const struct base_options *options)
{
        size_t kept_bytes = kept_bytes_max(options->memory_bytes_max);
        int r = ring_init(&base->ring, &options->ring);

        if (r < 0)
                return r;
        r = init_buffers(base);
        if (r < 0) {
                ring_deinit(&base->ring);
                return r;
        }
        list_init(&base->connections);
        memory_init(&base->memory);
        timer_init(&base->trim);
        shortage_init(&base->shortage, options->on_shortage);
        arena_pool_init(&base->arenas, kept_bytes);
        arena_pool_init_shared(&base->shared_arenas, kept_bytes);
        slab_init(&base->calls, sizeof(struct quoit_call));
        slab_init(&base->outputs, sizeof(struct output));
        base->owned = options->owned;
        list_init(&base->slabs);
        base->heap = (struct heap){ .work = { .ring = &base->ring } };
        base_init_host(
                &base->host, base, options->limits, options->memory_bytes_max, options->user);
        return 0;
}

void base_deinit(struct base *base)
{
        timer_cancel(&base->ring.timers, &base->trim);
        timer_cancel(&base->ring.timers, &base->shortage.timer);
        lingering_deinit(&base->host);
        slab_deinit(&base->outputs);
        coders_deinit(&base->host.coders);
        memory_deinit(&base->memory);
        tls_spares_deinit(&base->spares);
        deinit_buffers(base);
        ring_deinit(&base->ring);
}

void base_free_calls(struct base *base)
{
        slab_deinit(&base->calls);
        arena_pool_deinit(&base->arenas);
        arena_pool_deinit(&base->shared_arenas);
}
