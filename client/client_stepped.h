/* SPDX-License-Identifier: MIT */
#pragma once

/* A client's part whose ring a foreign loop turns. All on the loop's thread, and not within a turn. */

#include "client/client.h"

/* 0 or a negative errno. */
int client_stepped_begin(struct client *client, enum ring_engine engine);

/* As quoit_client_step(). */
int client_stepped_step(struct client *client);

/* Shuts it down, and turns until it is over. */
void client_stepped_end(struct client *client);
