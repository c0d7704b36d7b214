/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/engine/sim.h"
#include "fibers.h"
#include "link/connection.h"
#include "server/server.h"
#include "server/shard.h"

#include "nghttp2_session.h"
#include "nghttp2_stream.h"

#define LATE_NS (2 * NS_PER_MS) /* a timer's tick, rounded up */

size_t check_length(const struct list *list)
{
        size_t count = 0;

        for (const struct list *link = list->next; link != list; link = link->next)
                count++;
        return count;
}

void check_same(uint64_t one, uint64_t other, const char *what)
{
        if (one != other)
                sim_fail("%s: %" PRIu64 " and %" PRIu64 " should be the same", what, one, other);
}

/* ---- calls ---- */

static void check_deadline(const struct quoit_call *call, const struct ring *ring)
{
        if (call->ring.state != CALL_OPEN || call->exchange.deadline_ns == UINT64_MAX)
                return;
        if (call->exchange.deadline_ns + LATE_NS < ring->now_ns)
                sim_fail("stream %d: its deadline was over %" PRIu64 " ms ago, and it is open",
                        call->exchange.stream.id,
                        (ring->now_ns - call->exchange.deadline_ns) / NS_PER_MS);
        if (!timer_is_running(&call->exchange.deadline))
                sim_fail("stream %d has a deadline that nobody watches", call->exchange.stream.id);
}

/* The bytes of the peer's DATA that were not given back to its window. */
static void check_stream_window(const struct stream *stream)
{
        const nghttp2_stream *own =
                stream->session->http1
                        ? NULL
                        : nghttp2_session_find_stream(stream->session->h2, stream->id);

        /* a peer that sends no more needs no window; and nghttp2 ends a session amid its counting, if a window is exceeded */
        if (!own || !stream_is_remote_open(stream) || stream->is_reset ||
                stream->session->h2->goaway_flags & NGHTTP2_GOAWAY_TERM_ON_SEND ||
                stream->session->terminated || stream->session->fault_reported)
                return;
        check_same((uint64_t)(own->recv_window_size - own->consumed_size), stream->unconsumed_bytes,
                "a stream's bytes that its window has not got back, as nghttp2 and the stream know "
                "them");
}

/* The last GOAWAY, sent or on its way, says that no stream above is served: clients send those again. */
static void check_disowned(const struct stream *stream)
{
        const struct session *session = stream->session;

        if (!session->http1 && session->drain == DRAIN_DONE && stream->id > session->goaway_id)
                sim_fail("stream %d is open, and a GOAWAY names %d as the last one", stream->id,
                        session->goaway_id);
}

static void check_call(const struct exchange *exchange, const struct ring *ring)
{
        const struct stream *stream = &exchange->stream;
        const struct quoit_call *call = call_of_stream((struct stream *)stream);

        check_deadline(call, ring);
        check_disowned(stream);
        if (call->ring.state == CALL_OPEN && stream->unconsumed_bytes > 0 &&
                !call->exchange.reader.first)
                sim_fail("stream %d: nothing waits, and its window has not got back %" PRIu32
                         " bytes",
                        stream->id, stream->unconsumed_bytes);
}

/* ---- connections ---- */

static bool has_session(const struct connection *connection)
{
        return connection->state <= CONNECTION_LINGERING;
}

struct sums {
        size_t count, queued_bytes, held_bytes;
};

static void add_streams(const struct connection *connection, const struct list *streams,
        check_exchange *check, struct sums *sums)
{
        for (const struct list *link = streams->next; link != streams; link = link->next) {
                struct stream *stream = CONTAINER_OF(link, struct stream, link);
                const struct exchange *exchange = exchange_of_stream(stream);

                sums->count++;
                sums->queued_bytes += exchange->writer.queued_bytes;
                sums->held_bytes += exchange->reader.held_bytes;
                check_stream_window(stream);
                check(exchange, &connection->base->ring);
        }
}

static void check_streams(const struct connection *connection, check_exchange *check)
{
        const struct call_group *group = &connection->group;
        struct sums sums = { 0 };

        add_streams(connection, &connection->session.streams, check, &sums);
        add_streams(connection, &connection->session.requests, check, &sums);
        check_same(
                sums.count, connection->session.stream_count, "open streams, listed and counted");
        check_same(sums.queued_bytes, group->queued_bytes,
                "bytes that wait to be sent, of calls and of their connection");
        if (sums.held_bytes > group->held_bytes)
                sim_fail("calls hold more than their connection");
        if (sums.count > group->count)
                sim_fail("a connection has more streams than calls");
}

static void check_socket(const struct socket *socket)
{
        const struct sim_file *file = sim_file(socket->file.fd);
        bool armed = socket->receive == SOCKET_RECEIVE_ARMED ||
                     socket->receive == SOCKET_RECEIVE_CANCELLING;

        if (socket->life >= SOCKET_CLOSING)
                return;
        if (!file)
                sim_fail("a socket is open, and its descriptor is not");
        check_same(armed, !!file->in, "receives, as the socket and its engine know them");
}

static void check_connection(const struct connection *connection, check_exchange *check)
{
        const struct call_group *group = &connection->group;

        if (connection->state < CONNECTION_DEAD)
                check_socket(&connection->socket);
        if (has_session(connection)) {
                const nghttp2_session *h2 = connection->session.h2;

                check_streams(connection, check);
                /* input of a peer that broke the protocol is ignored; and as above */
                if (h2 && connection->state == CONNECTION_OPEN && !connection->session.terminated &&
                        !(h2->goaway_flags & NGHTTP2_GOAWAY_TERM_ON_SEND) &&
                        !connection->session.fault_reported)
                        check_same((uint64_t)h2->recv_window_size, (uint64_t)h2->consumed_size,
                                "bytes that a connection has received, and given back to its "
                                "window");
        } else {
                check_same(group->queued_bytes, 0,
                        "bytes that wait to be sent on a connection that is closed");
        }
        if (group->charged_to_peer > group->count || group->lent > group->count)
                sim_fail("a connection has %u calls, %u of them in charge, %u lent", group->count,
                        group->charged_to_peer, group->lent);
        if (group->count == 0) {
                check_same(group->held_bytes, 0, "bytes that a connection without calls holds");
                check_same(
                        group->queued_bytes, 0, "bytes that a connection without calls has queued");
        }
}

/* ---- workers ---- */

/* No worker sleeps while there is work. */
static void check_workers(const struct workers *workers)
{
        unsigned signalled, waiting = fibers_waiting(&workers->has_work, &signalled);

        if (workers->queued > signalled && waiting > signalled)
                sim_fail("%zu pieces of work wait, and %u of %u workers that sleep were woken",
                        workers->queued, signalled, waiting);
}

/* ---- rings ---- */

struct base_counts check_base(
        const struct base *base, const struct call_host *host, check_exchange *check)
{
        const struct list *connections = &base->connections;
        struct base_counts counts = { 0 };

        check_same(base->ring.ops_in_flight,
                sim_ring_ops(&base->ring) + check_length(&base->ring.prompt),
                "operations in flight, as the ring and its engine know them");
        check_same(base->buffers.borrowed + base->bulk.borrowed + base->newcomers.borrowed, 0,
                "buffers that are lent between turns");
        for (const struct list *link = connections->next; link != connections; link = link->next) {
                const struct connection *connection = CONTAINER_OF(link, struct connection, link);

                if (connection->group.host != host)
                        continue;
                check_connection(connection, check);
                counts.calls += connection->group.count;
                counts.connections++;
        }
        return counts;
}

static void check_shard(const struct shard *shard)
{
        struct base_counts counts = check_base(&shard->base, &shard->base.host, check_call);

        if (shard->gives_up)
                return;
        check_same(shard->connections.slab.live, counts.connections,
                "connections, in memory and listed");
        check_same(shard->base.calls.live, counts.calls,
                "calls, in memory and counted by their connections");
        check_same(call_counts_open(&shard->base.host.counts), counts.calls,
                "calls, counted by the ring and by their connections");
}

static bool is_up(const struct shard *shard)
{
        return shard->base.host.ring && shard->base.ring.epoll && shard->wakeable &&
               !shard->base.ring.in_turn;
}

void check_server(const struct quoit_server *server)
{
        if (!server->shards || server->life != SERVER_SERVES)
                return;
        check_workers(&server->workers);
        for (unsigned i = 0; i < server->options.rings; i++)
                if (is_up(server->shards + i))
                        check_shard(server->shards + i);
}

const struct connection *check_connection_of(
        const struct quoit_server *server, const struct sim_conn *conn)
{
        for (unsigned i = 0; server->shards && i < server->options.rings; i++) {
                const struct list *list = &server->shards[i].base.connections;

                for (const struct list *link = list->next;
                        server->shards[i].base.host.ring && link != list; link = link->next) {
                        const struct connection *connection =
                                CONTAINER_OF(link, struct connection, link);
                        const struct sim_file *file = sim_file(connection->socket.file.fd);

                        if (file && file->conn == conn && connection->state == CONNECTION_OPEN)
                                return connection;
                }
        }
        return NULL;
}

/* ---- for people ---- */

static void print_window(const struct quoit_call *call)
{
        const struct session *session = call->exchange.stream.session;
        const nghttp2_stream *own =
                session->http1 ? NULL
                               : nghttp2_session_find_stream(session->h2, call->exchange.stream.id);

        if (own)
                fprintf(stderr,
                        "sim:     window %d, received %d of it, consumed %d, update queued %d\n",
                        own->local_window_size, own->recv_window_size, own->consumed_size,
                        own->window_update_queued);
}

static void print_call(const struct quoit_call *call)
{
        fprintf(stderr,
                "sim:   stream %d of %s: state %d, %s%s%s%s%s, %zu bytes queued, message %d, "
                "credits %" PRIu32 ", %" PRIu32 " bytes unconsumed\n",
                call->exchange.stream.id, call_path(call), (int)call->ring.state,
                call->ring.started ? "started " : "", call->ring.at_worker ? "at a worker " : "",
                call->handler.held ? "held " : "", call->ring.posts ? "posted " : "",
                list_is_empty(&call->exchange.ready) ? "" : "ready",
                call->exchange.writer.queued_bytes, call->exchange.reader.first != NULL,
                call->exchange.lent.credits, call->exchange.stream.unconsumed_bytes);
        print_window(call);
}

static void print_connection(const struct connection *connection)
{
        const struct list *streams = &connection->session.streams;
        const struct sim_file *file = sim_file(connection->socket.file.fd);

        fprintf(stderr,
                "sim: server's end of connection %d: state %d, %u calls, %u lent, receives %s "
                "(%d), %s, dispatch %s, "
                "window %d\n",
                file && file->conn ? (int)file->conn->id : -1, (int)connection->state,
                connection->group.count, connection->group.lent,
                connection->socket.receive_wanted ? "on" : "off", (int)connection->socket.receive,
                connection->socket.send_in_flight ? "sends" : "does not send",
                deferred_is_queued(&connection->dispatch) ? "queued" : "not queued",
                has_session(connection) ? session_send_window_bytes(&connection->session) : 0);
        if (!has_session(connection) || connection->group.host != &connection->base->host)
                return; /* or a client's on the same ring */
        for (const struct list *link = streams->next; link != streams; link = link->next)
                print_call(call_of_stream(CONTAINER_OF(link, struct stream, link)));
}

void check_print(const struct quoit_server *server)
{
        for (unsigned i = 0; server->shards && i < server->options.rings; i++) {
                const struct list *list = &server->shards[i].base.connections;

                for (const struct list *link = list->next;
                        server->shards[i].base.host.ring && link != list; link = link->next)
                        print_connection(CONTAINER_OF(link, struct connection, link));
        }
}
