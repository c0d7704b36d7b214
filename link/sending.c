/* SPDX-License-Identifier: MIT */
#include "link/sending.h"

#include "core/usdt.h"
#include "link/base.h"
#include "link/connection.h"
#include "link/owner.h"
#include "link/secure.h"
#include "link/tunnel.h"

void sending_schedule(struct connection *connection)
{
        if (connection->state > CONNECTION_CLOSING)
                return;
        ring_defer(connection_ring(connection), &connection->flush, RING_FLUSH);
}

static void give_output_back(struct connection *connection)
{
        session_release(connection->owner->events, connection->output);
        slab_free(&connection->base->outputs, connection->output);
        connection->output = NULL;
}

void sending_end(struct connection *connection)
{
        if (connection->output && !socket_is_sending(&connection->socket))
                give_output_back(connection);
}

/* Before a proxy has opened its tunnel, and a TLS handshake has succeeded, nothing can be sent. */
static bool has_output(const struct connection *connection)
{
        return session_has_output(&connection->session) && !tunnel_is_closed(connection->tunnel) &&
               (!connection->secure || secure_is_open(connection->secure));
}

/* Bytes in flight do not count as queued. When memory is short a send is kept small, so that few bytes escape the count. */
static size_t output_bytes_max(const struct connection *connection)
{
        const struct room *room = &connection->group.host->room;
        size_t bytes_max = connection_limits(connection)->turn_bytes_max;
        size_t bytes_min = room_bytes_min(room);

        return room->is_half_used && bytes_max > bytes_min ? bytes_min : bytes_max;
}

/* HTTP/1.1: reading was paused for a request that is answered now, and was refused before all of it was consumed. */
static bool may_read_on(const struct connection *connection)
{
        return connection->state == CONNECTION_OPEN && connection->session.http1 &&
               socket_is_paused(&connection->socket) && !session_is_full(&connection->session);
}

void sending_fill(struct connection *connection)
{
        if (socket_is_sending(&connection->socket) || !has_output(connection))
                return;
        if (!connection->output) {
                connection->output = slab_alloc(&connection->base->outputs);
                if (!connection->output) {
                        connection_close(connection);
                        return;
                }
                output_init(connection->output, output_bytes_max(connection));
        }
        if (session_fill(&connection->session, connection->output) < 0)
                connection_close(connection);
        call_group_settle(&connection->group);
        if ((!list_is_empty(&connection->ready) && !call_group_is_congested(&connection->group)) ||
                connection_has_input(connection) || may_read_on(connection))
                ring_defer(connection_ring(connection), &connection->dispatch, RING_DISPATCH);
}

/* Nothing more will be queued: the connection ends when its output was sent. */
static bool is_ending(const struct connection *connection)
{
        return connection->state == CONNECTION_CLOSING || session_is_over(&connection->session) ||
               (connection->input_ended && !session_has_input(&connection->session));
}

void sending_note_windows(struct connection *connection)
{
        counter_set(&connection->counts.send_window_bytes,
                (uint64_t)session_send_window_bytes(&connection->session));
        counter_set(&connection->counts.receive_window_bytes,
                (uint64_t)session_receive_window_bytes(&connection->session));
}

static void send_iovecs(struct connection *connection, struct iovec *iovecs, size_t count)
{
        /* a pinned stream needs the completion too: a worker may wait for room in its call's queue */
        bool awaited = connection->state != CONNECTION_OPEN || connection->input_ended ||
                       has_output(connection) ||
                       (connection->output && connection->output->pinned_count > 0) ||
                       session_is_over(&connection->session);

        connection->send_started_ns = ring_now_ns(connection_ring(connection));
        sending_note_windows(connection);
        socket_send(&connection->socket, iovecs, count, awaited);
}

/* TLS encrypts into memory of its own: what the output refers to is released before the send. */
static bool send_sealed(struct connection *connection)
{
        struct secure *secure = connection->secure;
        bool any;

        if (secure_seal(secure, connection->output,
                    is_ending(connection) && !has_output(connection), &any) < 0) {
                connection_close(connection);
                return true;
        }
        if (!any)
                return false;
        QUOIT_PROBE(send_submit, &connection->group, secure->iovec.iov_len, 1);
        if (connection->output)
                give_output_back(connection);
        send_iovecs(connection, &secure->iovec, 1);
        return true;
}

static bool send_plain(struct connection *connection)
{
        struct output *output = connection->output;

        if (!output || output->bytes == 0)
                return false;
        QUOIT_PROBE(send_submit, &connection->group, output->bytes, output->iov_count);
        send_iovecs(connection, output->iov, output->iov_count);
        return true;
}

void sending_on_turn_end(struct deferred *deferred)
{
        struct connection *connection = CONTAINER_OF(deferred, struct connection, flush);

        if (connection->dispatch_last) {
                connection->dispatch_last = false;
                ring_defer(connection_ring(connection), &connection->dispatch, RING_DISPATCH);
        }
        if (connection->state > CONNECTION_CLOSING || socket_is_sending(&connection->socket))
                return; /* sending_on_sent() schedules this again */
        if (tunnel_is_closed(connection->tunnel)) {
                tunnel_flush(connection);
                return;
        }
        sending_fill(connection);
        if (connection->state > CONNECTION_CLOSING ||
                (connection->secure ? send_sealed(connection) : send_plain(connection)))
                return;
        if (connection->output)
                give_output_back(connection);
        if (is_ending(connection))
                connection_linger(connection);
}

void sending_on_sent(struct socket *socket, int error)
{
        struct connection *connection = CONTAINER_OF(socket, struct connection, socket);

        QUOIT_PROBE(send_complete, &connection->group, error);
        if (connection->tunnel && connection->tunnel->is_sending)
                connection->tunnel->is_sending = false;
        else if (connection->secure)
                secure_sent(connection->secure);
        else
                give_output_back(connection);
        if (error < 0) {
                connection->error = error;
                connection_close(connection);
        } else {
                sending_schedule(connection);
        }
}
