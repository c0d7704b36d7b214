/* SPDX-License-Identifier: MIT */
#include "link/watch.h"

#include "core/clock.h"
#include "link/connection.h"
#include "link/owner.h"
#include "link/secure.h"
#include "link/stalls.h"
#include "link/tunnel.h"

#define DRAIN_NOTICE_NS                                                                            \
        (1000 * NS_PER_MS) /* how long the first GOAWAY waits for the answer to its PING */
#define DRAIN_GRACE_NS (100 * NS_PER_MS) /* after that answer: for requests that were on the way */
#define PREFACE_SILENCE_NS                                                                         \
        (500 * NS_PER_MS) /* a drain does not wait for a peer that sends nothing for so long before its SETTINGS */
#define SHAKING_SILENCE_NS                                                                         \
        (2000 * NS_PER_MS) /* the same within a TLS handshake, for which a busy client needs time */
#define SHAKING_NOTICE_NS (2500 * NS_PER_MS) /* all that a drain waits for such a peer */
#define PREFACE_LOOK_NS                                                                            \
        (100 * NS_PER_MS) /* until a peer without a preface is looked at once more */
#define LAST_WORDS_NS (5000 * NS_PER_MS) /* for what is queued, if the peer takes none of it */
#define LINGER_NS (1000 * NS_PER_MS)

static uint64_t now_of(const struct connection *connection)
{
        return ring_now_ns(&connection->base->ring);
}

static uint64_t earlier(uint64_t one_ns, uint64_t other_ns)
{
        return one_ns < other_ns ? one_ns : other_ns;
}

static void start_at(struct connection *connection, uint64_t due_ns, void (*on_due)(struct timer *))
{
        timer_start(&connection->base->ring.timers, &connection->watch, due_ns, on_due);
}

static void start(struct connection *connection, uint64_t time_ns, void (*on_due)(struct timer *))
{
        start_at(connection, now_of(connection) + time_ns, on_due);
}

static void on_watch(struct timer *timer);

static void close_with(struct connection *connection, const char *why)
{
        connection->owner->complain(connection, "%s; closed", why);
        connection_close(connection);
}

/* ---- the end of its time ---- */

static void on_drain_step(struct timer *timer)
{
        struct connection *connection = CONTAINER_OF(timer, struct connection, watch);

        connection_drain_now(connection);
        start(connection, 0, on_watch);
}

static void await_preface(struct connection *connection);

static void on_preface_awaited(struct timer *timer)
{
        await_preface(CONTAINER_OF(timer, struct connection, watch));
}

/*
 * Without the peer's SETTINGS there can be no call. A client that is about to send them, as when it connects while a server
 * restarts, can still have one. A peer that is silent, or sends byte by byte, does not delay the stop.
 */
static void await_preface(struct connection *connection)
{
        uint64_t heard_ns = connection->keepalive.heard_ns;
        bool is_shaking = connection->secure && heard_ns > connection->opened_ns;
        uint64_t silent_ns = heard_ns + (is_shaking ? SHAKING_SILENCE_NS : PREFACE_SILENCE_NS);
        uint64_t due_ns =
                connection->drained_ns + (is_shaking ? SHAKING_NOTICE_NS : DRAIN_NOTICE_NS);

        if (!secure_is_lent(connection->secure)) /* if it is lent, the peer waits for us */
                due_ns = earlier(due_ns, silent_ns);

        if (now_of(connection) >= due_ns)
                connection_close(connection);
        else
                start_at(connection, due_ns, on_preface_awaited);
}

void watch_drain(struct connection *connection)
{
        connection->drained_ns = now_of(connection);
        if (!connection->established)
                await_preface(connection);
        else if (connection->session.role ==
                 SESSION_CLIENT) /* no request can be on its way to it */
                start(connection, 0, on_watch);
        else if (connection->session.http1) /* it has nothing to answer */
                start(connection, DRAIN_GRACE_NS, on_drain_step);
        else
                start(connection, DRAIN_NOTICE_NS, on_drain_step);
}

static bool is_over(uint64_t due_ns, uint64_t now_ns, uint64_t *ret_due_ns)
{
        *ret_due_ns = earlier(*ret_due_ns, due_ns);
        return now_ns >= due_ns;
}

static uint64_t idle_due_ns(const struct connection *connection, uint64_t now_ns)
{
        return clock_after_limit_ns(connection->group.count > 0 ? now_ns : connection->idle_ns,
                connection_limits(connection)->connection_idle_ms);
}

/* A server's. The age varies by a tenth, so that connections that were opened together do not end together. */
static uint64_t age_due_ns(const struct connection *connection)
{
        uint32_t age_ms = connection_limits(connection)->connection_age_ms;
        uint64_t age = age_ms * NS_PER_MS;

        if (age_ms == UINT32_MAX || connection->session.role == SESSION_CLIENT)
                return UINT64_MAX;
        return connection->opened_ns + age - age / 10 +
               (connection->jitter >> 48) * (age / 5 >> 16);
}

/* When calls that still run after the connection's age are cancelled. */
static uint64_t grace_due_ns(const struct connection *connection)
{
        uint64_t age_ns = age_due_ns(connection);

        if (age_ns == UINT64_MAX)
                return UINT64_MAX;
        return clock_after_limit_ns(age_ns, connection_limits(connection)->connection_age_grace_ms);
}

/* ---- while it lives ---- */

/*
 * Whether the peer's silence tells nothing: we do not read, so it may have sent much; or we are a client without calls, which does
 * not ask, as servers count such PINGs as strikes (gRPC's keepalive document: no PINGs without calls).
 */
static bool silence_is_fine(const struct connection *connection)
{
        return socket_is_paused(&connection->socket) ||
               (connection->session.role == SESSION_CLIENT && connection->group.count == 0);
}

/* HTTP/1.1: since when the peer should have sent something; @now_ns: it waits for us, or has an answer to read (that is stalls.c's). */
static uint64_t silent_ns(const struct connection *connection, uint64_t now_ns)
{
        const struct http1 *http1 = connection->session.http1;
        uint64_t heard_ns = connection->keepalive.heard_ns;

        if (socket_is_paused(&connection->socket) || socket_is_sending(&connection->socket) ||
                session_has_output(&connection->session) ||
                (http1->stream && !stream_is_remote_open(http1->stream)))
                return now_ns;
        return !http1->stream && heard_ns < connection->idle_ns ? connection->idle_ns : heard_ns;
}

/* Without PINGs the peer's silence is all that tells whether it is still there. True: it is closed. */
static bool closes_silent(struct connection *connection, uint64_t now_ns, uint64_t *ret_due_ns)
{
        *ret_due_ns = clock_after_limit_ns(
                silent_ns(connection, now_ns), connection_limits(connection)->http1_silence_ms);
        if (now_ns < *ret_due_ns)
                return false;
        if (connection->session.http1->stream)
                close_with(connection, "the rest of its request did not come (http1_silence_ms)");
        else
                connection_close(connection); /* so do all clients that leave a connection open */
        return true;
}

/* True: it is closed. */
static bool closes_dead(struct connection *connection, uint64_t now_ns, uint64_t *ret_due_ns)
{
        if (connection->session.http1)
                return closes_silent(connection, now_ns, ret_due_ns);
        if (silence_is_fine(connection))
                keepalive_heard(&connection->keepalive, now_ns);
        switch (keepalive_look(
                &connection->keepalive, connection_limits(connection), now_ns, ret_due_ns)) {
        case KEEPALIVE_DEAD:
                close_with(connection, "no answer to a PING (keepalive_timeout_ms)");
                return true;
        case KEEPALIVE_ASK:
                connection_ping(connection);
                return false;
        case KEEPALIVE_ALIVE:
                break;
        }
        return false;
}

/* UINT64_MAX: no header block is unfinished. */
static uint64_t block_due_ns(const struct connection *connection)
{
        const struct session *session = &connection->session;

        if (!session_is_in_block(session) || connection->block != session->blocks)
                return UINT64_MAX;
        return clock_after_limit_ns(
                connection->block_ns, connection_limits(connection)->header_block_ms);
}

/*
 * A connection past its handshake. What begins after this look has its full time, so the next look is at the end of the
 * shortest limit, or when something that has begun already is over its time.
 */
static void watch_life(struct connection *connection)
{
        uint64_t now_ns = now_of(connection), due_ns;

        if (closes_dead(connection, now_ns, &due_ns))
                return;
        if (stalls_look(connection, now_ns, &due_ns)) {
                close_with(connection, "reads too slowly, or not at all (stall_ms, "
                                       "window_stall_ms, read_bytes_per_second_min)");
                return;
        }
        if (is_over(block_due_ns(connection), now_ns, &due_ns)) {
                close_with(
                        connection, "its header block was not complete in time (header_block_ms)");
                return;
        }
        if (connection->session.drain > DRAIN_NONE) {
                if (is_over(grace_due_ns(connection), now_ns, &due_ns)) {
                        connection_cancel_calls(connection,
                                "the connection's time is over (connection_age_grace_ms)");
                        return;
                }
        } else if (is_over(idle_due_ns(connection, now_ns), now_ns, &due_ns) ||
                   is_over(age_due_ns(connection), now_ns, &due_ns)) {
                connection_drain(connection);
                return;
        }
        start_at(connection, due_ns, on_watch);
}

static void on_watch(struct timer *timer)
{
        watch_life(CONTAINER_OF(timer, struct connection, watch));
}

/*
 * Not the peer's fault if we have not read what it has sent: it may wait for a buffer, among many others, or the ring itself was
 * late. So it has the time of one more look, in which all is read that had come. What was read after its time is no excuse again:
 * a peer that sends byte by byte, among many others, would always wait for a buffer.
 */
static void on_no_preface(struct timer *timer)
{
        struct connection *connection = CONTAINER_OF(timer, struct connection, watch);
        uint64_t due_ns = clock_after_limit_ns(
                connection->opened_ns, connection_limits(connection)->handshake_ms);
        bool was_suspected = connection->suspected;

        connection->suspected = !socket_awaits_buffer(&connection->socket) ||
                                connection->keepalive.heard_ns > due_ns;
        if (!was_suspected || !connection->suspected)
                start(connection, PREFACE_LOOK_NS, on_no_preface);
        else if (tunnel_is_closed(connection->tunnel))
                close_with(connection, "the proxy has not answered CONNECT in time");
        else if (secure_is_lent(connection->secure))
                close_with(connection, "its TLS handshake was not through in time (handshake_ms)");
        else if (connection->session.http1)
                close_with(connection, "its first request was not complete in time (handshake_ms)");
        else
                close_with(connection, "no HTTP/2 preface and SETTINGS in time (handshake_ms)");
}

/* The peer's SETTINGS have arrived. */
static void on_settings(struct connection *connection)
{
        connection->established = true;
        connection->suspected = false;
        socket_use_buffers(&connection->socket, &connection->base->buffers);
        connection->idle_ns = now_of(connection);
        if (connection->session.drain > DRAIN_NONE)
                start(connection, DRAIN_NOTICE_NS, on_drain_step);
        else
                watch_life(connection);
}

/* Few blocks come in pieces: only then the next look is brought forward. Before SETTINGS and in a drain's first steps others are due. */
static void note_block(struct connection *connection)
{
        struct session *session = &connection->session;

        if (!session_is_in_block(session) || connection->block == session->blocks)
                return;
        connection->block = session->blocks;
        connection->block_ns = now_of(connection);
        if (connection->established &&
                (session->drain == DRAIN_NONE || session->drain == DRAIN_DONE))
                watch_life(connection);
}

/* A peer that sends PINGs too often collects strikes. */
static void count_pings(struct connection *connection)
{
        struct session *session = &connection->session;
        uint32_t pings = session->pings;
        bool was_answered = session->has_answered;

        session->pings = 0;
        session->has_answered = false;
        if (!keepalive_allows(&connection->keepalive, connection_limits(connection), pings,
                    !list_is_empty(&session->streams), was_answered, now_of(connection)))
                connection_expel(connection,
                        "PINGs (ping_strikes_max, ping_interval_min_ms, "
                        "ping_interval_idle_min_ms)",
                        "too_many_pings"); /* clients know this text, and ask more seldom */
}

/* Each reset has cost us the beginning of a call, whoever sent it. */
static void count_resets(struct connection *connection)
{
        const quoit_limits *limits = connection_limits(connection);
        uint32_t resets = connection->session.resets;

        connection->session.resets = 0;
        if (!rate_allows(&connection->resets, resets, limits->resets_burst_max,
                    limits->resets_per_second, now_of(connection)))
                connection_expel(connection,
                        "resets of streams (resets_burst_max, resets_per_second)",
                        "too_many_resets (resets_burst_max, resets_per_second)");
}

/* A useless frame costs little, but a peer could send them forever. */
static void count_glitches(struct connection *connection)
{
        const quoit_limits *limits = connection_limits(connection);
        uint32_t count = connection->session.glitches.count;

        connection->session.glitches.count = 0;
        if (!rate_allows(&connection->glitches, count, limits->glitches_burst_max,
                    limits->glitches_per_second, now_of(connection)))
                connection_expel(connection,
                        "useless frames (glitches_burst_max, glitches_per_second)",
                        "too_many_useless_frames (glitches_burst_max, glitches_per_second)");
}

/* Strikes are a server's rule for its clients. To a client the PINGs are useless frames like others, of which many are allowed. */
static void excuse_pings(struct session *session)
{
        if (session->role == SESSION_SERVER)
                return;
        session->glitches.count += session->pings;
        session->pings = 0;
}

void watch_heard(struct connection *connection)
{
        struct session *session = &connection->session;

        keepalive_heard(&connection->keepalive, now_of(connection));
        if (session->settings_received && !connection->established)
                on_settings(connection);
        excuse_pings(session);
        if (session->resets > 0 && connection->state == CONNECTION_OPEN)
                count_resets(connection);
        if (session->glitches.count > 0 && connection->state == CONNECTION_OPEN)
                count_glitches(connection);
        if (session->pings > 0 && connection->state == CONNECTION_OPEN)
                count_pings(connection);
        if (connection->state == CONNECTION_OPEN)
                note_block(connection);
        if (connection->state != CONNECTION_OPEN || session->drain != DRAIN_ACKNOWLEDGED ||
                connection->drain_seen)
                return;
        connection->drain_seen = true;
        start(connection, DRAIN_GRACE_NS, on_drain_step);
}

/* ---- its end ---- */

static void on_over(struct timer *timer)
{
        connection_close(CONTAINER_OF(timer, struct connection, watch));
}

void watch_last_words(struct connection *connection)
{
        start(connection, LAST_WORDS_NS, on_over);
}

/* A client that is still sending a request reads the answer to its first part only when it is through, or is told to stop. */
void watch_linger(struct connection *connection)
{
        const struct http1 *http1 = connection->session.http1;

        start(connection, http1 && !http1->is_whole ? LAST_WORDS_NS : LINGER_NS, on_over);
}

void watch_begin(struct connection *connection, uint32_t keepalive_ms)
{
        if (keepalive_ms == 0)
                keepalive_ms = connection_limits(connection)->keepalive_ms;
        connection->opened_ns = now_of(connection);
        keepalive_init(&connection->keepalive, keepalive_ms, connection->opened_ns);
        timer_init(&connection->watch);
        start_at(connection,
                clock_after_limit_ns(
                        connection->opened_ns, connection_limits(connection)->handshake_ms),
                on_no_preface);
}

void watch_end(struct connection *connection)
{
        timer_cancel(&connection->base->ring.timers, &connection->watch);
}
