/* SPDX-License-Identifier: MIT */
#include "server/stop.h"

#include "core/clock.h"
#include "server/accept.h"
#include "server/connections.h"
#include "server/unfinished.h"

static void cancel_unfinished(struct shard *shard)
{
        shard->drain_is_over = true;
        unfinished_log(shard);
        connections_cancel_calls(shard);
}

static void on_holds_over(struct timer *timer)
{
        CONTAINER_OF(timer, struct shard, holds)->gives_up = true;
}

/* Stopped twice: handlers that hold calls get a last, short time to finish them. */
static void end_holds(struct shard *shard)
{
        uint32_t hold_ms = shard->server->options.limits.stop_hold_ms;

        if (hold_ms != UINT32_MAX)
                timer_start(&shard->base.ring.timers, &shard->holds,
                        ring_now_ns(&shard->base.ring) + hold_ms * NS_PER_MS, on_holds_over);
}

static void on_drain_over(struct timer *timer)
{
        cancel_unfinished(CONTAINER_OF(timer, struct shard, drain));
}

static void drain(struct shard *shard)
{
        accept_stop(shard);
        connections_for_each(shard, connection_drain);
}

/* The limit begins anew each time that a stop is asked for. */
static void limit_drain(struct shard *shard)
{
        uint64_t due_ns = clock_after_limit_ns(
                ring_now_ns(&shard->base.ring), atomic_load(&shard->server->drain_ms));

        timer_cancel(&shard->base.ring.timers, &shard->drain);
        if (due_ns != UINT64_MAX)
                timer_start(&shard->base.ring.timers, &shard->drain, due_ns, on_drain_over);
}

/*
 * Has the hooks' on_stop run, by the first shard. True: that is done, and what they posted to calls had a turn to run and be
 * sent.
 */
static bool run_hooks(struct shard *shard)
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
                call_host_stop(&shard->base.host);
                ring_wake(&shard->base.ring);
        }
        return false;
}

/* Nothing of the server's own is left on it. */
static bool is_idle(const struct shard *shard)
{
        return atomic_load(&shard->server->listening) == 0 && atomic_load(&shard->load) == 0 &&
               !connections_any(shard);
}

void stop_note_idle(struct shard *shard)
{
        shard->is_idle = true;
        if (rings_note_idle(&shard->server->lent) && rings_have_guests(&shard->server->lent))
                server_wake_shards(shard->server);
}

/*
 * Clients on the rings end when the last of the server's calls has ended, wherever that was: a handler on a worker may wait for a call
 * on any ring.
 */
static void look_at_guests(struct shard *shard)
{
        struct quoit_rings *lent = &shard->server->lent;

        if (!shard->is_idle && is_idle(shard))
                stop_note_idle(shard);
        if (shard->guests_stopped || !rings_are_idle(lent))
                return;
        shard->guests_stopped = true;
        rings_stop(lent, shard_index(shard));
}

void stop_look(struct shard *shard)
{
        unsigned drains = atomic_load(&shard->server->drains);
        unsigned stops = atomic_load(&shard->server->stops);

        if (drains == 0 || !run_hooks(shard))
                return;
        if (shard->drains_seen == 0)
                drain(shard);
        if (shard->drains_seen != drains)
                limit_drain(shard);
        shard->drains_seen = drains;
        if (shard->stops_seen < 2 && stops > 1) {
                cancel_unfinished(shard);
                end_holds(shard);
        }
        shard->stops_seen = stops;
        if (shard->gives_up)
                connections_for_each(shard, unfinished_give_up);
        look_at_guests(shard);
}

static bool guests_are_over(struct shard *shard)
{
        struct quoit_rings *lent = &shard->server->lent;

        return !rings_have_guests(lent) ||
               (shard->guests_stopped && rings_are_over(lent, shard_index(shard)));
}

bool stop_is_over(struct shard *shard)
{
        struct quoit_server *server = shard->server;

        return shard->is_idle && list_is_empty(&shard->base.connections) &&
               guests_are_over(shard) &&
               (shard != server->shards || server_has_met_others(server, MEETING_END));
}
