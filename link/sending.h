/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The way out of a connection: from what its session has to say, through TLS where that is spoken, to one gathered send a
 * turn. One send is on its way at a time; what comes meanwhile waits in the session.
 */

struct connection;
struct deferred;
struct socket;

/* There is, or may be, something to say: at the end of the turn. No-op once the connection is past use. */
void sending_schedule(struct connection *connection);

/* Frames into the output, unless it is on its way, as far as there are some and it has room. May close the connection. */
void sending_fill(struct connection *connection);

/* The connection is closed: what was not on its way yet is dropped. */
void sending_end(struct connection *connection);

/* Puts down, for statistics, how far the windows are open. */
void sending_note_windows(struct connection *connection);

/* The connection's `flush`. */
void sending_on_turn_end(struct deferred *flush);

/* The socket's handler: a send is over. */
void sending_on_sent(struct socket *socket, int error);
