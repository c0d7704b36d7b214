/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The receiving half of a call: DATA becomes messages, messages wait for the handler, and the
 * stream's window opens as they are taken.
 *
 * How memory is limited. Bytes of the message in progress are given back to the window at once; the message
 * limit applies to it, and its full length counts from its first byte. While a whole message waits nothing is
 * given back, so at most the bytes of one window are added. The group's `connection_receive_bytes_max` limits
 * all calls of a peer. It counts the memory of a message, not only its bytes: tiny messages are cheap to send. So a run counts with its
 * struct once, and each of its messages with its size and its prefix, until it is taken.
 *
 * Small messages that arrive in one piece wait as they came, prefixes and all: a run, which is found by one look at their prefixes
 * and kept by one copy. Any other message is a run of its own. Runs that arrive one after the other share an arena, called a batch.
 * It is freed with the last message of them.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/compression.h>

#include "codec/framing.h"

struct exchange;

struct reader_batch;

/* A whole message. It lies in its batch's arena, or in the call's if it is the only one. */
struct reader_message {
        const uint8_t *data;
        size_t size;
        struct reader_batch *batch;
        quoit_compression compression; /* what the data is in */
};

/* Messages that wait. */
struct reader_run {
        struct reader_message message; /* the first of them */
        size_t rest_bytes; /* behind it: further ones, each with its prefix, uncompressed */
        struct reader_run *next;
        uint8_t bytes[]; /* as they came, if that was in one piece */
};

#define READER_LARGE_BYTES ((size_t)64 << 10)

struct reader {
        struct framing framing;
        struct reader_batch *batch;   /* of the message in progress, where many can be received */
        struct reader_run *first; /* whole messages that wait */
        struct reader_run *last;
        size_t held_bytes; /* counted in the group */
        size_t metadata_bytes; /* of those: the call's metadata, until the call's arena is freed */
        uint64_t message_bytes; /* of complete messages so far, as they travel */
        /* Since when the peer owes the rest of a message, as link/stalls.c has found; 0: it does not. */
        uint64_t owed_ns;
        uint64_t owed_bytes; /* reader_received_bytes() then */
        uint32_t owed_message; /* which it is: `messages` then */
        uint32_t messages; /* complete ones so far */
        quoit_compression
                compression; /* of messages flagged as compressed; identity: none may be flagged */
};

/* What has come of messages, also of one that is not whole; without prefixes. */
static inline uint64_t reader_received_bytes(const struct reader *reader)
{
        return reader->message_bytes + reader->framing.body_size;
}

/* The call is over: drops the waiting messages and the one in progress. */
void reader_drop(struct exchange *exchange);

/* The same, and nothing counts as held any more. */
void reader_deinit(struct exchange *exchange);

/*
 * DATA of @exchange. 0; -EMSGSIZE: over the message's limit; -ENOBUFS: over the connection's; -ENOSPC: over what the ring has
 * left; -EPROTO: a bad flag; -ENOTSUP: compressed without a grpc-encoding; -ENOMEM.
 */
int reader_feed(struct exchange *exchange, const uint8_t *data, size_t size);

/*
 * The same for a body without framing, which is one message. @expected: how many bytes it will have; 0: not known. Errors as above,
 * but for those of a prefix.
 */
int reader_feed_body(struct exchange *exchange, const uint8_t *data, size_t size, size_t expected);

/* There is no more of it: the message is whole. An empty one counts as not compressed. 0, -ENOMEM. */
int reader_end_body(struct exchange *exchange);

/*
 * Counts @bytes, the memory of the decompressed and parsed message, until the call's arena is freed: for calls with one
 * message. No-op where many can be received: there a message lives only until its handler returns.
 */
void reader_hold_parsed(struct exchange *exchange, size_t bytes);

/* The call's metadata takes @bytes of the call's arena by now, besides the first block: they count until that is freed. */
void reader_hold_metadata(struct exchange *exchange, size_t bytes);

/* The call's arena is freed: what counted until then no longer counts. */
void reader_release(struct exchange *exchange);

/* Whether decoding it may take long: it is to be decompressed, or large. False for NULL. */
static inline bool reader_message_is_heavy(const struct reader_message *message)
{
        return message &&
               (message->compression != QUOIT_IDENTITY || message->size >= READER_LARGE_BYTES);
}

/* The message that waits longest; NULL: none does. Valid until the reader is used. */
static inline const struct reader_message *reader_next(const struct reader *reader)
{
        return reader->first ? &reader->first->message : NULL;
}

/* Takes the next message, which the caller frees on the ring. False: there is none, or no credit for it. */
bool reader_take(struct exchange *exchange, struct reader_message *ret_message);

/* Its data are gone. No-op for a zeroed message, and for one in the call's arena. */
void reader_message_free(const struct reader_message *message);
