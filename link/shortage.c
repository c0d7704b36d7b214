/* SPDX-License-Identifier: MIT */
#include "link/shortage.h"

#include "call/response.h"
#include "core/clock.h"
#include "link/base.h"
#include "link/connection.h"
#include "link/owner.h"

#define LOOK_NS NS_PER_S
#define REPORT_NS (10 * NS_PER_S)
#define MOVES_SHARE                                                                                \
        8 /* a connection must move an eighth of what it holds within `memory_stall_ms` */
/* Connections and calls that hold less are not worth ending. */
#define HELD_BYTES_MIN ((size_t)4 << 10)

static uint64_t refused(const struct base *base)
{
        return atomic_load_explicit(&base->host.room.refused, memory_order_relaxed);
}

/* ---- connections that hold much and move little ---- */

/* Whether whole messages wait for the user's code: the peer is not to blame for those. */
static bool awaits_user(const struct exchange *exchange)
{
        return exchange->takes_many && exchange->reader.first;
}

/* Bytes that only the peer can free: messages that it does not read, or does not complete. */
static size_t stalled_bytes(const struct exchange *exchange)
{
        size_t bytes = exchange->writer.queued_bytes;

        if (stream_is_remote_open(&exchange->stream) && !awaits_user(exchange))
                bytes += exchange->reader.held_bytes;
        return bytes;
}

static void end_stalled_calls(struct connection *connection)
{
        struct list *streams = &connection->session.streams, *link, *next;

        for (link = streams->next; link != streams; link = next) {
                struct exchange *exchange =
                        exchange_of_stream(CONTAINER_OF(link, struct stream, link));

                next = link->next;
                if (stalled_bytes(exchange) < HELD_BYTES_MIN)
                        continue;
                room_note_refusal(&connection->base->host.room);
                connection->owner->give_up(exchange,
                        "the peer moves nothing while memory is short (memory_stall_ms, "
                        "memory_bytes_max)");
        }
}

/* If the peer's TCP takes nothing, a reset would not reach it: then the connection is closed. */
static void end_holder(struct connection *connection, uint64_t stall_ns, uint64_t now_ns)
{
        if (socket_is_sending(&connection->socket) &&
                now_ns - connection->send_started_ns >= stall_ns) {
                room_note_refusal(&connection->base->host.room);
                connection_close(connection);
                return;
        }
        end_stalled_calls(connection);
}

static void look_at_holder(struct connection *connection, bool is_short, uint64_t now_ns)
{
        const struct call_group *group = &connection->group;
        struct memory_hold *memory_hold = &connection->memory_hold;
        size_t holds_bytes = call_group_held_bytes(group) + group->queued_bytes;
        uint64_t stall_ns = clock_limit_ns(connection_limits(connection)->memory_stall_ms);

        if (!is_short || holds_bytes <= HELD_BYTES_MIN) {
                memory_hold->since_ns = 0;
        } else if (memory_hold->since_ns == 0 ||
                   group->moved_bytes - memory_hold->moved_bytes >= holds_bytes / MOVES_SHARE) {
                *memory_hold = (struct memory_hold){ .since_ns = now_ns,
                        .moved_bytes = group->moved_bytes };
        } else if (now_ns - memory_hold->since_ns >= stall_ns) {
                memory_hold->since_ns = 0;
                end_holder(connection, stall_ns, now_ns);
        }
}

/* ---- the look ---- */

static void look_at(struct connection *connection, bool is_short, uint64_t now_ns)
{
        if (connection->state > CONNECTION_CLOSING)
                return;
        if (!list_is_empty(&connection->ready) && !call_group_is_congested(&connection->group))
                ring_defer(connection_ring(connection), &connection->dispatch, RING_DISPATCH);
        look_at_holder(connection, is_short, now_ns);
}

static void report(struct base *base, uint64_t now_ns)
{
        struct shortage *shortage = &base->shortage;
        uint64_t count = refused(base) - shortage->refused_reported;

        if (count == 0 || (shortage->reported_ns > 0 && now_ns - shortage->reported_ns < REPORT_NS))
                return;
        shortage->reported_ns = now_ns;
        shortage->refused_reported += count;
        shortage->on_shortage(base, count);
}

static void start(struct base *base);

static void on_look(struct timer *timer)
{
        struct base *base = CONTAINER_OF(timer, struct base, shortage.timer);
        const struct room *room = &base->host.room;
        bool is_short = room_used_bytes(room) > room->bytes_max / 4 * 3;
        uint64_t now_ns = ring_now_ns(&base->ring);
        struct list *link, *next;

        for (link = base->connections.next; link != &base->connections; link = next) {
                next = link->next;
                look_at(CONTAINER_OF(link, struct connection, link), is_short, now_ns);
        }
        report(base, now_ns);
        if (room->is_half_used || refused(base) != base->shortage.refused_reported)
                start(base);
}

static void start(struct base *base)
{
        if (!timer_is_running(&base->shortage.timer))
                timer_start(&base->ring.timers, &base->shortage.timer,
                        ring_now_ns(&base->ring) + LOOK_NS, on_look);
}

void shortage_init(
        struct shortage *shortage, void (*on_shortage)(struct base *base, uint64_t count))
{
        *shortage = (struct shortage){ .on_shortage = on_shortage };
        timer_init(&shortage->timer);
}

/* A call waits for room only if its connection holds more than what is left: then more than half is used. */
void shortage_look(struct base *base)
{
        struct room *room = &base->host.room;

        counter_set(&room->other_bytes, base->calls.live * base->calls.object_bytes +
                                                base->outputs.live * base->outputs.object_bytes +
                                                memory_bytes(&base->memory));
        room_share(room, base->owned->slab.live);
        room->is_half_used = room_used_bytes(room) > room->bytes_max / 2;
        if (room->is_half_used || refused(base) != base->shortage.refused_reported)
                start(base);
}
