/* SPDX-License-Identifier: MIT */
#include "server/shard.h"

#include <inttypes.h>
#include <sched.h>
#include <unistd.h>

#include "core/clock.h"
#include "server/accept.h"
#include "server/connections.h"
#include "server/faults.h"
#include "server/stop.h"
#include "server/type_name.h"
#include "server/unfinished.h"

uint64_t shards_load(const struct quoit_server *server)
{
        uint64_t load = 0;

        for (unsigned i = 0; i < server->options.rings; i++)
                load += atomic_load_explicit(&server->shards[i].load, memory_order_relaxed);
        return load;
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

static void on_wrong_thread(const struct quoit_call *call, const char *function)
{
        struct shard *shard = call_host_of(call)->user;
        struct quoit_server *server = shard->server;

        if (complaints_add(&server->complaints, call->request.route, function))
                server_log(server, QUOIT_LOG_ERROR,
                        "%s: %s() was called on a thread that does not own the call, and did "
                        "nothing: other threads may only call quoit_call_post() and "
                        "quoit_call_cancelled()",
                        call_path(call), function);
}

static void on_overdue(const struct quoit_call *call)
{
        const struct call_host *host = call_host_of(call);
        struct shard *shard = host->user;

        server_log_peer(shard->server, QUOIT_LOG_ERROR, ring_now_ns(&shard->base.ring),
                "%s: it was cancelled %" PRIu64 " ms ago, and %s (handler_end_ms)", call_path(call),
                (ring_now_ns(&shard->base.ring) - call->ring.ended_ns) / NS_PER_MS,
                call->ring.at_worker ? "its handler still keeps a worker thread"
                                     : "is still held: its handler must call quoit_call_finish()");
}

static bool yields_worker(void *user)
{
        struct shard *shard = user;

        return workers_yield(&shard->server->workers);
}

static void on_shortage(struct base *base, uint64_t count)
{
        const struct room *room = &base->host.room;
        struct shard *shard = base->host.user;

        server_log(shard->server, QUOIT_LOG_WARNING,
                "memory is short: %" PRIu64
                " calls were refused or ended; calls hold %zu of the %zu MiB of their ring "
                "(memory_bytes_max)",
                count, room_used_bytes(room) >> 20, room->bytes_max >> 20);
}

static void fill_host(struct shard *shard)
{
        const struct quoit_server *server = shard->server;
        struct call_host *host = &shard->base.host;

        host->interceptors = server->interceptors;
        host->cors = server->cors;
        host->index = (unsigned)(shard - server->shards);
        host->compression = server->options.compression;
        host->protocols = server->options.protocols;
        host->extensions = server->options.extensions;
        host->json_types = &shard->server->json_types;
        host->yields_worker = yields_worker;
        host->on_wrong_thread = on_wrong_thread;
        host->name_type = type_name;
        host->on_overdue = on_overdue;
        host->on_report = server->options.on_log ? faults_log : NULL;
}

static int shard_setup(struct shard *shard)
{
        struct quoit_server *server = shard->server;
        struct ring *ring = &shard->base.ring;
        const struct base_options options = {
                .ring = {
                        .engine = server->engine == QUOIT_ENGINE_EPOLL ? RING_EPOLL : RING_URING,
                        .sq_entries = server->ring_entries,
                },
                .memory_bytes_max = share_memory(&server->options),
                .limits = &server->options.limits,
                .owned = &shard->connections,
                .user = shard,
                .on_shortage = on_shortage,
        };
        int r = base_init(&shard->base, &options);

        if (r < 0)
                return r;
        shard->tid = gettid();
        fill_host(shard);
        census_draw(&shard->census, ring);
        if (shard == server->shards)
                addresses_draw(&server->addresses, ring);
        base_slab_init(&shard->connections, &shard->base, sizeof(struct server_connection));
        list_init(&shard->given_up);
        list_init(&shard->given_up_connections);
        timer_init(&shard->drain);
        timer_init(&shard->holds);
        shard->calls_max = share_calls_max(&server->options);
        return 0;
}

static void shard_teardown(struct shard *shard)
{
        timer_cancel(&shard->base.ring.timers, &shard->drain);
        timer_cancel(&shard->base.ring.timers, &shard->holds);
        base_deinit(&shard->base);
}

void shard_free_unfinished(struct shard *shard)
{
        if (!shard->base.host.ring || shard->is_broken)
                return; /* never set up; or its connections stay as they were, memory and all */
        unfinished_free(shard);
        base_slab_deinit(&shard->connections);
        base_free_calls(&shard->base);
}

/* After this nobody wakes the ring any more: waits for the threads that are about to. */
static void shard_make_unwakeable(struct shard *shard)
{
        atomic_store(&shard->wakeable, false);
        while (atomic_load(&shard->server->wakers) > 0)
                sched_yield();
        call_host_end_posts(&shard->base.host);
}

/* A ring that fails stops the whole server: the others must not wait for what this shard can no longer do. */
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
                server_note_refusal(shard->server, shard->base.ring.refused_call, r);
        if (!server_meet(shard->server, MEETING_START, r)) {
                if (r == 0)
                        shard_teardown(shard);
                return false;
        }
        rings_begin(&shard->server->lent, shard_index(shard), &shard->base);
        accept_start(shard);
        atomic_store(&shard->wakeable, true);
        stop_look(shard);
        return true;
}

int shard_turn(struct shard *shard, uint64_t timeout_ns)
{
        int r;

        if (stop_is_over(shard))
                return 0;
        r = ring_turn(&shard->base.ring, timeout_ns);
        counter_set(&shard->turns, ring_turns(&shard->base.ring));
        stop_look(shard);
        base_look(&shard->base);
        if (r < 0) {
                server_note_refusal(shard->server, shard->base.ring.refused_call, r);
                shard_break(shard);
                return r;
        }
        return !stop_is_over(shard);
}

void shard_end(struct shard *shard, int r)
{
        if (!shard->is_idle) /* it is broken */
                stop_note_idle(shard);
        rings_end(&shard->server->lent, shard_index(shard), r < 0);
        shard_make_unwakeable(shard);
        ring_take_mail(&shard->base.ring); /* posts to calls that were given up meanwhile */
        /* rings send each other mail: none is freed while another runs */
        server_meet(shard->server, MEETING_END, r);
        shard->is_broken = r < 0;
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
