/* SPDX-License-Identifier: MIT */
#include "server/admission.h"

#include <errno.h>

#include "call/call.h"
#include "link/peer.h"
#include "link/workers.h"
#include "server/addresses.h"
#include "server/server.h"
#include "server/shard.h"

/* ---- connections ---- */

bool admission_refuse(struct shard *shard, const struct arrival *arrival, const char *why)
{
        struct quoit_server *server = shard->server;
        char address[PEER_ADDRESS_BYTES];

        atomic_fetch_add_explicit(&server->connections_refused, 1, memory_order_relaxed);
        peer_describe(&arrival->peer, address);
        server_log_peer(server, QUOIT_LOG_INFO, ring_now_ns(&shard->base.ring),
                "%s: %s; closed at once", address, why);
        return false;
}

/* Addresses are counted for a limit of their own, and for turns with the threads for handshakes. */
static bool counts_addresses(const struct quoit_server *server)
{
        const quoit_limits *limits = &server->options.limits;

        return limits->connections_per_address_max < limits->connections_max ||
               server->handshakers.thread_count > 0;
}

bool admission_enter(struct shard *shard, struct arrival *arrival)
{
        struct quoit_server *server = shard->server;
        const quoit_limits *limits = &server->options.limits;
        int r = 0;

        if (shards_load(server) >= limits->connections_max)
                return admission_refuse(shard, arrival, "there are connections_max connections");
        if (counts_addresses(server))
                r = addresses_enter(&server->addresses, &arrival->peer,
                        limits->connections_per_address_max, &arrival->admitted.address);
        if (r == -EMFILE)
                return admission_refuse(
                        shard, arrival, "its address has connections_per_address_max connections");
        return r == 0 || admission_refuse(shard, arrival, "out of memory");
}

struct turn *admission_turn(struct quoit_server *server, const struct admitted *admitted)
{
        return admitted->address ? addresses_turn(admitted->address) : &server->local_turn;
}

void admission_leave(struct shard *shard, const struct admitted *admitted)
{
        atomic_fetch_sub_explicit(&shard->load, 1, memory_order_relaxed);
        addresses_leave(&shard->server->addresses, admitted->address);
}

/* ---- calls ---- */

/* Rings share no counter: each has its part of calls_max. */
static bool is_over_calls_max(const struct shard *shard)
{
        /* this includes the call itself */
        return call_counts_open(&shard->base.host.counts) > shard->calls_max;
}

/* Counts the call as live, unless there are too many. */
static bool enter_method(struct quoit_call *call)
{
        atomic_uint *live = call->request.route->live_calls;
        uint32_t max = call->request.route->options.live_calls_max;

        if (max == 0)
                return true;
        if (atomic_fetch_add_explicit(live, 1, memory_order_relaxed) >= max) {
                atomic_fetch_sub_explicit(live, 1, memory_order_relaxed);
                return false;
        }
        call->ring.live_calls = live;
        return true;
}

/* What a call costs before it has a message. */
#define CALL_BYTES (sizeof(struct quoit_call) + ARENA_BLOCK_BYTES_MIN)

static bool is_over_memory(const struct call_group *group)
{
        return !room_allows(
                &group->host->room, call_group_held_bytes(group) + group->count * CALL_BYTES);
}

bool admission_begin_call(struct quoit_call *call, struct shard *shard)
{
        if (is_over_calls_max(shard)) {
                call_refuse(call, QUOIT_RESOURCE_EXHAUSTED,
                        "the server has too many calls (calls_max)", true);
                return false;
        }
        if (is_over_memory(call->exchange.group)) {
                call_refuse_memory(call);
                return false;
        }
        if (!enter_method(call)) {
                call_refuse(call, QUOIT_RESOURCE_EXHAUSTED,
                        "the method has too many calls (live_calls_max)", true);
                return false;
        }
        return true;
}

/*
 * UNAVAILABLE, without a pushback: nothing was done, and another server may still be in time. DEADLINE_EXCEEDED would say
 * that it is too late everywhere.
 */
bool admission_wait_for_worker(struct quoit_call *call, struct quoit_server *server)
{
        struct workers_load load = workers_load(&server->workers);
        uint64_t now_ns = ring_now_ns(call_host_of(call)->ring);

        if (load.queued >= server->options.limits.offloaded_max) {
                call_refuse(call, QUOIT_RESOURCE_EXHAUSTED,
                        "too much work waits for the worker threads (offloaded_max)", true);
                return false;
        }
        /* a call past its deadline is ended by its timer */
        if (call->exchange.deadline_ns > now_ns &&
                call->exchange.deadline_ns - now_ns < load.wait_ns) {
                call_refuse(call, QUOIT_UNAVAILABLE,
                        "no worker thread would be free before the deadline", false);
                return false;
        }
        return true;
}
