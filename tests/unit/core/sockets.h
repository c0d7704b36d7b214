/* SPDX-License-Identifier: MIT */
#pragma once

#include "harness.h"

#include "core/socket.h"

#define MIB ((size_t)1 << 20)

/* One end under test, and what it saw. */
struct end {
        struct socket socket;
        unsigned char *received;
        size_t received_size, received_max;
        unsigned data_calls, sent_calls, closed_calls, end_calls;
        int sent_error, end_error;
        void (*react)(struct end *end); /* in on_data, after counting */
};

/* On the heap, so that AddressSanitizer sees every touch after the end. It has room for @received_max bytes, and reads from the start. */
struct end *end_new(struct ring *ring, struct buffers *buffers, int fd, size_t received_max);
void end_free(struct end *end); /* also closes it */

void pair_unix(int fds[2]);
void pair_tcp(int fds[2]);

/* @size bytes, the same each time; the caller frees them. */
unsigned char *noise(size_t size);

struct fixture {
        struct ring ring;
        struct buffers buffers;
};

static inline void fixture_init_ring(struct fixture *fixture, const struct buffers_options *options,
        const struct ring_options *ring_options)
{
        assert_int_equal(start_ring(&fixture->ring, ring_options), 0);
        assert_int_equal(buffers_init(&fixture->buffers, &fixture->ring, options), 0);
}

static inline void fixture_init(struct fixture *fixture, const struct buffers_options *options)
{
        fixture_init_ring(fixture, options, NULL);
}

static inline void fixture_deinit(struct fixture *fixture)
{
        buffers_deinit(&fixture->buffers);
        ring_deinit(&fixture->ring);
}
