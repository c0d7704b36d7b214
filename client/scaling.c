/* SPDX-License-Identifier: MIT */
#include "client/scaling.h"

#include "client/balancer.h"
#include "client/channel.h"
#include "client/channel_config.h"
#include "client/client.h"
#include "client/client_connection.h"
#include "client/note.h"
#include "client/outcall.h"
#include "core/clock.h"

static struct client_connection *of_sibling(struct list *link)
{
        return CONTAINER_OF(link, struct client_connection, sibling);
}

/* ---- room ---- */

/* It is not about to end. */
static bool takes_calls(const struct client_connection *connection)
{
        return !connection->is_leaving && connection->connection.state == CONNECTION_OPEN &&
               session_takes_requests(&connection->connection.session);
}

static bool has_room(const struct client_connection *connection)
{
        return takes_calls(connection) && session_streams_left(&connection->connection.session) > 0;
}

struct client_connection *scaling_room(const struct subchannel *subchannel)
{
        const struct list *all = &subchannel->connections;

        for (struct list *link = all->next; link != all; link = link->next) {
                if (has_room(of_sibling(link)))
                        return of_sibling(link);
        }
        return NULL;
}

/* ---- more ---- */

unsigned scaling_max(const struct channel *channel)
{
        const struct service_config *config = channel_config(channel);

        if (channel->connections_max > 0)
                return channel->connections_max;
        return config && config->connections_max > 0 ? config->connections_max : 1;
}

static bool can_grow(const struct subchannel *subchannel)
{
        return subchannel->count < scaling_max(subchannel->channel) &&
               !timer_is_running(&subchannel->retry);
}

bool scaling_is_full(const struct subchannel *subchannel)
{
        const struct list *all = &subchannel->connections;

        if (subchannel->state != SUBCHANNEL_READY || subchannel->is_trying || can_grow(subchannel))
                return false;
        for (struct list *link = all->next; link != all; link = link->next) {
                if (!takes_calls(of_sibling(link)) || has_room(of_sibling(link)))
                        return false;
        }
        return true;
}

bool scaling_channel_is_full(const struct channel *channel)
{
        const struct tier *tier = channel->tier;
        bool any = false;

        for (unsigned i = 0; i < tier->count; i++) {
                const struct subchannel *subchannel = tier->subchannels[i];

                if (subchannel_state_seen(subchannel) != SUBCHANNEL_READY)
                        continue;
                if (!scaling_is_full(subchannel))
                        return false;
                any = true;
        }
        return any;
}

/* Whether calls wait that could go there. */
static bool is_wanted(const struct subchannel *subchannel)
{
        const struct channel *channel = subchannel->channel;

        if (channel->balancing.policy->is_by_call)
                return !list_is_empty(&subchannel->waiting);
        return subchannel->tier == channel->tier && !list_is_empty(&channel->queue);
}

/* ---- room that calls without an end have ---- */

static unsigned is_open(const struct feed *feed)
{
        return feed->call && feed->call->state == OUTCALL_OPEN;
}

/* Its connections have no other calls than feeds, so no end of a call will make room. */
static bool has_only_feeds(const struct subchannel *subchannel)
{
        const struct list *all = &subchannel->connections;
        unsigned feeds = is_open(&subchannel->check.watch) + is_open(&subchannel->load_reports);
        uint32_t calls = 0;

        for (struct list *link = all->next; link != all; link = link->next)
                calls += of_sibling(link)->connection.group.count;
        return feeds > 0 && calls == feeds;
}

/* The one that is needed less ends; it begins again with the next connection. */
static void take_room(struct subchannel *subchannel)
{
        bool has_reports = is_open(&subchannel->load_reports);

        note_subchannel(subchannel, QUOIT_LOG_WARNING,
                "its %s ends, as calls wait: the server allows as few streams as that took "
                "(connections_max can help)",
                has_reports ? "stream of load reports" : "health check");
        if (has_reports)
                feed_end(&subchannel->load_reports);
        else
                health_check_end(subchannel);
}

/* ---- a round ---- */

void scaling_grow(struct channel *channel)
{
        if (counter_read(&channel->queued) == 0)
                return;
        for (unsigned i = 0; i < channel->count; i++) {
                struct subchannel *subchannel = channel->subchannels[i];

                if (subchannel_state_seen(subchannel) != SUBCHANNEL_READY ||
                        !is_wanted(subchannel) || subchannel->is_trying ||
                        subchannel_is_busy(subchannel) || scaling_room(subchannel))
                        continue;
                if (can_grow(subchannel))
                        subchannel_connect_more(subchannel);
                else if (scaling_is_full(subchannel) && has_only_feeds(subchannel))
                        take_room(subchannel);
        }
}

/* ---- less ---- */

static void on_spare_look(struct timer *timer);

/* When @connection has had no calls for long enough. One that has some: when it could have. */
static uint64_t spare_due_ns(const struct client_connection *connection, uint64_t now_ns)
{
        const struct connection *link = &connection->connection;

        return clock_after_limit_ns(link->group.count > 0 ? now_ns : link->idle_ns,
                connection->client->limits.connection_spare_ms);
}

/* Closes those that are not needed, but for the oldest, and plans the next look. */
static void look(struct subchannel *subchannel)
{
        struct ring *ring = channel_ring(subchannel->channel);
        uint64_t now_ns = ring_now_ns(ring), next_ns = UINT64_MAX;
        struct list *link = subchannel->connections.next->next, *next;

        for (; link != &subchannel->connections; link = next) {
                uint64_t due_ns = spare_due_ns(of_sibling(link), now_ns);

                next = link->next;
                if (due_ns <= now_ns)
                        subchannel_drop(subchannel, of_sibling(link));
                else if (due_ns < next_ns)
                        next_ns = due_ns;
        }
        if (next_ns != UINT64_MAX)
                timer_start(&ring->timers, &subchannel->spare_look, next_ns, on_spare_look);
}

static void on_spare_look(struct timer *timer)
{
        struct subchannel *subchannel = CONTAINER_OF(timer, struct subchannel, spare_look);

        if (subchannel->count > 1)
                look(subchannel);
}

void scaling_on_ready(struct subchannel *subchannel)
{
        if (subchannel->count > 1 && !timer_is_running(&subchannel->spare_look))
                look(subchannel);
}
