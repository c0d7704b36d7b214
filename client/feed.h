/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A call without an end by which a connection's server tells something about itself: each connection has its own. It begins again when
 * it has ended: at once where it has answered (A17), else after a pause; not at all where the server does not know the method. It counts
 * as no call: while there are no others the channel rests.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/status.h>

#include "client/backoff.h"
#include "core/timer.h"

struct channel;
struct quoit_error;
struct quoit_method;
struct quoit_outcall;
struct subchannel;
struct upb_Arena;
struct upb_Message;
struct feed;

/* What is told, and who listens. None of its functions may end the feed. */
struct feed_kind {
        const struct quoit_method *method; /* that streams replies */
        /* In @arena. NULL: no memory. */
        struct upb_Message *(*make_request)(struct feed *feed, struct upb_Arena *arena);
        void (*on_begun)(struct feed *feed); /* can be NULL */
        /* One of the two: a message, or its bytes. */
        void (*on_message)(struct feed *feed, const struct upb_Message *message);
        void (*on_bytes)(struct feed *feed, const void *data, size_t size);
        void (*on_unknown)(struct feed *feed); /* there will be no answer. Can be NULL */
        /* It has ended with @error, NULL: no memory, and begins again. Can be NULL */
        void (*on_ended)(struct feed *feed, const struct quoit_error *error);
};

/* Zeroed, but for its timer, while there is none. */
struct feed {
        const struct feed_kind *kind;
        struct subchannel *subchannel;
        struct quoit_outcall *call; /* NULL: it has not begun, or is between two calls */
        bool has_answered; /* @call has */
        uint64_t began_ns; /* @call has */
        unsigned brief_count; /* calls in a row that have answered, and ended soon */
        struct backoff backoff;
        struct timer retry;
};

/* The connection of @subchannel is READY: the call follows, later. */
void feed_begin(struct feed *feed, const struct feed_kind *kind, struct subchannel *subchannel);

/* Its connection takes no more calls, or it is not wanted. No-op if it has not begun. Nothing is told any more. */
void feed_end(struct feed *feed);

/* The channel rests, or ends. */
void feed_rest(struct channel *channel);
