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
#include "client/handle.h"
#include "client/note.h"
#include "client/scaling.h"
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
        note_subchannel_state(subchannel);
}

static struct ring *ring_of(const struct subchannel *subchannel)
{
        return channel_ring(subchannel->channel);
}

static struct registry *registry_of(const struct subchannel *subchannel)
{
        return &subchannel->channel->client->handle->registry;
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
        list_init(&subchannel->connections);
        peer_describe(address, subchannel->text);
        timer_init(&subchannel->retry);
        timer_init(&subchannel->spare_look);
        timer_init(&subchannel->check.watch.retry);
        timer_init(&subchannel->load_reports.retry);
        return subchannel;
}

void subchannel_free(struct subchannel *subchannel)
{
        if (record_is_added(&subchannel->record.record))
                registry_remove(registry_of(subchannel), &subchannel->record.record);
        free(subchannel);
}

/* Which connections it has is known to other threads from now on. */
static void record_connections(struct subchannel *subchannel)
{
        struct list *connections = &subchannel->connections;
        uint64_t ids[QUOIT_CHANNEL_CONNECTIONS_MAX];
        unsigned count = 0;

        for (struct list *link = connections->next; link != connections; link = link->next)
                ids[count++] = CONTAINER_OF(link, struct client_connection, sibling)->census.id;
        if (subchannel->opening && count < QUOIT_CHANNEL_CONNECTIONS_MAX)
                ids[count++] = subchannel->opening->census.id;
        registry_set_connections(registry_of(subchannel), &subchannel->record, ids, count);
}

/* @connection awaits the server's SETTINGS; NULL: none does any more. */
static void set_opening(struct subchannel *subchannel, struct client_connection *connection)
{
        subchannel->opening = connection;
        record_connections(subchannel);
}

/* ---- failures ---- */

static void on_retry(struct timer *timer)
{
        struct subchannel *subchannel = CONTAINER_OF(timer, struct subchannel, retry);

        if (subchannel->state == SUBCHANNEL_READY) { /* calls may wait for one more connection */
                channel_stir(subchannel->channel);
                return;
        }
        subchannel_set_state(subchannel, SUBCHANNEL_IDLE);
        balancer_on_state(subchannel);
}

/* False: that is known, and no news. */
static bool set_why(struct subchannel *subchannel, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

static bool set_why(struct subchannel *subchannel, const char *format, ...)
{
        bool has_failed = subchannel->has_failed || subchannel->state == SUBCHANNEL_READY;
        char why[SUBCHANNEL_WHY_BYTES];
        va_list arguments;
        bool is_known;

        va_start(arguments, format);
        vsnprintf(why, sizeof(why), format, arguments);
        va_end(arguments);
        is_known = has_failed && strcmp(why, subchannel->why) == 0;
        memcpy(subchannel->why, why, sizeof(why));
        return !is_known;
}

/* It waits, and the balancer hears of it. The pause has begun. */
static void set_failed(struct subchannel *subchannel)
{
        subchannel_set_state(subchannel, SUBCHANNEL_TRANSIENT_FAILURE);
        subchannel->has_failed = true;
        addresses_doubt(subchannel->channel);
        balancer_on_state(subchannel);
}

/*
 * An attempt has failed, or a connection was of no use: there is a pause. Where it has another connection that is all. @is_news: the log
 * hears of it.
 */
static void fail(struct subchannel *subchannel, bool is_news)
{
        struct ring *ring = ring_of(subchannel);

        subchannel->is_trying = false;
        subchannel->retry_ns = ring_now_ns(ring) +
                               client_pause_ns(subchannel->channel->client, &subchannel->backoff);
        timer_start(&ring->timers, &subchannel->retry, subchannel->retry_ns, on_retry);
        if (is_news)
                note_subchannel(subchannel, QUOIT_LOG_WARNING,
                        "cannot connect: %s; the next attempt is in %.1f s", subchannel->why,
                        (double)(subchannel->retry_ns - ring_now_ns(ring)) / NS_PER_S);
        if (list_is_empty(&subchannel->connections))
                set_failed(subchannel);
        else
                channel_stir(subchannel->channel);
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
        struct client_connection *connection;
        int r;

        subchannel->socket_connects = false;
        if (!subchannel->is_trying) { /* it was given up */
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
        r = client_connection_open(subchannel, result, &connection);
        if (r < 0) {
                close(result);
                fail_with_errno(subchannel, "connection", r);
                return;
        }
        set_opening(subchannel, connection);
}

static void begin_attempt(struct subchannel *subchannel)
{
        struct ring *ring = ring_of(subchannel);
        const quoit_client_limits *limits = &subchannel->channel->client->limits;
        bool asks =
                limits->keepalive_ms != UINT32_MAX && limits->keepalive_timeout_ms != UINT32_MAX;
        int r;

        assert(!subchannel->is_trying && !subchannel->socket_connects);
        subchannel->is_trying = true;
        r = connector_start(&subchannel->connector, ring, &subchannel->address.any,
                subchannel->address.bytes,
                clock_after_limit_ns(ring_now_ns(ring), limits->connect_ms),
                asks ? limits->keepalive_timeout_ms : 0, on_connected);
        if (r < 0)
                fail_with_errno(subchannel, "socket", r);
        else
                subchannel->socket_connects = true;
}

void subchannel_connect(struct subchannel *subchannel)
{
        assert(list_is_empty(&subchannel->connections));
        subchannel_set_state(subchannel, SUBCHANNEL_CONNECTING);
        begin_attempt(subchannel);
}

void subchannel_connect_more(struct subchannel *subchannel)
{
        assert(subchannel->state == SUBCHANNEL_READY);
        begin_attempt(subchannel);
}

static void give_attempt_up(struct subchannel *subchannel)
{
        struct client_connection *opening = subchannel->opening;

        if (opening) {
                set_opening(subchannel, NULL);
                client_connection_leave(opening);
        }
        if (subchannel->is_trying && subchannel->socket_connects)
                connector_cancel(&subchannel->connector);
        subchannel->is_trying = false;
}

/* ---- its connections ---- */

struct client_connection *subchannel_oldest(const struct subchannel *subchannel)
{
        return subchannel->count == 0 ? NULL
                                      : CONTAINER_OF(subchannel->connections.next,
                                                struct client_connection, sibling);
}

/* It has none any more; calls that waited for room there wait in the channel. */
static void let_go(struct subchannel *subchannel)
{
        health_check_end(subchannel);
        feed_end(&subchannel->load_reports);
        give_attempt_up(subchannel);
        timer_cancel(&ring_of(subchannel)->timers, &subchannel->spare_look);
        channel_take_back(subchannel->channel, &subchannel->waiting);
}

/* The oldest one has a health check and a stream of load reports, which begin anew on the next. */
static void pass_check_on(struct subchannel *subchannel)
{
        health_check_end(subchannel);
        health_check_begin(subchannel);
        load_reports_restart(subchannel);
        if (subchannel->check.health != HEALTH_UNWATCHED)
                balancer_on_state(subchannel);
}

/* It is none of them any more. */
static void take_out(struct subchannel *subchannel, struct client_connection *connection)
{
        bool was_oldest = connection == subchannel_oldest(subchannel);

        list_remove(&connection->sibling);
        subchannel->count--;
        record_connections(subchannel);
        if (subchannel->count == 0)
                let_go(subchannel);
        else if (was_oldest)
                pass_check_on(subchannel);
}

void subchannel_drop(struct subchannel *subchannel, struct client_connection *connection)
{
        assert(subchannel->count > 1);
        take_out(subchannel, connection);
        client_connection_leave(connection);
}

void subchannel_abandon(struct subchannel *subchannel)
{
        struct list *link;

        while ((link = list_pop(&subchannel->connections)))
                client_connection_leave(CONTAINER_OF(link, struct client_connection, sibling));
        subchannel->count = 0;
        record_connections(subchannel);
        let_go(subchannel);
        timer_cancel(&ring_of(subchannel)->timers, &subchannel->retry);
        if (subchannel->state != SUBCHANNEL_IDLE)
                subchannel_set_state(subchannel, SUBCHANNEL_IDLE);
}

void subchannel_rest(struct subchannel *subchannel)
{
        subchannel_abandon(subchannel);
        subchannel->has_failed = false;
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

bool subchannel_has_room(const struct subchannel *subchannel)
{
        return scaling_room(subchannel);
}

/* ---- from its connections ---- */

static void count_handshake(
        struct subchannel *subchannel, const struct client_connection *connection)
{
        struct handshake_counts *counts = &subchannel->channel->handshake_counts;
        const quoit_peer_tls *tls = connection->connection.peer.tls;

        if (tls)
                counter_add(&counts->all, 1);
        if (tls && tls->resumed)
                counter_add(&counts->resumed, 1);
}

static void add(struct subchannel *subchannel, struct client_connection *connection)
{
        connection->ready_ns = ring_now_ns(ring_of(subchannel));
        list_append(&subchannel->connections, &connection->sibling);
        subchannel->count++;
        set_opening(subchannel, NULL);
        subchannel->is_trying = false;
        subchannel->why[0] = '\0';
        count_handshake(subchannel, connection);
        scaling_on_ready(subchannel);
}

void subchannel_on_ready(struct subchannel *subchannel, struct client_connection *connection)
{
        bool is_new = connection == subchannel->opening;

        if (is_new)
                add(subchannel, connection);
        if (subchannel->state == SUBCHANNEL_READY) { /* there may be room for more calls */
                channel_stir(subchannel->channel);
                return;
        }
        subchannel_set_state(subchannel, SUBCHANNEL_READY);
        note_subchannel(subchannel, subchannel->has_failed ? QUOIT_LOG_INFO : QUOIT_LOG_DEBUG,
                "connected%s", subchannel->has_failed ? " again" : "");
        subchannel->has_failed = false;
        load_weight_reset(&subchannel->weight);
        health_check_begin(subchannel);
        load_reports_begin(subchannel);
        balancer_on_state(subchannel);
}

static bool is_useless(
        const struct subchannel *subchannel, const struct client_connection *connection)
{
        uint64_t lived_ns = ring_now_ns(ring_of(subchannel)) - connection->ready_ns;

        return !connection->has_served && lived_ns < GOOD_NS;
}

/*
 * Whether there is to be a pause, as many in a row were of no use: a server that accepts and says farewell would be asked without one,
 * for ever. @is_by_us: we have ended it, as nobody called (idle_ms); that says nothing about the server.
 */
static bool count_use(
        struct subchannel *subchannel, const struct client_connection *connection, bool is_by_us)
{
        if (is_by_us || !is_useless(subchannel, connection)) {
                subchannel->useless_count = 0;
                backoff_reset(&subchannel->backoff);
        } else if (subchannel->useless_count == USELESS_MAX) {
                return true;
        } else {
                subchannel->useless_count++;
        }
        return false;
}

/* The last one. The next may follow at once: no call fails because a server's connections are short. */
static void on_last_lost(struct subchannel *subchannel)
{
        if (timer_is_running(&subchannel->retry)) { /* an attempt for one more has failed */
                set_failed(subchannel);
                return;
        }
        subchannel_set_state(subchannel, SUBCHANNEL_IDLE);
        addresses_doubt(subchannel->channel);
        balancer_on_state(subchannel);
}

/* A connection has ended, or ends; @is_by_us as in count_use(). */
static void end_connection(
        struct subchannel *subchannel, struct client_connection *connection, bool is_by_us)
{
        bool has_failed = connection == subchannel->opening;
        bool is_news = set_why(subchannel, "%.*s", SUBCHANNEL_WHY_BYTES - 1, connection->why);

        if (has_failed)
                set_opening(subchannel, NULL);
        else
                take_out(subchannel, connection);
        if (has_failed || (count_use(subchannel, connection, is_by_us) && !subchannel->is_trying)) {
                fail(subchannel, is_news);
                return;
        }
        note_subchannel(subchannel, connection->level, "the connection ends: %s", subchannel->why);
        if (subchannel->count == 0)
                on_last_lost(subchannel);
        else
                addresses_doubt(subchannel->channel);
}

void subchannel_on_leaving(struct subchannel *subchannel, struct client_connection *connection)
{
        bool is_by_us = connection->connection.drained_ns > 0; /* before it drains for this */

        client_connection_leave(connection);
        end_connection(subchannel, connection, is_by_us);
}

void subchannel_on_lost(struct subchannel *subchannel, struct client_connection *connection)
{
        end_connection(subchannel, connection, connection->connection.drained_ns > 0);
}
