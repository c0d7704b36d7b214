/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of a call over HTTP/1.1 share: the answer, as it comes. connect.c and web.c are the two protocols. */

#include "call.h"
#include "frames.h"

enum answer_form {
        ANSWER_FOREIGN, /* not of the protocol */
        ANSWER_MESSAGE, /* Connect, one reply: the body is the message */
        ANSWER_ERROR, /* Connect: the body is an error in JSON */
        ANSWER_FRAMES,
        ANSWER_EMPTY, /* gRPC-Web: the fields have the status */
};

struct answer_parts {
        struct http1_call *call;
        struct http1_end *end;
        unsigned http_status;
        enum answer_form form;
        struct bytes body; /* where it is not frames */
        struct frames frames;
        bool has_end; /* the status has come */
        bool is_over; /* whatever else comes: the end has been set */
};

/* Sets the end. */
void __attribute__((format(printf, 3, 4))) answer_end(
        struct answer_parts *answer, quoit_status status, const char *format, ...);

/* The same, for an answer that breaks the protocol. -EBADMSG. */
int __attribute__((format(printf, 2, 3))) answer_refuse(
        struct answer_parts *answer, const char *format, ...);

/* Hands a reply on. 0, or a negative errno: there is an end. */
int answer_message(struct answer_parts *answer, upb_StringView message);

/* A copy in the call's arena; empty if memory is short. */
upb_StringView answer_copy(const struct answer_parts *answer, upb_StringView text);

/* ---- a protocol ---- */

struct http1_protocol {
        /* Adds the fields of the request that are the protocol's own. @timeout_ms: 0, there is no deadline. 0; -ENOMEM. */
        int (*print)(struct bytes *head, const struct http1_call *call, uint64_t timeout_ms);
        /* Whether requests are in frames. */
        bool (*has_frames)(const struct http1_call *call);
        /* What the answer with these fields is, an enum answer_form; or a negative errno. A status in them is the end. */
        int (*take_head)(struct answer_parts *answer, const struct metadata *fields);
        /* A frame. 0, or a negative errno. */
        int (*take_frame)(struct answer_parts *answer, uint8_t flags, upb_StringView data);
        /* The body has ended, and is an error. 0; -EBADMSG: it is none of the protocol's; -ENOMEM. NULL: it has none. */
        int (*take_error)(struct answer_parts *answer);
};

extern const struct http1_protocol http1_connect, http1_grpc_web;
