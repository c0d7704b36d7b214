/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client on a blocking socket that makes unary calls, so many at once, and asserts that each was
 * answered with what it should be.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp2/nghttp2.h>

struct caller {
        nghttp2_session *h2;
        int fd;
        unsigned open; /* calls that are not answered */
        unsigned pause_us; /* before each batch of calls: as from afar */
        const char *path; /* of the calls in progress: */
        const char *
                encoding; /* of the request's message, and what is taken; NULL: nothing is said of it */
        const uint8_t *request; /* one message with its prefix */
        size_t request_size;
        const uint8_t *reply; /* what comes back, with its prefix */
        size_t reply_size;
        uint8_t *out; /* gathers what goes out in one write */
        size_t out_size, out_room;
        uint8_t *in;
};

void caller_init(struct caller *caller, uint16_t port);
void caller_deinit(struct caller *caller);

/* What is called from here on; all of it is the caller's to keep. */
void caller_set(struct caller *caller, const char *path, const uint8_t *request,
        size_t request_size, const uint8_t *reply, size_t reply_size);

/* @count calls, @depth of them at a time: sent by one write, then awaited. */
void caller_call(struct caller *caller, unsigned count, unsigned depth);

/* How many TCP segments with data in them have come. */
uint64_t caller_segments(const struct caller *caller);
