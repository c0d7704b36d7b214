/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A connection's output: from its session, through TLS if it has that, to one gathered send a turn. Only one send is in
 * flight; further output waits in the session.
 */

struct connection;
struct deferred;
struct socket;

/* There may be output: send at the end of the turn. No-op on a connection that lingers or is closed. */
void sending_schedule(struct connection *connection);

/*
 * Makes frames into the output, as far as it has room. No-op while a send is in flight. Closes the connection if memory is
 * short.
 */
void sending_fill(struct connection *connection);

/* The connection is closed: drops output that is not in flight. */
void sending_end(struct connection *connection);

/* Notes for statistics how far the windows are open. */
void sending_note_windows(struct connection *connection);

/* The connection's `flush`. */
void sending_on_turn_end(struct deferred *flush);

/* The socket's handler: a send is over. */
void sending_on_sent(struct socket *socket, int error);
