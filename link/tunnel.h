/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client's connection by way of an HTTP proxy: its first bytes each way, before those of TLS and HTTP/2, which wait until the proxy has
 * opened the tunnel. The time for that is part of the handshake's (`handshake_ms`). On the ring's thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "transport/connect_answer.h"

struct connection;

enum tunnel_state {
        TUNNEL_NEW, /* the request is to be sent */
        TUNNEL_ASKED, /* it was, or is being */
        TUNNEL_OPEN,
};

struct tunnel {
        enum tunnel_state state;
        bool is_sending; /* the socket has `iovec` */
        struct connect_answer answer;
        struct iovec iovec;
        char request[];
};

/* @connection begins with @request, a header block of CONNECT (copied), whose answer may take @answer_bytes_max. 0 or -ENOMEM. */
int tunnel_new(struct connection *connection, const char *request, size_t answer_bytes_max);

/* Frees it, if there is one. It is not sending. */
void tunnel_free(struct connection *connection);

/* Whether the connection's own bytes still wait for the proxy. Takes NULL. */
static inline bool tunnel_is_closed(const struct tunnel *tunnel)
{
        return tunnel && tunnel->state != TUNNEL_OPEN;
}

/*
 * The proxy has sent @size bytes; *@ret_used of them were for the tunnel, which may be open now. 0; a negative errno: the owner has heard
 * why, and the connection is to be closed.
 */
int tunnel_feed(struct connection *connection, const uint8_t *data, size_t size, size_t *ret_used);

/* The proxy sends no more, because of @error if that is not 0: the owner hears of it. */
void tunnel_on_end(const struct connection *connection, int error);

/* Sends what it has to send. The socket is open, and not sending. */
void tunnel_flush(struct connection *connection);
