/* SPDX-License-Identifier: MIT */
#pragma once

/* The invariants after each turn. sim_fail()s if one does not hold. */

#include <stddef.h>
#include <stdint.h>

struct base;
struct call_host;
struct connection;
struct exchange;
struct list;
struct quoit_server;
struct ring;
struct sim_conn;

void check_server(const struct quoit_server *server);

/* What else holds for a call with a stream, between turns of @ring. */
typedef void check_exchange(const struct exchange *exchange, const struct ring *ring);

struct base_counts {
        uint64_t connections, calls; /* of these connections */
};

/* A ring, with those connections that are of @host, a server's or a client's; @check: each of their calls. */
struct base_counts check_base(
        const struct base *base, const struct call_host *host, check_exchange *check);

/* They should be the same. */
void check_same(uint64_t one, uint64_t other, const char *what);

/* How many there are in @list. */
size_t check_length(const struct list *list);

/* Prints the server's state, for people. */
void check_print(const struct quoit_server *server);

/* The server's end of @conn; NULL: there is none, or it is closing. */
const struct connection *check_connection_of(
        const struct quoit_server *server, const struct sim_conn *conn);
