/* SPDX-License-Identifier: MIT */
#include "link/windows.h"

#include "link/connection.h"

static void set_windows(struct connection *connection)
{
        uint32_t stream_bytes = connection->bdp.window_bytes;
        uint32_t connection_bytes = connection->group.host->limits->connection_window_bytes;

        if (connection_bytes < stream_bytes)
                connection_bytes = stream_bytes;
        session_set_windows(&connection->session, stream_bytes, connection_bytes);
}

/* All windows of streams that nobody reads fit into what the connection may hold. */
static uint32_t window_bytes_max(const struct connection *connection)
{
        const quoit_limits *limits = connection->group.host->limits;
        uint32_t streams = connection->session.stream_count;
        size_t share = limits->connection_receive_bytes_max / (streams > 0 ? streams : 1);

        return share < limits->window_bytes_max ? (uint32_t)share : limits->window_bytes_max;
}

void windows_init(struct connection *connection)
{
        bdp_init(&connection->bdp, connection->group.host->limits->stream_window_bytes);
}

void windows_heard(struct connection *connection)
{
        const quoit_limits *limits = connection->group.host->limits;
        struct session *session = &connection->session;
        struct bdp *bdp = &connection->bdp;
        uint64_t now_ns = ring_now_ns(&connection->base->ring);
        uint32_t received_bytes = session->received_bytes;

        session->received_bytes = 0;
        if (session->http1)
                return; /* it has no windows, and no PINGs to measure with */
        if (session->round_trip_answered) {
                session->round_trip_answered = false;
                if (bdp_answered(bdp, window_bytes_max(connection), now_ns))
                        set_windows(connection);
        }
        if (bdp->window_bytes > limits->stream_window_bytes &&
                bdp->window_bytes > window_bytes_max(connection)) {
                /* there are more streams than when the windows grew */
                bdp_restart(bdp, limits->stream_window_bytes);
                set_windows(connection);
        }
        if (received_bytes > 0 && bdp_received(bdp, received_bytes) &&
                bdp->window_bytes < limits->window_bytes_max) {
                bdp_ask(bdp, now_ns);
                session_measure(session);
        }
}
