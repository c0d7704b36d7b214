/* SPDX-License-Identifier: MIT */
#include "link/connection.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/usdt.h"
#include "link/owner.h"
#include "link/peer.h"
#include "link/ready.h"
#include "link/secure.h"
#include "link/sending.h"
#include "link/tunnel.h"
#include "link/watch.h"
#include "link/windows.h"

#define LOOK_BYTES 512
/* Of HTTP/1.1, also of those that no handler sees, which cost nothing of a turn's budget. */
#define PIPELINED_A_TURN_MAX 64

static void connection_set_state(struct connection *connection, enum connection_state state)
{
        /* forwards only */
        assert(state > connection->state);
        connection->state = state;
}

static struct connection *connection_of_socket(struct socket *socket)
{
        return CONTAINER_OF(socket, struct connection, socket);
}

static struct connection *connection_of_group(struct call_group *group)
{
        return CONTAINER_OF(group, struct connection, group);
}

void connection_try_free(struct connection *connection)
{
        if (connection->state != CONNECTION_DEAD || secure_is_lent(connection->secure))
                return;
        if (!connection->closed_reported) {
                connection->closed_reported = true;
                connection->owner->on_closed(connection);
        }
        if (connection->group.count > 0)
                return;
        assert(connection->group.queued_bytes == 0 &&
                call_group_held_bytes(&connection->group) == 0);
        connection->base->heap.ended += connection->secure != NULL;
        secure_free(connection);
        tunnel_free(connection);
        ring_undefer(&connection->dispatch);
        list_remove(&connection->link);
        connection->owner->on_freed(connection);
}

void connection_close(struct connection *connection)
{
        if (connection->state >= CONNECTION_CLOSED)
                return;
        connection_set_state(connection, CONNECTION_CLOSED);
        watch_end(connection);
        ring_undefer(&connection->flush);
        connection->dispatch_last = false;
        if (!list_is_empty(&connection->ready)) /* calls that waited for the peer can end now */
                ring_defer(connection_ring(connection), &connection->dispatch, RING_DISPATCH);
        secure_abandon(connection->secure);
        session_deinit(&connection->session);
        call_group_settle(&connection->group);
        sending_end(connection);
        socket_close(&connection->socket);
        call_host_look(connection->group.host);
}

/* Ignores further input; sends what is queued, if the peer takes it in time. */
static void start_closing(struct connection *connection)
{
        connection_set_state(connection, CONNECTION_CLOSING);
        watch_last_words(connection);
        sending_schedule(connection);
}

void connection_linger(struct connection *connection)
{
        if (socket_has_ended(&connection->socket)) {
                connection_close(connection);
                return;
        }
        connection_set_state(connection, CONNECTION_LINGERING);
        socket_half_close(&connection->socket);
        socket_resume(&connection->socket); /* the end may be behind what was not read */
        watch_linger(connection);
}

/* ---- in ---- */

/*
 * A client of HTTP/1.1 may end its side behind its last request, as "nc -N" does. What can be answered without waiting still is; a call that
 * waits is cancelled, since the client may as well have gone.
 */
static void end_input(struct connection *connection)
{
        connection->input_ended = true;
        ring_defer(connection_ring(connection), &connection->dispatch, RING_DISPATCH);
        sending_schedule(connection);
}

static void on_receive_end(struct socket *socket, int error)
{
        struct connection *connection = connection_of_socket(socket);

        connection->error = error;
        if (tunnel_is_closed(connection->tunnel))
                tunnel_on_end(connection, error);
        if (connection->state == CONNECTION_OPEN && connection->session.bad_preface) {
                (void)connection->owner->answer_bad_preface(
                        connection, true); /* the peer may still read the answer */
                start_closing(connection);
                return;
        }
        if (secure_is_lent(connection->secure))
                secure_end_input(connection->secure);
        else if (error == 0 && connection->state == CONNECTION_OPEN && connection->session.http1)
                end_input(connection);
        else
                connection_close(connection);
}

/* Reading little for a call takes less time than a look at the clock is worth: the call's handler makes one. */
static void look_at_clock(struct connection *connection, size_t size)
{
        if (size >= LOOK_BYTES || list_is_empty(&connection->ready))
                call_host_look(connection->group.host);
}

/* The session was fed with @size bytes. @error: 0, or why it takes no more. */
static void on_fed(struct connection *connection, size_t size, int error)
{
        call_group_settle(&connection->group);
        look_at_clock(connection, size);
        if (error == -ENODATA) {
                on_receive_end(&connection->socket, 0);
                return;
        }
        if (error < 0) {
                if (connection->session.bad_preface &&
                        !connection->owner->answer_bad_preface(connection, false))
                        return;
                start_closing(connection);
        } else {
                windows_heard(connection);
                watch_heard(connection);
        }
        ready_run(connection, false);
        sending_schedule(connection);
}

bool connection_has_input(const struct connection *connection)
{
        return connection->state == CONNECTION_OPEN && session_has_input(&connection->session);
}

static bool go_on(struct connection *connection)
{
        if (!connection_has_input(connection))
                return false;
        on_fed(connection, 0, session_feed(&connection->session, (const uint8_t *)"", 0));
        return true;
}

/* Requests behind one that is answered already: their answers leave in the same send, as far as the turn's budget goes. */
static void answer_pipelined(struct connection *connection)
{
        if (!connection->session.http1)
                return;
        for (unsigned i = 0; i < PIPELINED_A_TURN_MAX && connection->budget_calls > 0; i++) {
                if (connection->state == CONNECTION_OPEN)
                        sending_fill(connection);
                if (!go_on(connection))
                        return;
        }
}

void connection_go_on(struct connection *connection)
{
        if (go_on(connection))
                answer_pipelined(connection);
}

/* What is behind the proxy's answer comes from the peer. */
static void feed(struct connection *connection, const unsigned char *bytes, size_t size)
{
        int r;

        if (connection->secure)
                r = secure_feed(connection->secure, bytes, size);
        else
                r = session_feed(&connection->session, bytes, size);
        on_fed(connection, size, r);
        answer_pipelined(connection);
}

static void on_data(struct socket *socket, const unsigned char *bytes, size_t size)
{
        struct connection *connection = connection_of_socket(socket);
        size_t used = 0;

        QUOIT_PROBE(receive, &connection->group, size);
        if (connection->state != CONNECTION_OPEN)
                return;
        if (tunnel_is_closed(connection->tunnel)) {
                if (tunnel_feed(connection, bytes, size, &used) < 0) {
                        connection_close(connection);
                        return;
                }
                sending_schedule(connection);
        }
        if (used < size)
                feed(connection, bytes + used, size - used);
}

void connection_on_secured(struct connection *connection)
{
        struct secure *secure = connection->secure;

        if (connection->state == CONNECTION_OPEN)
                on_fed(connection, LOOK_BYTES, secure_step(secure));
        if (connection->state == CONNECTION_OPEN && secure->input_ended && !secure_is_lent(secure))
                on_receive_end(
                        &connection->socket, 0); /* after the bytes that came before the end */
        connection_try_free(connection);
}

static void on_closed(struct socket *socket)
{
        struct connection *connection = connection_of_socket(socket);

        QUOIT_PROBE(connection_close, &connection->group);
        connection_set_state(connection, CONNECTION_DEAD);
        connection_try_free(connection);
}

/* ---- calls ---- */

void connection_on_call_ready(struct exchange *exchange)
{
        struct connection *connection = connection_of_group(exchange->group);

        if (list_is_empty(&exchange->ready))
                list_append(&connection->ready, &exchange->ready);
        else
                connection->woken = true;
        ring_defer(connection_ring(connection), &connection->dispatch, RING_DISPATCH);
}

void connection_on_call_output(struct call_group *group)
{
        sending_schedule(connection_of_group(group));
}

void connection_on_call_freed(void *user, struct call_group *group)
{
        struct connection *connection = connection_of_group(group);
        struct ring *ring = connection_ring(connection);

        (void)user;
        if (group->count == 0)
                connection->idle_ns = ring_now_ns(ring);
        /* not freed here: its own dispatch may be running, which frees it at its end */
        if (connection->state == CONNECTION_DEAD)
                ring_defer(ring, &connection->dispatch, RING_DISPATCH);
}

/* ---- life ---- */

static const struct socket_handler socket_handler = {
        .on_data = on_data,
        .on_receive_end = on_receive_end,
        .on_sent = sending_on_sent,
        .on_closed = on_closed,
};

static int init_session(struct connection *connection, enum session_role role)
{
        struct base *base = connection->base;
        const quoit_limits *limits = connection_limits(connection);
        const struct session_events *events = connection->owner->events;
        uint64_t seed = 0;

        if (role == SESSION_CLIENT)
                return session_init_client(
                        &connection->session, &base->memory.h2, limits, events, &connection->group);
        (void)ring_random(&base->ring, &seed, sizeof(seed));
        return session_init_server(
                &connection->session, &base->memory.h2, limits, seed, events, &connection->group);
}

int connection_open(struct connection *connection, struct base *base,
        const struct link_owner *owner, const struct connection_options *options)
{
        int r;

        *connection = (struct connection){
                .base = base,
                .owner = owner,
                .jitter = ring_jitter(&base->ring),
        };
        call_group_init(
                &connection->group, options->host ? options->host : &base->host, &connection->peer);
        r = init_session(connection, options->role);
        if (r < 0)
                return r;
        if (options->http1)
                session_allow_http1(&connection->session, &base->memory.h2, options->tls != NULL);
        if (options->proxy_request)
                r = tunnel_new(connection, options->proxy_request, options->proxy_answer_bytes_max);
        if (r == 0 && (options->tls || options->client_tls))
                r = secure_open(connection, options);
        if (r < 0) {
                tunnel_free(connection);
                session_deinit(&connection->session);
                return r;
        }
        peer_identify(options->fd, options->peer, &connection->peer);
        QUOIT_PROBE(connection_open, &connection->group, connection->peer.address);
        list_init(&connection->ready);
        list_init(&connection->link);
        list_append(&base->connections, &connection->link);
        sending_note_windows(connection);
        deferred_init(&connection->dispatch, ready_on_turn_end);
        deferred_init(&connection->flush, sending_on_turn_end);
        socket_init(&connection->socket, &base->ring,
                options->role == SESSION_SERVER ? &base->newcomers : &base->buffers, options->fd,
                &socket_handler);
        socket_resume(&connection->socket);
        windows_init(connection);
        watch_begin(connection, options->keepalive_ms);
        /* A server's SETTINGS wait for the peer's preface: that saves a send, and a silent peer costs no output buffer. */
        if (session_has_output(&connection->session))
                sending_schedule(connection);
        return 0;
}

void connection_drain(struct connection *connection)
{
        if (connection->state != CONNECTION_OPEN || connection->session.drain > DRAIN_NONE)
                return;
        session_drain(&connection->session);
        sending_schedule(connection);
        watch_drain(connection);
}

void connection_drain_now(struct connection *connection)
{
        if (connection->state != CONNECTION_OPEN)
                return;
        session_drain_now(&connection->session);
        sending_schedule(connection);
}

void connection_cancel_calls(struct connection *connection, const char *why)
{
        struct list *link, *next;

        assert(connection->session.role == SESSION_SERVER);
        if (connection->state != CONNECTION_OPEN)
                return;
        for (link = connection->session.streams.next; link != &connection->session.streams;
                link = next) {
                struct stream *stream = CONTAINER_OF(link, struct stream, link);

                next = link->next;
                call_cancel(call_of_stream(stream), QUOIT_UNAVAILABLE, why);
        }
        start_closing(connection);
}

void connection_ping(struct connection *connection)
{
        counter_add(&connection->counts.keepalives_sent, 1);
        session_ping(&connection->session);
        sending_schedule(connection);
}

void connection_expel(struct connection *connection, const char *what, const char *reason)
{
        connection->owner->complain(connection, "too many %s; closed", what);
        session_terminate(&connection->session, NGHTTP2_ENHANCE_YOUR_CALM, reason);
        start_closing(connection);
}
