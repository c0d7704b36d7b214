/* SPDX-License-Identifier: MIT */
#include "link/tunnel.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "link/connection.h"
#include "link/owner.h"

static void tunnel_set_state(struct tunnel *tunnel, enum tunnel_state state)
{
        /* forwards only; a proxy can answer what it was not asked */
        assert(state > tunnel->state);
        tunnel->state = state;
}

int tunnel_new(struct connection *connection, const char *request, size_t answer_bytes_max)
{
        size_t size = strlen(request);
        struct tunnel *tunnel = malloc(sizeof(*tunnel) + size + 1);

        if (!tunnel)
                return -ENOMEM;
        tunnel->state = TUNNEL_NEW;
        tunnel->is_sending = false;
        connect_answer_init(&tunnel->answer, answer_bytes_max);
        memcpy(tunnel->request, request, size + 1);
        connection->tunnel = tunnel;
        return 0;
}

void tunnel_free(struct connection *connection)
{
        assert(!connection->tunnel || !connection->tunnel->is_sending);
        free(connection->tunnel);
        connection->tunnel = NULL;
}

/* ---- in ---- */

static int complain(const struct connection *connection, int error)
{
        char text[CONNECT_ANSWER_LINE_BYTES + 1];

        connect_answer_text(&connection->tunnel->answer, text);
        switch (error) {
        case -ECONNREFUSED:
                connection->owner->complain(connection, "the proxy refuses CONNECT: \"%s\"", text);
                break;
        case -EMSGSIZE:
                connection->owner->complain(connection,
                        "the proxy's answer to CONNECT is too long (proxy_answer_bytes_max): "
                        "\"%s\"",
                        text);
                break;
        default:
                connection->owner->complain(
                        connection, "the proxy does not speak HTTP/1.1: it answers \"%s\"", text);
        }
        return error;
}

int tunnel_feed(struct connection *connection, const uint8_t *data, size_t size, size_t *ret_used)
{
        struct tunnel *tunnel = connection->tunnel;
        int r = connect_answer_feed(&tunnel->answer, data, size, ret_used);

        if (r < 0)
                return complain(connection, r);
        if (r > 0)
                tunnel_set_state(tunnel, TUNNEL_OPEN);
        return 0;
}

void tunnel_on_end(const struct connection *connection, int error)
{
        connection->owner->complain(connection,
                "the proxy closed the connection before it had answered CONNECT%s%s",
                error < 0 ? ": " : "", error < 0 ? strerrordesc_np(-error) : "");
}

/* ---- out ---- */

void tunnel_flush(struct connection *connection)
{
        struct tunnel *tunnel = connection->tunnel;

        if (tunnel->state != TUNNEL_NEW)
                return;
        tunnel_set_state(tunnel, TUNNEL_ASKED);
        tunnel->is_sending = true;
        tunnel->iovec = (struct iovec){ tunnel->request, strlen(tunnel->request) };
        connection->send_started_ns = ring_now_ns(connection_ring(connection));
        socket_send(&connection->socket, &tunnel->iovec, 1, false);
}
