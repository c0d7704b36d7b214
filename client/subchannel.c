/* SPDX-License-Identifier: MIT */
#include "client/subchannel.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/addresses.h"
#include "client/balancer.h"
#include "client/channel.h"
#include "client/client.h"
#include "client/client_connection.h"
#include "client/note.h"
#include "core/clock.h"
#include "link/peer.h"

#define GOOD_NS                                                                                    \
        NS_PER_S /* a connection that has served no call was of use if it lived for so long */
#define USELESS_MAX 10 /* connections in a row that were of no use, before there is a pause */

static void subchannel_set_state(struct subchannel *subchannel, enum subchannel_state state)
{
        static const unsigned allowed[] = {
                [SUBCHANNEL_IDLE] = 1u << SUBCHANNEL_CONNECTING,
                [SUBCHANNEL_CONNECTING] = 1u << SUBCHANNEL_READY | 1u << SUBCHANNEL_IDLE |
                                          1u << SUBCHANNEL_TRANSIENT_FAILURE,
                [SUBCHANNEL_READY] = 1u << SUBCHANNEL_IDLE | 1u << SUBCHANNEL_TRANSIENT_FAILURE,
                [SUBCHANNEL_TRANSIENT_FAILURE] = 1u << SUBCHANNEL_IDLE,
        };

        assert(allowed[subchannel->state] & 1u << state);
        subchannel->state = state;
}

static struct ring *ring_of(const struct subchannel *subchannel)
{
        return channel_ring(subchannel->channel);
}

struct subchannel *subchannel_new(struct tier *tier, const struct endpoint *address)
{
        struct subchannel *subchannel = calloc(1, sizeof(*subchannel));

        if (!subchannel)
                return NULL;
        subchannel->channel = tier->channel;
        subchannel->tier = tier;
        subchannel->address = *address;
        list_init(&subchannel->link);
        list_init(&subchannel->waiting);
        peer_describe(address, subchannel->text);
        timer_init(&subchannel->retry);
        timer_init(&subchannel->check.watch.retry);
        timer_init(&subchannel->load_reports.retry);
        return subchannel;
}

/* ---- failures ---- */

static void on_retry(struct timer *timer)
{
        struct subchannel *subchannel = CONTAINER_OF(timer, struct subchannel, retry);

        subchannel_set_state(subchannel, SUBCHANNEL_IDLE);
        balancer_on_state(subchannel);
}

/* False: that is known, and no news. */
static bool set_why(struct subchannel *subchannel, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

static bool set_why(struct subchannel *subchannel, const char *format, ...)
{
        char why[SUBCHANNEL_WHY_BYTES];
        va_list arguments;
        bool is_known;

        va_start(arguments, format);
        vsnprintf(why, sizeof(why), format, arguments);
        va_end(arguments);
        is_known = subchannel->has_failed && strcmp(why, subchannel->why) == 0;
        memcpy(subchannel->why, why, sizeof(why));
        return !is_known;
}

/* It waits, and the balancer hears of it. @is_news: so does the log. */
static void fail(struct subchannel *subchannel, bool is_news)
{
        const quoit_client_limits *limits = &subchannel->channel->client->limits;
        struct ring *ring = ring_of(subchannel);

        subchannel_set_state(subchannel, SUBCHANNEL_TRANSIENT_FAILURE);
        subchannel->has_failed = true;
        subchannel->retry_ns = ring_now_ns(ring) +
                               backoff_next_ns(&subchannel->backoff, limits->backoff_initial_ms,
                                       limits->backoff_max_ms, ring_jitter(ring));
        timer_start(&ring->timers, &subchannel->retry, subchannel->retry_ns, on_retry);
        if (is_news)
                note_subchannel(subchannel, QUOIT_LOG_WARNING,
                        "cannot connect: %s; the next attempt is in %.1f s", subchannel->why,
                        (double)(subchannel->retry_ns - ring_now_ns(ring)) / NS_PER_S);
        addresses_doubt(subchannel->channel);
        balancer_on_state(subchannel);
}

static void fail_with_errno(struct subchannel *subchannel, const char *what, int error)
{
        const char *name = strerrorname_np(-error);

        fail(subchannel,
                set_why(subchannel, "%s: %s (%s)", what, strerror(-error), name ? name : "?"));
}

/* ---- an attempt ---- */

static void on_connected(struct connector *connector, int result)
{
        struct subchannel *subchannel = CONTAINER_OF(connector, struct subchannel, connector);
        bool was_abandoned = subchannel->state != SUBCHANNEL_CONNECTING;
        int r;

        subchannel->socket_connects = false;
        if (was_abandoned) {
                if (result >= 0)
                        close(result);
                if (subchannel->is_lost)
                        addresses_release(subchannel);
                else if (subchannel->state == SUBCHANNEL_IDLE)
                        balancer_on_state(subchannel);
                return;
        }
        if (result < 0) {
                fail_with_errno(subchannel, "connect", result);
                return;
        }
        r = client_connection_open(subchannel, result, &subchannel->connection);
        if (r < 0) {
                close(result);
                fail_with_errno(subchannel, "connection", r);
        }
}

void subchannel_connect(struct subchannel *subchannel)
{
        struct ring *ring = ring_of(subchannel);
        uint32_t connect_ms = subchannel->channel->client->limits.connect_ms;
        int r;

        assert(!subchannel->socket_connects && !subchannel->connection);
        subchannel_set_state(subchannel, SUBCHANNEL_CONNECTING);
        r = connector_start(&subchannel->connector, ring, &subchannel->address.any,
                subchannel->address.bytes, clock_after_limit_ns(ring_now_ns(ring), connect_ms),
                on_connected);
        if (r < 0)
                fail_with_errno(subchannel, "socket", r);
        else
                subchannel->socket_connects = true;
}

/* It has no connection any more, if it had one; calls that waited for room there wait in the channel. */
static void let_go(struct subchannel *subchannel)
{
        health_check_end(subchannel);
        feed_end(&subchannel->load_reports);
        subchannel->connection = NULL;
        channel_take_back(subchannel->channel, &subchannel->waiting);
}

void subchannel_abandon(struct subchannel *subchannel)
{
        struct client_connection *connection = subchannel->connection;

        let_go(subchannel);
        if (connection)
                client_connection_leave(connection);
        timer_cancel(&ring_of(subchannel)->timers, &subchannel->retry);
        if (subchannel->state == SUBCHANNEL_CONNECTING && subchannel->socket_connects)
                connector_cancel(&subchannel->connector);
        if (subchannel->state != SUBCHANNEL_IDLE)
                subchannel_set_state(subchannel, SUBCHANNEL_IDLE);
}

/* ---- what balancers see ---- */

enum subchannel_state subchannel_state_seen(const struct subchannel *subchannel)
{
        if (subchannel->state == SUBCHANNEL_READY) {
                if (outlier_is_ejected(&subchannel->outlier) ||
                        subchannel->check.health == HEALTH_NOT_SERVING)
                        return SUBCHANNEL_TRANSIENT_FAILURE;
                return subchannel->check.health == HEALTH_ASKED ? SUBCHANNEL_CONNECTING
                                                                : SUBCHANNEL_READY;
        }
        if (subchannel->has_failed)
                return SUBCHANNEL_TRANSIENT_FAILURE;
        /* one that was given up a moment ago connects as soon as it can */
        return subchannel_is_busy(subchannel) ? SUBCHANNEL_CONNECTING : subchannel->state;
}

/* ---- its connection ---- */

bool subchannel_has_room(const struct subchannel *subchannel)
{
        const struct client_connection *connection = subchannel->connection;

        return subchannel->state == SUBCHANNEL_READY && !connection->is_leaving &&
               connection->connection.state == CONNECTION_OPEN &&
               session_streams_left(&connection->connection.session) > 0;
}

static void count_handshake(const struct subchannel *subchannel)
{
        struct handshake_counts *counts = &subchannel->channel->handshake_counts;
        const quoit_peer_tls *tls = subchannel->connection->connection.peer.tls;

        if (tls)
                counter_add(&counts->all, 1);
        if (tls && tls->resumed)
                counter_add(&counts->resumed, 1);
}

void subchannel_on_ready(struct subchannel *subchannel)
{
        if (subchannel->state ==
                SUBCHANNEL_READY) { /* further SETTINGS: there may be room for more calls */
                channel_stir(subchannel->channel);
                return;
        }
        subchannel_set_state(subchannel, SUBCHANNEL_READY);
        note_subchannel(subchannel, subchannel->has_failed ? QUOIT_LOG_INFO : QUOIT_LOG_DEBUG,
                "connected%s", subchannel->has_failed ? " again" : "");
        subchannel->connected_ns = ring_now_ns(ring_of(subchannel));
        subchannel->why[0] = '\0';
        subchannel->has_failed = false;
        count_handshake(subchannel);
        load_weight_reset(&subchannel->weight);
        health_check_begin(subchannel);
        load_reports_begin(subchannel);
        balancer_on_state(subchannel);
}

static bool is_useless(
        const struct subchannel *subchannel, const struct client_connection *connection)
{
        uint64_t lived_ns = ring_now_ns(ring_of(subchannel)) - subchannel->connected_ns;

        return !connection->has_served && lived_ns < GOOD_NS;
}

/*
 * A connection has ended, or ends; the next may follow at once: no call fails because a server's connections are short. But not if
 * many in a row were of no use: a server that accepts and says farewell would be asked without a pause, for ever.
 */
static void end_connection(
        struct subchannel *subchannel, const struct client_connection *connection)
{
        bool was_ready = subchannel->state == SUBCHANNEL_READY;
        bool useless = is_useless(subchannel, connection);
        bool waits = !was_ready || (useless && subchannel->useless_count == USELESS_MAX);
        bool is_news = set_why(subchannel, "%.*s", SUBCHANNEL_WHY_BYTES - 1, connection->why);

        let_go(subchannel);
        if (was_ready && !useless)
                subchannel->useless_count = 0;
        else if (!waits)
                subchannel->useless_count++;
        if (waits) {
                fail(subchannel, is_news);
        } else {
                note_subchannel(
                        subchannel, connection->level, "the connection ends: %s", subchannel->why);
                if (!useless)
                        backoff_reset(&subchannel->backoff);
                subchannel_set_state(subchannel, SUBCHANNEL_IDLE);
                addresses_doubt(subchannel->channel);
                balancer_on_state(subchannel);
        }
}

void subchannel_on_leaving(struct subchannel *subchannel, struct client_connection *connection)
{
        client_connection_leave(connection);
        end_connection(subchannel, connection);
}

void subchannel_on_lost(struct subchannel *subchannel, struct client_connection *connection)
{
        end_connection(subchannel, connection);
}
