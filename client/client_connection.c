/* SPDX-License-Identifier: MIT */
#include "client/client_connection.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client/channel.h"
#include "client/client.h"
#include "client/handle.h"
#include "client/outcall.h"
#include "client/outcall_stream.h"
#include "client/subchannel.h"
#include "link/owner.h"
#include "transport/tls_client_config.h"

static struct client_connection *of_link(const struct connection *connection)
{
        return CONTAINER_OF(connection, struct client_connection, connection);
}

void client_connection_note_why(
        struct client_connection *connection, quoit_log_level level, const char *format, ...)
{
        va_list arguments;

        if (connection->why[0])
                return;
        connection->level = level;
        va_start(arguments, format);
        vsnprintf(connection->why, sizeof(connection->why), format, arguments);
        va_end(arguments);
}

/* ---- what link/ calls ---- */

static void give_up(struct exchange *exchange, const char *why)
{
        outcall_fail(outcall_of(exchange), QUOIT_RESOURCE_EXHAUSTED, why);
}

/* What came in place of HTTP/2, as far as a person can read it. */
static bool on_bad_preface(struct connection *connection, bool whole)
{
        const struct session *session = &connection->session;
        char text[SESSION_BEGINNING_BYTES + 1];
        size_t size = 0;

        (void)whole;
        while (size < session->beginning_size && session->beginning[size] >= ' ' &&
                session->beginning[size] <= '~') {
                text[size] = (char)session->beginning[size];
                size++;
        }
        text[size] = '\0';
        client_connection_note_why(of_link(connection), QUOIT_LOG_WARNING,
                size > 0 ? "the server does not speak HTTP/2: it answers \"%s\""
                         : "the server does not speak HTTP/2%s",
                text);
        return true;
}

static void complain(const struct connection *connection, const char *format, ...)
{
        struct client_connection *ours = of_link(connection);
        char text[CLIENT_CONNECTION_WHY_BYTES];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        client_connection_note_why(ours, QUOIT_LOG_INFO, "%s", text);
}

static void on_closed(struct connection *link)
{
        struct client_connection *connection = of_link(link);
        struct subchannel *subchannel = connection->subchannel;

        census_remove(&connection->client->census, &connection->census);
        list_remove(&connection->noted);
        if (link->error < 0)
                client_connection_note_why(
                        connection, QUOIT_LOG_INFO, "%s", strerror(-link->error));
        if (link->secure && !link->peer.tls)
                client_connection_note_why(connection, QUOIT_LOG_INFO,
                        "the server closed the connection within the TLS handshake; "
                        "perhaps it does not speak TLS");
        if (subchannel && link->drained_ns > 0) /* not by the subchannel */
                client_connection_note_why(
                        connection, QUOIT_LOG_DEBUG, "it had no calls for long (idle_ms)");
        client_connection_note_why(connection, QUOIT_LOG_INFO, "the server closed the connection");
        connection->subchannel = NULL;
        if (subchannel)
                subchannel_on_lost(subchannel, connection);
}

static void on_freed(struct connection *link)
{
        struct client_connection *connection = of_link(link);

        connection->client->connection_count--;
        slab_free(&connection->client->connections.slab, connection);
}

static const struct link_owner owner = {
        .events = &outcall_stream_events,
        .run_call = outcall_run,
        .give_up = give_up,
        .answer_bad_preface = on_bad_preface,
        .complain = complain,
        .on_closed = on_closed,
        .on_freed = on_freed,
};

/* ---- life ---- */

/* For TLS. 0 or a negative errno. */
static int start_handshakers(struct client *client)
{
        return client->handshakers.thread_count > 0
                       ? 0
                       : workers_start(&client->handshakers, 1, "handshake");
}

static int open_connection(
        struct client_connection *connection, const struct subchannel *subchannel, int fd)
{
        struct client *client = connection->client;
        const struct channel *channel = subchannel->channel;
        struct tls_context *tls = channel->tls ? tls_client_config_context(channel->tls) : NULL;
        const struct connection_options options = {
                .role = SESSION_CLIENT,
                .fd = fd,
                .peer = &subchannel->address,
                .keepalive_ms = channel->keepalive_ms,
                .client_tls = tls,
                .server_name = channel->server_name,
                .proxy_request = subchannel->is_fallback ? NULL : channel->proxy_request,
                .proxy_answer_bytes_max = client->limits.proxy_answer_bytes_max,
                .handshakers = &client->handshakers,
                .turn = &connection->turn,
                .host = client->host,
        };
        int r = tls ? start_handshakers(client) : 0;

        if (r == 0)
                r = connection_open(&connection->connection, client->base, &owner, &options);
        tls_context_unref(tls);
        return r;
}

static void join_census(struct client_connection *connection)
{
        struct client *client = connection->client;

        connection->census = (struct census_entry){
                .id = registry_draw(&client->handle->registry),
                .connection = &connection->connection,
        };
        census_add(&client->census, &connection->census);
}

int client_connection_open(
        struct subchannel *subchannel, int fd, struct client_connection **ret_connection)
{
        struct client *client = subchannel->channel->client;
        struct client_connection *connection = slab_alloc(&client->connections.slab);
        int r;

        if (!connection)
                return -ENOMEM;
        connection->client = client;
        connection->subchannel = subchannel;
        connection->turn = (struct turn){ 0 };
        list_init(&connection->noted);
        list_init(&connection->sibling);
        connection->is_ready = connection->is_leaving = connection->has_served = false;
        connection->level = QUOIT_LOG_INFO;
        connection->why[0] = '\0';
        r = open_connection(connection, subchannel, fd);
        if (r < 0) {
                slab_free(&client->connections.slab, connection);
                return r;
        }
        join_census(connection);
        client->connection_count++;
        *ret_connection = connection;
        return 0;
}

void client_connection_leave(struct client_connection *connection)
{
        connection->subchannel = NULL;
        connection_drain(&connection->connection);
}

void client_connection_note(struct client_connection *connection)
{
        if (!connection->subchannel || !list_is_empty(&connection->noted))
                return;
        list_append(&connection->client->noted, &connection->noted);
        client_stir(connection->client);
}

void client_connection_tell(struct client_connection *connection)
{
        if (!connection->subchannel)
                return;
        if (connection->is_leaving)
                subchannel_on_leaving(connection->subchannel, connection);
        else if (connection->is_ready)
                subchannel_on_ready(connection->subchannel, connection);
}
