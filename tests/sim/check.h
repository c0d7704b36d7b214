/* SPDX-License-Identifier: MIT */
#pragma once

/* What must hold after each turn, whatever has happened. sim_fail()s if it does not. */

struct connection;
struct quoit_server;
struct sim_conn;

void check_server(const struct quoit_server *server);

/* How the server is, for people. */
void check_print(const struct quoit_server *server);

/* The server's end of @conn; NULL: there is none, or it is on its way out. */
const struct connection *check_connection_of(
        const struct quoit_server *server, const struct sim_conn *conn);
