/* SPDX-License-Identifier: MIT */
#include "server/watch.h"

#include "core/clock.h"
#include "server/connection.h"

#define DRAIN_NOTICE_NS                                                                            \
        (1000 * NS_PER_MS) /* how long the first GOAWAY waits for the answer to its PING */
#define DRAIN_GRACE_NS (100 * NS_PER_MS) /* and then for what the peer had on the way */
#define LAST_WORDS_NS                                                                              \
        (5000 * NS_PER_MS) /* for what is queued, where the peer may take none of it */
#define LINGER_NS (1000 * NS_PER_MS)

static uint64_t now_of(const struct connection *connection)
{
        return ring_now_ns(&connection->shard->ring);
}

static uint64_t earlier(uint64_t one_ns, uint64_t other_ns)
{
        return one_ns < other_ns ? one_ns : other_ns;
}

static void start_at(struct connection *connection, uint64_t due_ns, void (*on_due)(struct timer *))
{
        timer_start(&connection->shard->ring.timers, &connection->watch, due_ns, on_due);
}

static void start(struct connection *connection, uint64_t time_ns, void (*on_due)(struct timer *))
{
        start_at(connection, now_of(connection) + time_ns, on_due);
}

static void on_watch(struct timer *timer);
static void watch_again(struct connection *connection);

/* The peer's TCP takes nothing, or its HTTP/2 opens no window for what waits: how long already? */
static bool is_stalled(struct connection *connection, uint64_t now_ns)
{
        const quoit_limits *limits = connection_limits(connection);

        if (socket_is_sending(&connection->socket) &&
                now_ns - connection->send_started_ns >= limits->stall_ms * NS_PER_MS)
                return true;
        if (connection->group.queued_bytes == 0 ||
                connection->written_seen != connection->group.written_bytes) {
                connection->written_seen = connection->group.written_bytes;
                connection->written_seen_ns = now_ns;
        }
        return now_ns - connection->written_seen_ns >= limits->window_stall_ms * NS_PER_MS;
}

static void close_with(struct connection *connection, const char *why)
{
        server_log_peer(connection->shard->server, QUOIT_LOG_INFO,
                ring_now_ns(&connection->shard->ring), "%s: %s; closed", connection->peer.address,
                why);
        connection_close(connection);
}

/* ---- the end of its time ---- */

static void on_drain_step(struct timer *timer)
{
        struct connection *connection = CONTAINER_OF(timer, struct connection, watch);

        connection_drain_now(connection);
        watch_again(connection);
}

void watch_drain(struct connection *connection)
{
        start(connection, DRAIN_NOTICE_NS, on_drain_step);
}

static bool is_idle(const struct connection *connection, uint64_t now_ns, uint64_t *ret_due_ns)
{
        uint32_t idle_ms = connection_limits(connection)->connection_idle_ms;
        uint64_t since_ns = connection->group.count > 0 ? now_ns : connection->idle_ns;

        if (idle_ms == UINT32_MAX)
                return false;
        *ret_due_ns = earlier(*ret_due_ns, since_ns + idle_ms * NS_PER_MS);
        return now_ns >= since_ns + idle_ms * NS_PER_MS;
}

/* Those of one hour do not end in one second, were they opened in one: a tenth more or less, by its address. */
static uint64_t age_ns(const struct connection *connection)
{
        uint64_t age = connection_limits(connection)->connection_age_ms * NS_PER_MS;
        uint64_t mixed =
                ((uint64_t)(uintptr_t)connection ^ connection->opened_ns) * 0x9E3779B97F4A7C15;

        return age - age / 10 + (mixed >> 32) * (age / 5 >> 16) / (UINT32_MAX >> 16);
}

static bool is_old(const struct connection *connection, uint64_t now_ns, uint64_t *ret_due_ns)
{
        uint64_t due_ns = connection->opened_ns + age_ns(connection);

        if (connection_limits(connection)->connection_age_ms == UINT32_MAX)
                return false;
        *ret_due_ns = earlier(*ret_due_ns, due_ns);
        return now_ns >= due_ns;
}

/* Whether its calls have had their time after its age. */
static bool is_past_grace(
        const struct connection *connection, uint64_t now_ns, uint64_t *ret_due_ns)
{
        uint32_t grace_ms = connection_limits(connection)->connection_age_grace_ms;
        uint64_t due_ns = connection->opened_ns + age_ns(connection) + grace_ms * NS_PER_MS;

        if (connection_limits(connection)->connection_age_ms == UINT32_MAX ||
                grace_ms == UINT32_MAX)
                return false;
        *ret_due_ns = earlier(*ret_due_ns, due_ns);
        return now_ns >= due_ns;
}

/* ---- while it lives ---- */

/* A connection past its handshake. */
static void watch_life(struct connection *connection)
{
        const quoit_limits *limits = connection_limits(connection);
        uint64_t now_ns = now_of(connection), due_ns;
        enum keepalive_verdict alive =
                keepalive_look(&connection->keepalive, limits, now_ns, &due_ns);

        if (alive == KEEPALIVE_DEAD) {
                close_with(connection, "no answer to a PING");
                return;
        }
        if (alive == KEEPALIVE_ASK)
                connection_ping(connection);
        if (is_stalled(connection, now_ns)) {
                close_with(connection, "takes nothing of what waits for it");
                return;
        }
        due_ns = earlier(due_ns, now_ns + limits->stall_ms * NS_PER_MS / 2);
        if (connection->session.drain > DRAIN_NONE) {
                if (is_past_grace(connection, now_ns, &due_ns)) {
                        connection_cancel_calls(connection, "the connection's time is over");
                        return;
                }
        } else if (is_idle(connection, now_ns, &due_ns) || is_old(connection, now_ns, &due_ns)) {
                connection_drain(connection);
                return;
        }
        start_at(connection, due_ns, on_watch);
}

static void on_watch(struct timer *timer)
{
        struct connection *connection = CONTAINER_OF(timer, struct connection, watch);

        if (connection->session.settings_received)
                watch_life(connection);
        else if (now_of(connection) - connection->opened_ns >=
                 connection_limits(connection)->handshake_ms * NS_PER_MS)
                close_with(connection, "no HTTP/2 preface and SETTINGS in time");
        else
                watch_again(connection);
}

/* From the handshake on: its end is not noticed at once, so that it is looked at soon enough for all that may follow. */
static void watch_again(struct connection *connection)
{
        const quoit_limits *limits = connection_limits(connection);
        uint64_t soon_ns = earlier(limits->keepalive_ms,
                                   earlier(limits->connection_idle_ms, limits->connection_age_ms)) *
                           NS_PER_MS;

        if (connection->session.settings_received)
                soon_ns = 0;
        start_at(connection,
                earlier(connection->opened_ns + limits->handshake_ms * NS_PER_MS,
                        now_of(connection) + soon_ns),
                on_watch);
}

/* What a peer's PINGs cost it. */
static void count_pings(struct connection *connection)
{
        struct session *session = &connection->session;
        uint32_t pings = session->pings;
        bool was_answered = session->has_answered;

        session->pings = 0;
        session->has_answered = false;
        if (!keepalive_allows(&connection->keepalive, connection_limits(connection), pings,
                    !list_is_empty(&session->streams), was_answered, now_of(connection)))
                connection_calm(connection, "PINGs", "too_many_pings");
}

/* Each has cost a call's beginning, whoever sent it. */
static void count_resets(struct connection *connection)
{
        const quoit_limits *limits = connection_limits(connection);
        uint32_t resets = connection->session.resets;

        connection->session.resets = 0;
        if (!rate_allows(&connection->resets, resets, limits->resets_burst_max,
                    limits->resets_per_second, now_of(connection)))
                connection_calm(connection, "resets of streams", "too_many_resets");
}

void watch_heard(struct connection *connection)
{
        struct session *session = &connection->session;

        keepalive_heard(&connection->keepalive, now_of(connection));
        if (session->resets > 0)
                count_resets(connection);
        if (session->pings > 0 && connection->state == CONNECTION_OPEN)
                count_pings(connection);
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

void watch_linger(struct connection *connection)
{
        start(connection, LINGER_NS, on_over);
}

void watch_begin(struct connection *connection)
{
        connection->opened_ns = connection->idle_ns = now_of(connection);
        keepalive_init(&connection->keepalive, now_of(connection));
        connection->written_seen_ns = now_of(connection);
        timer_init(&connection->watch);
        watch_again(connection);
}

void watch_end(struct connection *connection)
{
        timer_cancel(&connection->shard->ring.timers, &connection->watch);
}
