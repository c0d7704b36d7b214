/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The time limits of a connection: for its handshake, for reading what waits, for a sign of life, for the last bytes before
 * a close, and for its age and idle time. One timer serves them all, one at a time. A connection over its time is closed or
 * drained.
 */

#include <stdint.h>

struct connection;

/* The connection is open: the time for its handshake begins. @keepalive_ms: as in connection_options. After that the other limits apply. */
void watch_begin(struct connection *connection, uint32_t keepalive_ms);

/*
 * Bytes have arrived and were fed. Too many PINGs, resets or useless frames end the connection. If the peer has acknowledged
 * the drain, requests that it has sent already get a little time.
 */
void watch_heard(struct connection *connection);

/* The first GOAWAY is being sent. The second one follows the peer's answer, or comes when there was none in time. */
void watch_drain(struct connection *connection);

/* Input is ignored from now on; what is queued has a limited time to be sent. */
void watch_last_words(struct connection *connection);

/* All was sent; the peer has a limited time to close. */
void watch_linger(struct connection *connection);

/* The connection is closed. */
void watch_end(struct connection *connection);
