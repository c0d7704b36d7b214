/* SPDX-License-Identifier: MIT */
#pragma once

/* A client's part with a ring of its own, and with a thread for it, named "client" and a number. */

#include "client/client.h"

/* Sets its ring up, on the thread that will turn it. 0 or a negative errno. */
int client_own_begin(struct client *client, enum ring_engine engine);

/* It is over, or broken: client_end(), and frees the ring, unless that is broken. */
void client_own_end(struct client *client);

/* Starts its thread and waits until it runs. 0 or a negative errno. */
int client_thread_start(struct client *client, enum ring_engine engine, unsigned number);

/* Shuts @count parts down, all at once, and waits for their threads. Any thread but theirs. */
void client_threads_stop(struct client *clients, unsigned count);
