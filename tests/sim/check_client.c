/* SPDX-License-Identifier: MIT */
#include "check_client.h"

#include <inttypes.h>
#include <stdio.h>

#include "check.h"
#include "client/channel.h"
#include "client/client_connection.h"
#include "client/handle.h"
#include "client/outcall.h"
#include "core/clock.h"
#include "core/engine/sim.h"

#define MUTE_NS (NS_PER_S / 2) /* what is late in the network */
#define LATE_NS (2 * NS_PER_MS) /* a timer's tick, rounded up */

/* ---- calls ---- */

/* Also of those that are between two attempts, and of attempts by the call that they are for. */
static void check_deadline(const struct quoit_outcall *call, const struct ring *ring)
{
        if (outcall_is_over(outcall_subject(call)) || call->face ||
                call->exchange.deadline_ns == UINT64_MAX)
                return;
        if (call->exchange.deadline_ns + LATE_NS < ring->now_ns)
                sim_fail("an outcall's deadline was over %" PRIu64 " ms ago, and it is in state %d",
                        (ring->now_ns - call->exchange.deadline_ns) / NS_PER_MS, (int)call->state);
        if (!timer_is_running(&call->exchange.deadline))
                sim_fail("an outcall in state %d has a deadline that nobody watches",
                        (int)call->state);
}

/* It waits where somebody finds it. */
static void check_place(const struct quoit_outcall *call)
{
        bool is_queued = !list_is_empty(&call->queued);
        bool has_stream = call->exchange.stream.session;

        if ((call->state == OUTCALL_WAITING) != is_queued)
                sim_fail("an outcall in state %d is%s queued", (int)call->state,
                        is_queued ? "" : " not");
        if ((call->state == OUTCALL_OPEN || call->state == OUTCALL_LEAVING) && !has_stream)
                sim_fail("an outcall in state %d has no stream", (int)call->state);
        if (call->state == OUTCALL_PAUSED && !timer_is_running(&call->pause) &&
                call->exchange.stream.pins == 0)
                sim_fail("an outcall waits for the next attempt, and nothing begins it");
}

/* One has won, and the others are over; or none has, and something goes on. */
static void check_hedging(const struct hedging *hedging)
{
        const struct list *attempts = &hedging->attempts;
        unsigned count = 0;

        for (const struct list *link = attempts->next; link != attempts; link = link->next) {
                const struct quoit_outcall *attempt =
                        CONTAINER_OF(link, struct quoit_outcall, sibling);

                count++;
                check_place(attempt);
                if (hedging->winner && attempt != hedging->winner)
                        sim_fail("a hedged outcall has a winner, and another attempt goes on");
        }
        if (count > hedging->left || hedging->left > hedging->begun)
                sim_fail("a hedged outcall has begun %u attempts, has %u, and %u that may win",
                        hedging->begun, hedging->left, count);
        if (hedging->call->state == OUTCALL_HEDGED && count == 0 &&
                !timer_is_running(&hedging->next))
                sim_fail("a hedged outcall has no attempt, and none comes");
}

static void check_stream_call(const struct exchange *exchange, const struct ring *ring)
{
        const struct quoit_outcall *call = outcall_of((struct exchange *)exchange);
        const struct quoit_outcall *face = call->face;
        bool may_win = face && (!list_is_empty(&call->sibling) || face->hedging->winner == call);

        check_deadline(call, ring);
        if (face && !may_win && !outcall_is_over(call))
                sim_fail(
                        "an attempt has lost, and its stream %d is open", call->exchange.stream.id);
}

/* ---- connections ---- */

/* Nothing comes any more, and calls wait for it: keepalive ends it. */
static void check_mute(const struct client *client, const struct connection *connection)
{
        const struct sim_file *file = sim_file(connection->socket.file.fd);
        struct sim_conn *conn = file ? file->conn : NULL;
        uint64_t now_ns = client->base->ring.now_ns, ms;

        if (!conn || conn->mute_ns == 0)
                return;
        if (connection->group.count == 0 || connection->state != CONNECTION_OPEN ||
                !connection->established || socket_is_paused(&connection->socket))
                conn->missed_ns = 0;
        else if (conn->missed_ns == 0)
                conn->missed_ns = now_ns;
        /* it looks at the silence before the calls too, and once more at its end */
        ms = 2 * (uint64_t)connection->keepalive.silence_ms + client->limits.keepalive_timeout_ms;
        if (conn->missed_ns > 0 && now_ns - conn->missed_ns > ms * NS_PER_MS + MUTE_NS)
                sim_fail("connection %u is mute, has %" PRIu32
                         " calls, and keepalive has not ended it for %" PRIu64 " ms",
                        conn->id, connection->group.count, (now_ns - conn->missed_ns) / NS_PER_MS);
}

static void check_connections(const struct client *client)
{
        const struct list *connections = &client->base->connections;

        /* a machine that was suspended is late with everything */
        if (client->limits.keepalive_ms == UINT32_MAX || sim.rates[SIM_OVERSLEPT] > 0)
                return;
        for (const struct list *link = connections->next; link != connections; link = link->next) {
                const struct connection *connection = CONTAINER_OF(link, struct connection, link);

                if (connection->group.host == client->host)
                        check_mute(client, connection);
        }
}

/* ---- the channel ---- */

static unsigned count_waiting(const struct channel *channel)
{
        size_t count = check_length(&channel->queue);

        for (unsigned i = 0; i < channel->count; i++)
                count += check_length(&channel->subchannels[i]->waiting);
        return (unsigned)count;
}

/* Hedged ones have attempts, which are counted there too. */
static void check_load(const struct channel *channel, bool has_attempts)
{
        for (unsigned i = 0; i < channel->count; i++) {
                const struct subchannel *subchannel = channel->subchannels[i];
                uint32_t calls = 0;

                for (const struct list *link = channel->calls.next; link != &channel->calls;
                        link = link->next)
                        calls += CONTAINER_OF(link, struct quoit_outcall, link)->subchannel ==
                                 subchannel;
                if (has_attempts ? calls > subchannel->calls : calls != subchannel->calls)
                        sim_fail("%" PRIu32 " calls are at an address that counts %" PRIu32, calls,
                                subchannel->calls);
        }
}

static bool has_ready(const struct channel *channel)
{
        for (unsigned i = 0; i < channel->count; i++) {
                if (channel->subchannels[i]->state == SUBCHANNEL_READY)
                        return true;
        }
        return false;
}

static void check_channel(const struct channel *channel)
{
        const struct ring *ring = &channel->client->base->ring;
        bool has_attempts = false;

        for (const struct list *link = channel->calls.next; link != &channel->calls;
                link = link->next) {
                const struct quoit_outcall *call = CONTAINER_OF(link, struct quoit_outcall, link);

                check_deadline(call, ring);
                check_place(call);
                if (call->hedging)
                        check_hedging(call->hedging);
                has_attempts |= call->hedging != NULL;
        }
        check_same(count_waiting(channel), channel->queued, "calls that wait, listed and counted");
        check_load(channel, has_attempts);
        if (list_is_empty(&channel->calls))
                check_same(channel->replay.bytes, 0, "bytes that are kept for no call");
        if (channel->throttle.tokens > channel->throttle.limits.tokens_max)
                sim_fail("a channel has more tokens than there are");
        if (channel->state == QUOIT_CHANNEL_READY && !has_ready(channel))
                sim_fail("a channel is READY without a connection");
}

static void check_part(const struct client *part)
{
        struct base_counts counts;

        if (part->life != CLIENT_RUNS || part->base->ring.in_turn)
                return;
        counts = check_base(part->base, part->host, check_stream_call);
        check_same(part->connection_count, counts.connections, "connections, listed and counted");
        check_connections(part);
        for (const struct list *link = part->channels.next; link != &part->channels;
                link = link->next) {
                const struct channel *channel = CONTAINER_OF(link, struct channel, link);

                check_channel(channel);
                counts.calls += channel->group.count;
        }
        check_same(part->calls.slab.live, counts.calls,
                "calls, in memory and counted by their connections");
}

void check_client(const quoit_client *client)
{
        for (unsigned i = 0; client && i < client->count; i++)
                check_part(client->parts + i);
}

/* ---- for people ---- */

static void print_call(const struct quoit_outcall *call)
{
        fprintf(stderr,
                "sim:   a call of %s: state %d, %s%s%s, stream %d, attempt %u, %u hedged, deadline "
                "%" PRIu64 "\n",
                call->method->path, (int)call->state, call->is_check ? "a check " : "",
                call->wait_for_ready ? "waits for ready " : "",
                list_is_empty(&call->queued) ? "" : "queued", call->exchange.stream.id,
                call->retry.attempts, call->hedging ? call->hedging->left : 0,
                call->exchange.deadline_ns);
}

static void print_channel(const struct channel *channel)
{
        fprintf(stderr, "sim: a channel is %s, %" PRIu64 " calls wait\n",
                quoit_channel_state_name(channel->state), channel->queued);
        for (unsigned i = 0; i < channel->count; i++) {
                const struct subchannel *subchannel = channel->subchannels[i];

                fprintf(stderr, "sim:   %s: state %d, health %d, %zu wait there, \"%s\"\n",
                        subchannel->text, (int)subchannel->state, (int)subchannel->check.health,
                        check_length(&subchannel->waiting), subchannel->why);
        }
        for (const struct list *link = channel->calls.next; link != &channel->calls;
                link = link->next)
                print_call(CONTAINER_OF(link, struct quoit_outcall, link));
}

void check_print_client(const quoit_client *client)
{
        for (unsigned i = 0; client && i < client->count; i++) {
                const struct list *channels = &client->parts[i].channels;

                for (const struct list *link = channels->next; link != channels; link = link->next)
                        print_channel(CONTAINER_OF(link, struct channel, link));
        }
}
