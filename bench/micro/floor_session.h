/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The least that a server of unary calls can do with HTTP/2: it reads only frame headers and answers each request with the same
 * bytes. No HPACK, no streams, no flow
 * control on what it sends (its answers are small, and every client opens its window in time). What
 * a real server costs beyond this is HTTP/2, gRPC and its own doing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes to be sent. Grows, and keeps what it has. Zeroed memory is empty. */
struct floor_output {
        uint8_t *bytes;
        size_t size;
        size_t capacity;
};

/* One connection. Zeroed memory is a new one. */
struct floor_session {
        uint8_t header[9]; /* of a frame whose header comes in pieces */
        uint8_t header_size;
        uint8_t preface_size; /* seen of the client's preface */
        bool answered;        /* the client's HPACK table holds our fields */
        uint32_t skip;        /* payload of the last frame that has not come yet */
        uint32_t data_bytes;  /* of DATA, not given back to the connection's window */
};

/* The server's preface: to be sent first. */
void floor_session_open(struct floor_output *output);

/*
 * Takes bytes of the client and appends the answers to requests that end in them. False if this is not an HTTP/2 client.
 */
bool floor_session_feed(struct floor_session *session, const uint8_t *data, size_t size,
        struct floor_output *output);

void floor_output_deinit(struct floor_output *output);
