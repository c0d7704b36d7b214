/* SPDX-License-Identifier: MIT */
#include "server/connection.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "call/compression.h"
#include "core/usdt.h"
#include "server/dispatch.h"
#include "server/greeting.h"
#include "server/peer.h"
#include "server/secure.h"
#include "server/stream_events.h"
#include "server/watch.h"
#include "server/windows.h"

#define CALLS_A_FILL 8

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

static struct ring *ring_of(struct connection *connection)
{
        return &connection->shard->ring;
}

static const quoit_limits *limits_of(const struct connection *connection)
{
        return connection->group.host->limits;
}

static void request_flush(struct connection *connection)
{
        if (connection->state > CONNECTION_CLOSING)
                return;
        ring_defer(ring_of(connection), &connection->flush, RING_FLUSH);
}

/* The memory goes when the socket is closed, the last call is gone and no thread has its TLS, whichever comes last. */
static void connection_try_free(struct connection *connection)
{
        struct shard *shard = connection->shard;

        if (connection->state != CONNECTION_DEAD || connection->group.count > 0 ||
                secure_is_lent(connection->secure))
                return;
        secure_free(connection);
        ring_undefer(&connection->dispatch);
        list_remove(&connection->link);
        slab_free(&shard->connections, connection);
}

static void give_output_back(struct connection *connection)
{
        session_release(&stream_events, connection->output);
        slab_free(&connection->shard->outputs, connection->output);
        connection->output = NULL;
}

void connection_close(struct connection *connection)
{
        if (connection->state >= CONNECTION_CLOSED)
                return;
        connection_set_state(connection, CONNECTION_CLOSED);
        watch_end(connection);
        census_remove(&connection->shard->census, &connection->census);
        ring_undefer(&connection->flush);
        secure_abandon(connection->secure);
        session_deinit(&connection->session);
        if (connection->output && !socket_is_sending(&connection->socket))
                give_output_back(connection);
        socket_close(&connection->socket);
}

/* Nothing more comes in; what is queued goes out, if the peer takes it in time. */
static void start_closing(struct connection *connection)
{
        connection_set_state(connection, CONNECTION_CLOSING);
        watch_last_words(connection);
        request_flush(connection);
}

/* ---- out ---- */

/* All was said: a friendly end. */
static void linger(struct connection *connection)
{
        connection_set_state(connection, CONNECTION_LINGERING);
        socket_half_close(&connection->socket);
        watch_linger(connection);
}

/* Before the end of a handshake of TLS nothing can be said, nor after its failure. */
static bool has_output(const struct connection *connection)
{
        return session_has_output(&connection->session) &&
               (!connection->secure || secure_is_open(connection->secure));
}

/* Frames into the output, unless it is on its way, as far as there are some and it has room. */
static void fill(struct connection *connection)
{
        if (socket_is_sending(&connection->socket) || !has_output(connection))
                return;
        if (!connection->output) {
                connection->output = slab_alloc(&connection->shard->outputs);
                if (!connection->output) {
                        connection_close(connection);
                        return;
                }
                output_init(connection->output, limits_of(connection)->turn_bytes_max);
        }
        if (session_fill(&connection->session, connection->output) < 0)
                connection_close(connection);
        if (!list_is_empty(&connection->ready) && !dispatch_is_congested(&connection->group))
                ring_defer(ring_of(connection), &connection->dispatch, RING_DISPATCH);
}

/* When all that is queued has been said, there is no more. */
static bool is_ending(const struct connection *connection)
{
        return connection->state == CONNECTION_CLOSING || session_is_over(&connection->session);
}

static void note_windows(struct connection *connection)
{
        counter_set(&connection->census.send_window_bytes,
                (uint64_t)session_send_window_bytes(&connection->session));
        counter_set(&connection->census.receive_window_bytes,
                (uint64_t)session_receive_window_bytes(&connection->session));
}

static void send_iovecs(struct connection *connection, struct iovec *iovecs, size_t count)
{
        /* a pinned stream waits for it too: a worker may, for room in its call's queue */
        bool awaited = connection->state != CONNECTION_OPEN || has_output(connection) ||
                       (connection->output && connection->output->pinned_count > 0) ||
                       session_is_over(&connection->session);

        connection->send_started_ns = ring_now_ns(ring_of(connection));
        note_windows(connection);
        socket_send(&connection->socket, iovecs, count, awaited);
}

/* The output is sealed into memory of its own, and what it refers to is free before that is sent. */
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

static void on_flush(struct deferred *deferred)
{
        struct connection *connection = CONTAINER_OF(deferred, struct connection, flush);

        if (connection->dispatch_last) {
                connection->dispatch_last = false;
                ring_defer(ring_of(connection), &connection->dispatch, RING_DISPATCH);
        }
        if (connection->state > CONNECTION_CLOSING || socket_is_sending(&connection->socket))
                return; /* on_sent comes back here */
        fill(connection);
        if (connection->state > CONNECTION_CLOSING ||
                (connection->secure ? send_sealed(connection) : send_plain(connection)))
                return;
        if (connection->output)
                give_output_back(connection);
        if (is_ending(connection))
                linger(connection);
}

static void on_sent(struct socket *socket, int error)
{
        struct connection *connection = connection_of_socket(socket);

        QUOIT_PROBE(send_complete, &connection->group, error);
        if (connection->secure)
                secure_sent(connection->secure);
        else
                give_output_back(connection);
        if (error < 0)
                connection_close(connection);
        else
                request_flush(connection);
}

/* ---- handlers ---- */

/*
 * Runs calls that are ready, and makes frames of their answers every few: a call that has been answered gives its memory
 * back while it is still in the cache, and the next one takes it. Ends early when the answers are large. True: there is
 * more to run in the next turn.
 */
static bool run_some(struct connection *connection, struct list *again, bool in_line)
{
        size_t queued_max = connection->group.queued_bytes + limits_of(connection)->turn_bytes_max;
        bool more = false;
        struct list *link;

        while (connection->budget_calls > 0 && connection->group.queued_bytes <= queued_max &&
                !call_group_is_worn(&connection->group) && (link = list_pop(&connection->ready))) {
                struct quoit_call *call = CONTAINER_OF(link, struct quoit_call, ready);
                enum dispatched dispatched =
                        dispatch_call(call, connection->shard->server, in_line);

                if (dispatched != DISPATCHED_ALL && list_is_empty(&call->ready))
                        list_append(again, &call->ready);
                if (dispatched == DISPATCHED_CONGESTED)
                        continue;
                more |= dispatched == DISPATCHED_SOME;
                if (--connection->budget_calls % CALLS_A_FILL == 0 &&
                        connection->state <= CONNECTION_CLOSING)
                        fill(connection);
        }
        return more || !list_is_empty(&connection->ready);
}

/* In the next turn; who has used of this one behind those who could not. */
static void dispatch_again(struct connection *connection)
{
        if (connection->group.coded_bytes > 0 && connection->state <= CONNECTION_CLOSING) {
                connection->dispatch_last = true;
                request_flush(connection);
        } else {
                ring_defer(ring_of(connection), &connection->dispatch, RING_DISPATCH);
        }
}

static void run_ready(struct connection *connection, bool in_line)
{
        struct ring *ring = ring_of(connection);
        struct list again;
        bool more;

        if (connection->budget_turn_ns != ring_now_ns(ring)) {
                connection->budget_turn_ns = ring_now_ns(ring);
                connection->budget_calls = limits_of(connection)->turn_calls_max;
                connection->group.coded_bytes = 0;
        }
        list_init(&again);
        more = run_some(connection, &again, in_line);
        list_splice(&connection->ready, &again);
        if (more) {
                /* more work than a turn may take: no more is read before it is done */
                dispatch_again(connection);
                socket_pause(&connection->socket);
        } else {
                /* a handler that finished its own call has asked for it; calls that are congested are woken by what they wait for */
                ring_undefer(&connection->dispatch);
                socket_resume(&connection->socket);
        }
}

static void on_dispatch(struct deferred *deferred)
{
        struct connection *connection = CONTAINER_OF(deferred, struct connection, dispatch);

        run_ready(connection, true);
        connection_try_free(connection);
}

/* ---- in ---- */

static void on_receive_end(struct socket *socket, int error)
{
        struct connection *connection = connection_of_socket(socket);

        (void)error;
        if (secure_is_lent(connection->secure))
                connection->secure->input_ended = true; /* the last it sent may say why it goes */
        else
                connection_close(connection);
}

/* The session was fed, @error 0 or why no more can be. */
static void on_fed(struct connection *connection, int error)
{
        if (error == -ENODATA) {
                on_receive_end(&connection->socket, 0);
                return;
        }
        if (error < 0) {
                start_closing(connection);
        } else {
                windows_heard(connection);
                watch_heard(connection);
        }
        run_ready(connection, false);
        request_flush(connection);
}

static void on_data(struct socket *socket, const unsigned char *bytes, size_t size)
{
        struct connection *connection = connection_of_socket(socket);
        int r;

        QUOIT_PROBE(receive, &connection->group, size);
        if (connection->state != CONNECTION_OPEN)
                return;
        if (connection->secure) {
                r = secure_feed(connection->secure, bytes, size);
        } else {
                r = session_feed(&connection->session, bytes, size);
                if (r < 0)
                        greeting_explain(connection, bytes, size);
        }
        on_fed(connection, r);
}

void connection_on_secured(struct connection *connection)
{
        struct secure *secure = connection->secure;

        if (connection->state == CONNECTION_OPEN)
                on_fed(connection, secure_step(secure));
        if (secure->input_ended && !secure_is_lent(secure))
                connection_close(connection);
        connection_try_free(connection);
}

static void on_closed(struct socket *socket)
{
        struct connection *connection = connection_of_socket(socket);
        struct shard *shard = connection->shard;

        QUOIT_PROBE(connection_close, &connection->group);
        connection_set_state(connection, CONNECTION_DEAD);
        admission_leave(shard, &connection->admitted);
        connection_try_free(connection);
}

/* ---- calls ---- */

void connection_on_call_ready(struct quoit_call *call)
{
        struct connection *connection = connection_of_group(call->group);

        if (list_is_empty(&call->ready))
                list_append(&connection->ready, &call->ready);
        ring_defer(ring_of(connection), &connection->dispatch, RING_DISPATCH);
}

void connection_on_call_output(struct quoit_call *call)
{
        request_flush(connection_of_group(call->group));
}

void connection_on_call_freed(void *user, struct call_group *group)
{
        struct shard *shard = user;
        struct connection *connection = connection_of_group(group);

        if (group->count == 0)
                connection->idle_ns = ring_now_ns(&shard->ring);
        /* not from within its own dispatch: that ends with a look at it */
        if (connection->state == CONNECTION_DEAD)
                ring_defer(&shard->ring, &connection->dispatch, RING_DISPATCH);
}

/* ---- life ---- */

static const struct socket_handler socket_handler = {
        .on_data = on_data,
        .on_receive_end = on_receive_end,
        .on_sent = on_sent,
        .on_closed = on_closed,
};

static void join_census(struct connection *connection)
{
        struct shard *shard = connection->shard;

        connection->census = (struct census_entry){
                .id = atomic_fetch_add(&shard->server->connection_ids, 1) + 1,
                .peer = &connection->peer,
                .counts = &connection->group.counts,
        };
        list_init(&connection->census.link);
        note_windows(connection);
        census_add(&shard->census, &connection->census);
}

void connection_open(struct shard *shard, int fd, quoit_tls *tls, const struct admitted *admitted)
{
        struct connection *connection = slab_alloc(&shard->connections);

        if (!connection)
                goto refuse;
        *connection = (struct connection){
                .shard = shard,
                .group = { .host = &shard->host },
                .admitted = *admitted,
        };
        if (session_init_server(&connection->session, &shard->memory.h2, limits_of(connection),
                    &stream_events, &connection->group) < 0)
                goto refuse;
        if (tls && secure_open(connection, tls) < 0) {
                session_deinit(&connection->session);
                goto refuse;
        }
        peer_identify(fd, &connection->peer);
        connection->group.peer = &connection->peer;
        QUOIT_PROBE(connection_open, &connection->group, connection->peer.address);
        list_init(&connection->ready);
        list_init(&connection->link);
        list_append(&shard->connection_list, &connection->link);
        join_census(connection);
        deferred_init(&connection->dispatch, on_dispatch);
        deferred_init(&connection->flush, on_flush);
        socket_init(&connection->socket, &shard->ring, &shard->buffers, fd, &socket_handler);
        socket_resume(&connection->socket);
        windows_init(connection);
        watch_begin(connection);
        /* Our SETTINGS wait for the peer's preface: one send less, and who says nothing costs no output. */
        if (shard->stops_seen > 0)
                connection_drain(connection); /* accepted while the listeners were being closed */
        return;

refuse:
        slab_free(&shard->connections, connection);
        admission_leave(shard, admitted);
        close(fd);
}

const struct quoit_call *connection_first_call(const struct connection *connection)
{
        const struct list *streams = &connection->session.streams;

        if (connection->state > CONNECTION_CLOSING || list_is_empty(streams))
                return NULL;
        return call_of_stream(CONTAINER_OF(streams->next, struct stream, link));
}

void connection_drain(struct connection *connection)
{
        if (connection->state != CONNECTION_OPEN || connection->session.drain_announced)
                return;
        session_drain(&connection->session);
        request_flush(connection);
        watch_drain(connection);
}

void connection_drain_now(struct connection *connection)
{
        if (connection->state != CONNECTION_OPEN)
                return;
        session_drain_now(&connection->session);
        request_flush(connection);
}

void connection_cancel_calls(struct connection *connection, const char *why)
{
        struct list *link, *next;

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
        counter_add(&connection->census.keepalives_sent, 1);
        session_ping(&connection->session);
        request_flush(connection);
}

void connection_calm(struct connection *connection, const char *what, const char *reason)
{
        server_log_peer(connection->shard->server, ring_now_ns(&connection->shard->ring),
                "%s: too many %s; closed", connection->peer.address, what);
        session_terminate(&connection->session, NGHTTP2_ENHANCE_YOUR_CALM, reason);
        start_closing(connection);
}
