/* SPDX-License-Identifier: MIT */
#include "server/connections.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "link/owner.h"
#include "server/bad_preface.h"
#include "server/dispatch.h"
#include "server/stream_events.h"

#define COMPLAINT_BYTES 256

static void cancel_calls(struct connection *connection)
{
        connection_cancel_calls(connection, "the server is stopping");
}

static struct server_connection *of_link(struct connection *connection)
{
        return CONTAINER_OF(connection, struct server_connection, connection);
}

/* ---- what link/ calls ---- */

static enum dispatched run_call(struct exchange *exchange, bool in_line)
{
        struct shard *shard = exchange->group->host->user;

        return dispatch_call(call_of_exchange(exchange), shard->server, in_line);
}

static void give_up(struct exchange *exchange, const char *why)
{
        call_give_up(call_of_exchange(exchange), why);
}

static void complain(const struct connection *connection, const char *format, ...)
{
        struct shard *shard = shard_of_connection(connection);
        char text[COMPLAINT_BYTES];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        server_log_peer(shard->server, QUOIT_LOG_INFO, ring_now_ns(&shard->base.ring), "%s: %s",
                connection->peer.address, text);
}

static void on_closed(struct connection *connection)
{
        struct shard *shard = shard_of_connection(connection);

        census_remove(&shard->census, &of_link(connection)->census);
        admission_leave(shard, &of_link(connection)->admitted);
}

static void on_freed(struct connection *connection)
{
        slab_free(&shard_of_connection(connection)->connections.slab, of_link(connection));
}

static const struct link_owner owner = {
        .events = &stream_events,
        .run_call = run_call,
        .give_up = give_up,
        .answer_bad_preface = bad_preface_answer,
        .complain = complain,
        .on_closed = on_closed,
        .on_freed = on_freed,
};

/* ---- how they reach a shard ---- */

static void join_census(struct shard *shard, struct server_connection *member)
{
        member->census = (struct census_entry){
                .id = atomic_fetch_add(&shard->server->connection_ids, 1) + 1,
                .connection = &member->connection,
        };
        census_add(&shard->census, &member->census);
}

/* If memory is short it is closed. */
static void open_here(struct shard *shard, const struct arrival *arrival)
{
        struct server_connection *member = slab_alloc(&shard->connections.slab);
        struct connection_options options = {
                .fd = arrival->fd,
                .peer = &arrival->peer,
                .tls = arrival->listener->tls,
                .http1 = !shard->server->options.http2_only && !arrival->listener->http2_only,
                .handshakers = &shard->server->handshakers,
                .turn = admission_turn(shard->server, &arrival->admitted),
        };

        if (!member || connection_open(&member->connection, &shard->base, &owner, &options) < 0) {
                slab_free(&shard->connections.slab, member);
                (void)admission_refuse(shard, arrival, "out of memory");
                admission_leave(shard, &arrival->admitted);
                ring_refuse(&shard->base.ring, arrival->fd);
                return;
        }
        member->admitted = arrival->admitted;
        member->connection.group.listener = arrival->listener;
        join_census(shard, member);
        /* accepted while the listeners were closing, or handed over meanwhile */
        if (shard->drain_is_over)
                cancel_calls(&member->connection);
        else if (shard->drains_seen > 0)
                connection_drain(&member->connection);
}

struct handover {
        struct mail mail;
        struct shard *to;
        struct arrival arrival;
};

static void on_handover(struct mail *mail)
{
        struct handover *handover = CONTAINER_OF(mail, struct handover, mail);

        open_here(handover->to, &handover->arrival);
        call_host_look(&handover->to->base.host);
        free(handover);
}

static struct shard *least_loaded(struct quoit_server *server)
{
        struct shard *best = server->shards;

        for (unsigned i = 1; i < server->options.rings; i++) {
                struct shard *shard = server->shards + i;

                if (atomic_load_explicit(&shard->load, memory_order_relaxed) <
                        atomic_load_explicit(&best->load, memory_order_relaxed))
                        best = shard;
        }
        return best;
}

void connections_place(struct shard *from, const struct arrival *arrival)
{
        struct shard *to = least_loaded(from->server);
        struct handover *handover;

        atomic_fetch_add_explicit(&to->load, 1, memory_order_relaxed);
        if (to == from) {
                open_here(to, arrival);
                return;
        }
        handover = malloc(sizeof(*handover));
        if (!handover) {
                (void)admission_refuse(from, arrival, "out of memory");
                admission_leave(to, &arrival->admitted);
                ring_refuse(&from->base.ring, arrival->fd);
                return;
        }
        *handover = (struct handover){
                .mail.on_delivery = on_handover,
                .to = to,
                .arrival = *arrival,
        };
        ring_post(&to->base.ring, &from->base.ring, &handover->mail);
}

void connections_for_each(struct shard *shard, void (*fn)(struct connection *connection))
{
        struct list *connections = &shard->base.connections, *link, *next;

        for (link = connections->next; link != connections; link = next) {
                struct connection *connection = CONTAINER_OF(link, struct connection, link);

                next = link->next;
                if (connection->session.role == SESSION_SERVER)
                        fn(connection);
        }
}

bool connections_any(const struct shard *shard)
{
        const struct list *connections = &shard->base.connections;

        for (const struct list *link = connections->next; link != connections; link = link->next) {
                if (CONTAINER_OF(link, struct connection, link)->session.role == SESSION_SERVER)
                        return true;
        }
        return false;
}

void connections_cancel_calls(struct shard *shard)
{
        connections_for_each(shard, cancel_calls);
}
