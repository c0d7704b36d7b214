/* SPDX-License-Identifier: MIT */
#include "server/shard.h"

#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mapping.h"
#include "server/admission.h"
#include "server/connection.h"
#include "server/rest.h"

#define ARENAS_KEPT_BYTES_MAX ((size_t)32 << 20)
#define ARENAS_KEPT_SHARE 16 /* of the ring's memory */

/* ---- connections ---- */

struct handover {
        struct mail mail;
        struct shard *to;
        struct arrival arrival;
};

static void on_handover(struct mail *mail)
{
        struct handover *handover = CONTAINER_OF(mail, struct handover, mail);

        connection_open(handover->to, &handover->arrival);
        free(handover);
}

uint64_t shards_load(const struct quoit_server *server)
{
        uint64_t load = 0;

        for (unsigned i = 0; i < server->options.rings; i++)
                load += atomic_load_explicit(&server->shards[i].load, memory_order_relaxed);
        return load;
}

static struct shard *least_loaded(struct quoit_server *server)
{
        struct shard *best = server->shards;

        for (unsigned i = 1; i < server->options.rings; i++) {
                struct shard *shard = server->shards + i;

                if (atomic_load_explicit(&shard->load, memory_order_relaxed) <
                        atomic_load_explicit(&best->load, memory_order_relaxed))
                        best = shard;
        }
        return best;
}

void shard_place_connection(struct shard *from, const struct arrival *arrival)
{
        struct shard *to = least_loaded(from->server);
        struct handover *handover;

        atomic_fetch_add_explicit(&to->load, 1, memory_order_relaxed);
        if (to == from) {
                connection_open(to, arrival);
                return;
        }
        handover = malloc(sizeof(*handover));
        if (!handover) {
                admission_leave(to, &arrival->admitted);
                ring_refuse(&from->ring, arrival->fd);
                return;
        }
        *handover = (struct handover){
                .mail.on_delivery = on_handover,
                .to = to,
                .arrival = *arrival,
        };
        ring_post(&to->ring, &from->ring, &handover->mail);
}

static void on_accept(struct listener *listener, int fd, const struct endpoint *peer)
{
        struct shard *shard = CONTAINER_OF(listener->ring, struct shard, ring);
        struct quoit_server *server = shard->server;
        struct arrival arrival = {
                .fd = fd,
                .peer = *peer,
                .tls = server->listeners[listener - shard->listeners].tls,
        };

        atomic_fetch_add_explicit(&server->connections_accepted, 1, memory_order_relaxed);
        if (admission_enter(shard, &arrival))
                shard_place_connection(shard, &arrival);
        else
                ring_refuse(&shard->ring, fd);
}

/* Out of descriptors, a server may stay so for hours. */
#define BACKOFF_TELL_NS (10 * NS_PER_S)

static void on_backoff(struct listener *listener, int error)
{
        struct shard *shard = CONTAINER_OF(listener->ring, struct shard, ring);
        uint64_t now_ns = ring_now_ns(&shard->ring);

        if (shard->backoff_told_ns > 0 && now_ns - shard->backoff_told_ns < BACKOFF_TELL_NS)
                return;
        shard->backoff_told_ns = now_ns;
        server_log(shard->server, QUOIT_LOG_WARNING,
                "cannot accept connections: %s; trying again every 100 ms", strerror(-error));
}

static void on_listener_closed(struct listener *listener)
{
        struct quoit_server *server = CONTAINER_OF(listener->ring, struct shard, ring)->server;

        if (atomic_fetch_sub(&server->listening, 1) > 1)
                return;
        /* nothing will be handed over any more: the others may be over too */
        for (unsigned i = 1; i < server->options.rings; i++)
                ring_wake(&server->shards[i].ring);
}

static const struct listener_handler listener_handler = {
        .on_accept = on_accept,
        .on_backoff = on_backoff,
        .on_closed = on_listener_closed,
};

/* ---- memory ---- */

#define TRIM_NS NS_PER_S
#define REST_BYTES ((size_t)4 << 20) /* with no more than this a ring may rest */

static void on_trim(struct timer *timer);

/* Now and then until it is little again: what is live now may be spare later, and nobody says so. */
static void start_trims(struct shard *shard)
{
        if (!timer_is_running(&shard->trim))
                timer_start(&shard->ring.timers, &shard->trim, ring_now_ns(&shard->ring) + TRIM_NS,
                        on_trim);
}

static void on_trim(struct timer *timer)
{
        struct shard *shard = CONTAINER_OF(timer, struct shard, trim);
        size_t bytes = memory_trim(&shard->memory);

        bytes += arena_pool_trim(&shard->arenas);
        bytes += arena_pool_trim(&shard->shared_arenas);
        bytes += slab_trim(&shard->connections);
        bytes += slab_trim(&shard->calls);
        bytes += slab_trim(&shard->outputs);
        if (bytes > REST_BYTES)
                start_trims(shard);
}

/* A ring that maps no memory starts no timer for this, and runs no extra turns. */
static void see_mappings(struct shard *shard)
{
        size_t made = mappings_made();

        if (shard->mappings_seen == made)
                return;
        shard->mappings_seen = made;
        start_trims(shard);
}

/* ---- stop ---- */

static void for_each_connection(struct shard *shard, void (*fn)(struct connection *connection))
{
        struct list *link, *next;

        for (link = shard->connection_list.next; link != &shard->connection_list; link = next) {
                next = link->next;
                fn(CONTAINER_OF(link, struct connection, link));
        }
}

static void cancel_calls(struct connection *connection)
{
        connection_cancel_calls(connection, "the server is stopping");
}

static void cancel_rest(struct shard *shard)
{
        shard->drain_is_over = true;
        rest_log(shard);
        for_each_connection(shard, cancel_calls);
}

static void on_holds_over(struct timer *timer)
{
        struct shard *shard = CONTAINER_OF(timer, struct shard, holds);

        shard->gives_up = true;
        for_each_connection(shard, rest_give_up);
}

/* Stopped twice: handlers that hold calls have a little time to hear of it, and are not waited for any longer. */
static void end_holds(struct shard *shard)
{
        uint32_t hold_ms = shard->server->options.limits.stop_hold_ms;

        if (hold_ms != UINT32_MAX)
                timer_start(&shard->ring.timers, &shard->holds,
                        ring_now_ns(&shard->ring) + hold_ms * NS_PER_MS, on_holds_over);
}

static void on_drain_over(struct timer *timer)
{
        cancel_rest(CONTAINER_OF(timer, struct shard, drain));
}

static void shard_drain(struct shard *shard)
{
        struct quoit_server *server = shard->server;

        for (unsigned i = 0; shard == server->shards && i < server->listener_count; i++)
                listener_stop(shard->listeners + i);
        for_each_connection(shard, connection_drain);
}

/* Anew each time that a stop is asked for. */
static void shard_limit_drain(struct shard *shard)
{
        uint64_t due_ns = clock_after_limit_ns(
                ring_now_ns(&shard->ring), atomic_load(&shard->server->drain_ms));

        timer_cancel(&shard->ring.timers, &shard->drain);
        if (due_ns != UINT64_MAX)
                timer_start(&shard->ring.timers, &shard->drain, due_ns, on_drain_over);
}

/*
 * Whether the hooks have been told of the stop, by the first shard, and what they have then posted to calls has had a turn to
 * run, and be sent.
 */
static bool shard_tell_hooks(struct shard *shard)
{
        struct quoit_server *server = shard->server;

        if (shard->hooks_seen)
                return true;
        if (shard == server->shards) {
                hooks_stop(&server->hooks);
                atomic_store(&server->hooks_stopped, true);
                server_wake_shards(server);
        }
        shard->hooks_seen = atomic_load(&server->hooks_stopped);
        if (shard->hooks_seen) {
                call_host_stop(&shard->host);
                ring_wake(&shard->ring);
        }
        return false;
}

static void shard_see_stops(struct shard *shard)
{
        unsigned drains = atomic_load(&shard->server->drains);
        unsigned stops = atomic_load(&shard->server->stops);

        if (drains == 0 || !shard_tell_hooks(shard))
                return;
        if (shard->drains_seen == 0)
                shard_drain(shard);
        if (shard->drains_seen != drains)
                shard_limit_drain(shard);
        shard->drains_seen = drains;
        if (shard->stops_seen < 2 && stops > 1) {
                cancel_rest(shard);
                end_holds(shard);
        }
        shard->stops_seen = stops;
}

/*
 * Stopped, and nothing left: neither here nor, on its way here, with the shard that accepts. That one goes last, so that
 * whoever drives it need not wait for the others where it must not block.
 */
static bool shard_is_over(struct shard *shard)
{
        struct quoit_server *server = shard->server;

        return shard->drains_seen > 0 && atomic_load(&server->listening) == 0 &&
               list_is_empty(&shard->connection_list) && atomic_load(&shard->load) == 0 &&
               (shard != server->shards || server_has_met_others(server, MEETING_END));
}

/* ---- life ---- */

/*
 * Bulk is read by one connection a turn, into the one buffer there is: what a turn reads, makes of it and sends stays in
 * a core's cache, and the connections with little to say are served between any two of those with much.
 */
#define BULK_COUNT 1

static int shard_init_buffers(struct shard *shard)
{
        struct buffers_options bulk = {
                .count = BULK_COUNT,
                .buffer_bytes = 256 << 10,
                .group = 1,
        };
        struct buffers_options small = { .bulk = &shard->bulk };
        int r = buffers_init(&shard->bulk, &shard->ring, &bulk);

        if (r < 0)
                return r;
        r = buffers_init(&shard->buffers, &shard->ring, &small);
        if (r < 0)
                buffers_deinit(&shard->bulk);
        return r;
}

size_t shard_kernel_bytes(unsigned entries)
{
        return ring_kernel_bytes(entries) + buffers_kernel_bytes(0) +
               buffers_kernel_bytes(BULK_COUNT);
}

/* Equal parts, rounded up. */
static uint32_t share_calls_max(const quoit_server_options *options)
{
        return (uint32_t)(((uint64_t)options->limits.calls_max + options->rings - 1) /
                          options->rings);
}

static size_t share_memory(const quoit_server_options *options)
{
        size_t bytes = options->limits.memory_bytes_max;

        return bytes == SIZE_MAX ? SIZE_MAX : bytes / options->rings;
}

/* Of each pool. */
static size_t kept_bytes_max(size_t memory_bytes)
{
        size_t share = memory_bytes / ARENAS_KEPT_SHARE;

        return share < ARENAS_KEPT_BYTES_MAX ? share : ARENAS_KEPT_BYTES_MAX;
}

static void on_wrong_thread(const struct quoit_call *call, const char *function)
{
        struct shard *shard = call->group->host->user;
        struct quoit_server *server = shard->server;

        if (complaints_add(&server->complaints, call->route, function))
                server_log(server, QUOIT_LOG_ERROR,
                        "%s: %s() was called on a thread that does not own the call, and did "
                        "nothing: other threads may only call quoit_call_post() and "
                        "quoit_call_cancelled()",
                        call_path(call), function);
}

static void on_late(const struct quoit_call *call)
{
        const struct call_host *host = call->group->host;
        struct shard *shard = host->user;

        server_log_peer(shard->server, QUOIT_LOG_ERROR, ring_now_ns(&shard->ring),
                "%s: it was cancelled %" PRIu64 " ms ago, and %s (handler_end_ms)", call_path(call),
                (ring_now_ns(&shard->ring) - call->ended_ns) / NS_PER_MS,
                call->at_worker ? "its handler still keeps a worker thread"
                                : "is still held: its handler must call quoit_call_finish()");
}

static bool yields_worker(void *user)
{
        struct shard *shard = user;

        return workers_yield(&shard->server->workers);
}

static int shard_setup(struct shard *shard)
{
        const struct ring_options options = {
                .engine = shard->server->engine == QUOIT_ENGINE_EPOLL ? RING_EPOLL : RING_URING,
                .sq_entries = shard->server->ring_entries,
        };
        size_t memory_bytes = share_memory(&shard->server->options);
        int r = ring_init(&shard->ring, &options);

        if (r < 0)
                return r;
        r = shard_init_buffers(shard);
        if (r < 0) {
                ring_deinit(&shard->ring);
                return r;
        }
        census_draw(&shard->census, &shard->ring);
        if (shard == shard->server->shards)
                addresses_draw(&shard->server->addresses, &shard->ring);
        list_init(&shard->connection_list);
        list_init(&shard->given_up);
        list_init(&shard->given_up_connections);
        timer_init(&shard->drain);
        timer_init(&shard->holds);
        memory_init(&shard->memory);
        timer_init(&shard->trim);
        timer_init(&shard->shortage.timer);
        arena_pool_init(&shard->arenas, kept_bytes_max(memory_bytes));
        arena_pool_init_shared(&shard->shared_arenas, kept_bytes_max(memory_bytes));
        slab_init(&shard->connections, sizeof(struct connection));
        slab_init(&shard->calls, sizeof(struct quoit_call));
        slab_init(&shard->outputs, sizeof(struct output));
        shard->calls_max = share_calls_max(&shard->server->options);
        shard->host = (struct call_host){
                .ring = &shard->ring,
                .arenas = &shard->arenas,
                .shared_arenas = &shard->shared_arenas,
                .calls = &shard->calls,
                .limits = &shard->server->options.limits,
                .interceptors = shard->server->interceptors,
                .index = (unsigned)(shard - shard->server->shards),
                .compression = shard->server->options.compression,
                .extensions = shard->server->options.extensions,
                .room = {
                        .bytes_max = memory_bytes,
                        .arenas = &shard->arenas,
                        .shared_arenas = &shard->shared_arenas,
                },
                .user = shard,
                .on_ready = connection_on_call_ready,
                .on_output = connection_on_call_output,
                .yields_worker = yields_worker,
                .on_freed = connection_on_call_freed,
                .on_wrong_thread = on_wrong_thread,
                .on_late = on_late,
        };
        lingering_init(&shard->host.lingering);
        list_init(&shard->host.at_stop);
        return 0;
}

static void shard_teardown(struct shard *shard)
{
        timer_cancel(&shard->ring.timers, &shard->drain);
        timer_cancel(&shard->ring.timers, &shard->trim);
        timer_cancel(&shard->ring.timers, &shard->shortage.timer);
        timer_cancel(&shard->ring.timers, &shard->holds);
        lingering_deinit(&shard->host);
        slab_deinit(&shard->outputs);
        coders_deinit(&shard->host.coders);
        memory_deinit(&shard->memory);
        tls_spares_deinit(&shard->spares);
        buffers_deinit(&shard->buffers);
        buffers_deinit(&shard->bulk);
        ring_deinit(&shard->ring);
}

void shard_free_rest(struct shard *shard)
{
        if (!shard->host.ring)
                return; /* it never came to be */
        rest_free(shard);
        slab_deinit(&shard->calls);
        slab_deinit(&shard->connections);
        arena_pool_deinit(&shard->arenas);
        arena_pool_deinit(&shard->shared_arenas);
}

static void shard_listen(struct shard *shard)
{
        struct quoit_server *server = shard->server;

        if (shard != server->shards)
                return;
        for (unsigned i = 0; i < server->listener_count; i++) {
                listener_start(shard->listeners + i, &shard->ring, server->listeners[i].fd,
                        &listener_handler);
                server->listeners[i].is_taken = true;
        }
}

/* Once past this nobody wakes the ring any more: who is just about to is waited for. */
static void shard_make_unwakeable(struct shard *shard)
{
        atomic_store(&shard->wakeable, false);
        atomic_store(&shard->host.is_over, true);
        while (atomic_load(&shard->server->wakers) > 0 || atomic_load(&shard->host.posters) > 0)
                sched_yield();
}

/* A ring that breaks takes the server with it: the others must not wait for what this shard will never do. */
static void shard_break(struct shard *shard)
{
        struct quoit_server *server = shard->server;

        if (shard == server->shards) {
                atomic_store(&server->listening, 0);
                atomic_store(&server->hooks_stopped, true);
        }
        quoit_server_stop(server);
        quoit_server_stop(server);
}

bool shard_start(struct shard *shard)
{
        int r = shard_setup(shard);

        if (r < 0)
                server_note_refusal(shard->server, shard->ring.refused_call, r);
        if (!server_meet(shard->server, MEETING_START, r)) {
                if (r == 0)
                        shard_teardown(shard);
                return false;
        }
        shard_listen(shard);
        atomic_store(&shard->wakeable, true);
        shard_see_stops(shard);
        return true;
}

int shard_turn(struct shard *shard, uint64_t timeout_ns)
{
        int r;

        if (shard_is_over(shard))
                return 0;
        r = ring_turn(&shard->ring, timeout_ns);
        shard_see_stops(shard);
        see_mappings(shard);
        shortage_look(shard);
        if (r < 0) {
                server_note_refusal(shard->server, shard->ring.refused_call, r);
                shard_break(shard);
                return r;
        }
        return !shard_is_over(shard);
}

void shard_end(struct shard *shard, int r)
{
        shard_make_unwakeable(shard);
        ring_take_mail(&shard->ring); /* posts to calls that were given up meanwhile */
        /* rings send each other mail: none goes while another runs */
        server_meet(shard->server, MEETING_END, r);
        if (r == 0)
                shard_teardown(shard);
}

void shard_run(struct shard *shard)
{
        int r;

        if (!shard_start(shard))
                return;
        do
                r = shard_turn(shard, RING_FOREVER);
        while (r > 0);
        shard_end(shard, r);
}
