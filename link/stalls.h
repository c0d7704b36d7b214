/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Peers that leave what is sent to them: their TCP takes nothing, or their HTTP/2 opens windows not at all or byte by byte. What
 * waits for them is our memory.
 */

#include <stdbool.h>
#include <stdint.h>

struct connection;

/*
 * Looks at a connection past its handshake. True: it is to be closed. Else single calls may have been given up, and
 * *@ret_due_ns is brought forward to when to look again.
 */
bool stalls_look(struct connection *connection, uint64_t now_ns, uint64_t *ret_due_ns);
