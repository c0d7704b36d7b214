/* SPDX-License-Identifier: MIT */
#pragma once

/* A client's part whose ring the program turns. All on the thread that does, and not within a turn. It begins by client_own_begin(). */

#include "client/client.h"

/* As quoit_client_step(). */
int client_stepped_step(struct client *client);

/* As quoit_client_wait(). */
int client_stepped_wait(struct client *client, uint64_t timeout_ns);

/* Shuts it down, and turns until it is over. */
void client_stepped_end(struct client *client);
