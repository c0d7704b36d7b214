/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Peers that do not read: their TCP takes nothing, or their HTTP/2 windows stay shut or open byte by byte. What waits for
 * them takes our memory. And those that begin requests and do not go on, or byte by byte: each holds a call.
 */

#include <stdbool.h>
#include <stdint.h>

struct connection;

/*
 * Looks at a connection past its handshake. True: close it. Otherwise single calls may have been given up, and *@ret_due_ns
 * is brought forward to the time of the next look.
 */
bool stalls_look(struct connection *connection, uint64_t now_ns, uint64_t *ret_due_ns);
