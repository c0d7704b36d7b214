/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client at the other end of a simulated connection: nghttp2's session, driven by chance. Some peers keep to the protocol, and
 * their answers are checked to the byte; others do what a client must not do.
 */

#include <stdbool.h>
#include <stdint.h>

struct connection;
struct peer_end;
struct quoit_call;
struct sim_conn;

/* NULL: the listener is closed. @is_secure: it speaks TLS. */
struct peer_end *peer_new(int listener_fd, bool is_good, bool is_secure);
void peer_free(struct peer_end *peer);

/* When it has something to do. */
uint64_t peer_due_ns(const struct peer_end *peer);
void peer_step(struct peer_end *peer);

/* A handler begins with @call, which may be one of a peer's. */
void peer_note_served(const struct quoit_call *call);

/* The phase of faults is over: it finishes its calls, begins none, and breaks nothing. */
void peer_calm(struct peer_end *peer);

/* One that comes when all faults are over, with calls that are answered at once. */
struct peer_end *peer_new_late(int listener_fd, bool is_secure);

/* All calls of such a one have ended; or its connection has. */
bool peer_is_answered(const struct peer_end *peer);

/* The first one has a status, and so have the others, unless they came before the server's limit of streams was known. */
void peer_check_answered(const struct peer_end *peer);

/* All its calls that end by themselves have ended. */
bool peer_is_served(const struct peer_end *peer);

/* Prints what it still waits for, for people. */
void peer_print(const struct peer_end *peer);

/* Its connection is whole, it has nothing under way, and neither has the network. */
bool peer_is_idle(const struct peer_end *peer);

/* Both ends agree on how much each may send: @connection is the server's. */
void peer_check_windows(const struct peer_end *peer, const struct connection *connection);

const struct sim_conn *peer_conn(const struct peer_end *peer);
