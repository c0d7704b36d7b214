/* SPDX-License-Identifier: MIT */
#pragma once

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/load/output.h"

/*
 * Header blocks. A request's is encoded once, before the run: as long literals that put the
 * fields into the server's table, and as the short row of indices that every later request is. An
 * answer's is decoded by nghttp2, unless the same row of indices was seen before.
 */

enum {
        HPACK_BLOCK_BYTES_MAX = 2048, /* of a request */
        HPACK_PATH_BYTES_MAX = 512,
        HPACK_AUTHORITY_BYTES_MAX = 512,
};

struct hpack_block {
        unsigned char bytes[HPACK_BLOCK_BYTES_MAX];
        size_t size;
};

/* One method's request in all the shapes it is sent in. */
struct hpack_request {
        struct hpack_block priming; /* puts all fields into an empty table; empty: does not */
        struct hpack_block indexed; /* after a priming one */
        struct hpack_block plain; /* refers to no table */
        size_t table_bytes; /* what priming takes of the server's table */
};

/* For the method most called: primes. */
void hpack_request_init(struct hpack_request *request, const char *authority, const char *path);

/* For another method on the same connections: its path is sent as a literal, the other fields are
 * those that a priming block of the first left. */
void hpack_request_init_second(
        struct hpack_request *request, const char *authority, const char *path);

/* What we know of the server's table. One a connection. */
struct hpack_encoder {
        uint32_t table_bytes; /* the size it has when the update that is due has gone out */
        bool update_due;
        bool primed;
};

void hpack_encoder_init(struct hpack_encoder *encoder);

/* SETTINGS_HEADER_TABLE_SIZE came. */
void hpack_encoder_resize(struct hpack_encoder *encoder, uint32_t table_bytes);

/* The most that hpack_encode writes. */
#define HPACK_ENCODED_BYTES_MAX (HPACK_BLOCK_BYTES_MAX + 8)

/* Writes a whole block to @to and returns its size. */
size_t hpack_encode(
        struct hpack_encoder *encoder, const struct hpack_request *request, unsigned char *to);

/* What matters of an answer's headers or trailers. */
struct hpack_fields {
        int http_status; /* 0: none */
        int grpc_status; /* -1: none, or no number */
        bool is_grpc; /* content-type says so */
        char grpc_message[64]; /* cut */
};

enum {
        HPACK_KNOWN_MAX = 4, /* headers and trailers, with something to spare */
        HPACK_KNOWN_BYTES_MAX = 16,
};

/* One a connection. */
struct hpack_decoder {
        nghttp2_hd_inflater *inflater;
        struct hpack_known {
                struct hpack_fields fields;
                unsigned char block[HPACK_KNOWN_BYTES_MAX];
                size_t size;
        } known[HPACK_KNOWN_MAX];
        unsigned known_count;
};

/* 0 or -ENOMEM. */
int hpack_decoder_init(struct hpack_decoder *decoder);
void hpack_decoder_deinit(struct hpack_decoder *decoder);

/* The fields of a whole block, valid until the next call; NULL: it cannot be decoded. */
const struct hpack_fields *hpack_decode(
        struct hpack_decoder *decoder, const unsigned char *block, size_t size);
