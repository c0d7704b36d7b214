/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The time that a connection is given for what its peer must do: a handshake, taking what waits for it, giving a sign of
 * life, reading our last words; and the time that it is given at all. One timer, which is about one of these at a time; what is over its time is closed, or drained.
 */

struct connection;

/* The connection is open: it has its time for the handshake, and from then on is watched for stalls. */
void watch_begin(struct connection *connection);

/*
 * Bytes have come, and were fed. PINGs and resets that come too often end the connection; if the bytes tell that the peer knows of
 * the drain, what it has on the way is given a last moment.
 */
void watch_heard(struct connection *connection);

/* The first GOAWAY is on its way: the second follows the answer to it, or comes when there was none in time. */
void watch_drain(struct connection *connection);

/* Nothing comes in any more; what is queued has a limited time to go out. */
void watch_last_words(struct connection *connection);

/* All was said; the peer has a limited time to close. */
void watch_linger(struct connection *connection);

/* The connection is closed. */
void watch_end(struct connection *connection);
