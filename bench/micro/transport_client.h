/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client of sayHello, in memory. A real one (nghttp2) talks to the server until nothing new comes
 * up in either HPACK table, and checks every answer. From then on each batch of requests is, but for
 * the stream ids, the same bytes: those are replayed, so that the client costs the measurement next
 * to nothing.
 */

#include <stddef.h>
#include <stdint.h>

#define CLIENT_BATCH_MAX 100

/* The server's side: what a turn of its connection does. */
struct server_ops {
        void *(*open)(void);
        /*
         * Takes the bytes that arrived and answers them. Returns the answer's size; output() has its bytes until the next turn.
         */
        size_t (*turn)(void *server, const uint8_t *data, size_t size);
        const uint8_t *(*output)(void *server);
        void (*close)(void *server);
};

extern const struct server_ops quoit_server_ops;
extern const struct server_ops bare_server_ops;

struct client;

/* Opens a connection to a new server, and makes it steady. Wrong answers are fatal. */
struct client *client_open(const struct server_ops *ops, unsigned batch);

/* One batch of requests, replayed. That its answer has the right size is asserted. */
void client_replay(struct client *client);

void client_close(struct client *client);
