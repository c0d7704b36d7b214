/* SPDX-License-Identifier: MIT */
#pragma once

/* The invariants after each turn. sim_fail()s if one does not hold. */

struct connection;
struct quoit_server;
struct sim_conn;

void check_server(const struct quoit_server *server);

/* Prints the server's state, for people. */
void check_print(const struct quoit_server *server);

/* The server's end of @conn; NULL: there is none, or it is closing. */
const struct connection *check_connection_of(
        const struct quoit_server *server, const struct sim_conn *conn);
