/* SPDX-License-Identifier: MIT */
#pragma once

/* A client's part with a ring and a thread of its own, named "client" and a number. */

#include "client/client.h"

/* Starts it and waits until it runs. 0 or a negative errno. */
int client_thread_start(struct quoit_client *client, enum ring_engine engine, unsigned number);

/* Shuts @count parts down, all at once, and waits for their threads. No-op for parts on other rings. Any thread but theirs. */
void client_threads_stop(struct quoit_client *clients, unsigned count);
