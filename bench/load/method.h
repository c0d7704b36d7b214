/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/load/hpack.h"

#define MESSAGE_PREFIX_BYTES 5 /* gRPC's: a compression flag and the length */

enum method_kind {
        METHOD_UNARY,
        METHOD_SERVER_STREAM,
        METHOD_CLIENT_STREAM, /* all messages, then the half-close with the last */
        METHOD_BIDI, /* ping-pong: the next message when the last came back */
};

#define EXPECT_ANY (-1)

/* A call's request, and its expected answer. Fixed before the first call. */
struct method {
        struct hpack_request request;
        unsigned char *framed; /* one request message behind its prefix */
        size_t framed_bytes;
        uint32_t messages; /* how often it is sent */
        enum method_kind kind;

        /* Of the answer: */
        int64_t expect_messages; /* or EXPECT_ANY */
        int64_t expect_bytes; /* of all messages together, or EXPECT_ANY */
        const unsigned char *expect_message; /* what each message is; NULL: anything */
        size_t expect_message_bytes;
};

struct options;

/* The method that the options name, and the one that --mix names. 0 or -ENOMEM. */
int method_init(struct method *method, const struct options *options);
int method_init_second(struct method *method, const struct options *options);
void method_deinit(struct method *method);
