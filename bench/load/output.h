/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Bytes that wait to be sent, in order: most written right here, large constant ones only referred
 * to. Grows until it holds what one turn sends, then allocates no more.
 */
struct output {
        unsigned char *bytes; /* the owned ones, one behind the other */
        size_t used;
        size_t capacity;
        struct output_piece *pieces;
        size_t piece_count;
        size_t piece_capacity;

        /* How far it was sent. */
        size_t first_piece;
        size_t first_piece_sent;
        size_t owned_sent;
};

void output_init(struct output *output);
void output_deinit(struct output *output);

/* Room for @size bytes behind all others, to be written before the next call. */
unsigned char *output_reserve(struct output *output, size_t size);

/* Puts @bytes behind all others; they must stay as they are until they were sent. */
void output_refer(struct output *output, const unsigned char *bytes, size_t size);

static inline bool output_is_empty(const struct output *output)
{
        return output->piece_count == 0;
}

/* Sends as much as the socket takes, most often all in one call. Adds what went out to *sent_bytes.
 * 0: it is empty; -EAGAIN: the rest when @fd is writable; or what ended sending. */
int output_send(struct output *output, int fd, size_t *sent_bytes);
