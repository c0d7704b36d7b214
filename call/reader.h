/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The receiving half of a call: DATA becomes messages, messages wait for the handler, and the
 * stream's window opens as they are taken.
 *
 * How memory is bounded: what belongs to the message in progress is given back to the window at once,
 * the message limit bounds it, and all of its length counts from its first byte; while a whole message
 * waits, nothing is given back, so at most a
 * window's worth comes on top. The group's `connection_receive_bytes_max` bounds all calls of a peer, and
 * counts what a message costs here, not only its bytes: tiny ones are cheap to send.
 *
 * Messages that come one after the other share an arena, a batch; it goes with the last of them.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/compression.h>

#include "codec/framing.h"

struct exchange;

struct reader_batch;

/* A whole message. It lies in its batch's arena, or in the call's if it is the only one. */
struct reader_message {
        struct reader_message *next;
        struct reader_batch *batch;
        const uint8_t *data;
        size_t size;
        quoit_compression compression; /* what the data is in */
};

struct reader {
        struct framing framing;
        struct reader_batch *batch;   /* of the message in progress, where many may come */
        struct reader_message *first; /* whole ones that wait */
        struct reader_message *last;
        size_t held_bytes; /* counted in the group */
        uint64_t message_bytes; /* of complete messages so far, as they travel */
        uint32_t messages; /* complete ones so far */
        quoit_compression
                compression; /* of the messages that are flagged so; identity: none may be */
};

/* The call is over: drops what waits and what is in progress. */
void reader_drop(struct exchange *exchange);

/* The same, and nothing is held any more. */
void reader_deinit(struct exchange *exchange);

/*
 * DATA of @exchange. 0 or what is wrong with it: -EMSGSIZE over the message's limit, -ENOBUFS over the
 * connection's, -ENOSPC over what the ring has left, -EPROTO a bad flag, -ENOTSUP compressed without a grpc-encoding, -ENOMEM.
 */
int reader_feed(struct exchange *exchange, const uint8_t *data, size_t size);

/*
 * What the only message of a call became, decompressed and parsed into the call's arena, counts as long as the call.
 * Nothing where many may come: there it lives as long as the handler looks at it.
 */
void reader_hold_parsed(struct exchange *exchange, size_t bytes);

/* The call's arena is gone, and with it what counted as long as that. */
void reader_release(struct exchange *exchange);

/* The next whole message, the caller's to free, on the ring; NULL when there is none or no credit for it. */
struct reader_message *reader_take(struct exchange *exchange);
void reader_message_free(struct reader_message *message);
