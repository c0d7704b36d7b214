/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How a call travels if it is not plain gRPC: gRPC-Web, Connect, JSON. Handlers, interceptors, limits, deadlines and the dispatcher
 * do not know of it. A call whose request is plain gRPC has no `front`, and pays one branch where this file is asked.
 *
 * A dialect is chosen when the header block is complete (front/choose.h): by the path, the verb and the content type. From then on
 * it is asked in five places:
 *
 *      begin           the header block is complete: the timeout, the compressions
 *      receive         DATA: becomes messages in the call's reader
 *      receive_end     there is no more DATA
 *      seal            a message to be sent, framed as gRPC's: becomes what travels
 *      end             the call has its status: queues what ends the answer's body
 *
 * A codec is how messages are spelled: NULL is protobuf. Dialects and codecs are combined freely.
 *
 * Thread: begin, receive, receive_end and end run on the ring, also inside nghttp2's callbacks; while a worker has the call they must
 * not touch its arena. seal and the codec run on the thread that has the call.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/protocol.h>
#include <quoit/status.h>

#include "call/call.h"

struct encoding;

/* How a call has ended. */
struct dialect_end {
        quoit_status status;
        const char *text; /* percent-encoded, as grpc-message is */
        size_t text_size;
        const struct fields *headers; /* of the application, if they were not sent; NULL: none */
        const struct fields *trailers; /* NULL: none */
};

/* A protocol. Static. What is NULL is done as for gRPC. */
struct dialect {
        quoit_protocol protocol;
        bool is_bare; /* the answer is one body without framing, and its headers wait for the call's end */
        quoit_status malformed; /* the status for messages that do not parse */
        const char *encoding_field; /* names the compression of our messages */
        const char *accept_field; /* lists those that we take */

        /*
         * The header block is complete, and the route is known. Sets request.timeout_ns, the reader's compression, and what the
         * peer accepts. OK, or the status and the static text, or text in the call's arena, that the call ends with.
         */
        quoit_status (*begin)(struct quoit_call *call, const char **ret_text);
        /* As reader_feed(). */
        int (*receive)(struct quoit_call *call, const uint8_t *data, size_t size);
        /* 0; or an error of reader_feed(); -EPROTO: the body ends too early; -EBADMSG: there is no message in the query. */
        int (*receive_end)(struct quoit_call *call);
        /* Changes a framed message, which may be compressed, into what travels. 0, -ENOMEM. */
        int (*seal)(struct quoit_call *call, struct encoding *encoding);
        /*
         * Queues the end of the body behind what is queued, and submits the headers if they were not. Trailers of HTTP are not
         * sent. It may be called once, on a stream that has a session.
         */
        void (*end)(struct quoit_call *call, const struct dialect_end *end);
};

/* How messages are spelled. Static. */
struct message_codec {
        /*
         * A message of the call's request type in @arena, which has a budget. 0; -ENOMEM; -EBADMSG: it is no such message, and
         * *@ret_text says why: percent-encoded, static or in @arena.
         */
        int (*decode)(struct quoit_call *call, const uint8_t *data, size_t size, upb_Arena *arena,
                struct upb_Message **ret_message, const char **ret_text);
        /*
         * The bytes of @message, in the call's scratch arena. 0; -ENOMEM; -EMSGSIZE: more than @bytes_max; -EBADMSG: they cannot
         * be spelled so.
         */
        int (*encode)(struct quoit_call *call, const struct upb_Message *message,
                const struct upb_MiniTable *type, size_t bytes_max, upb_StringView *ret_bytes);
};

/* What a call that is not plain gRPC has beside it, in its arena, which stays until the call is freed. */
struct front {
        const struct dialect *dialect; /* never NULL */
        const struct message_codec *codec; /* NULL: protobuf */
        const char *content_type; /* of the answer. Static, or in the call's arena */
        const char *
                vary; /* the request's field that has chosen the answer's form; NULL: none. Static */
        upb_StringView query; /* behind the '?' of the path */
        void *state; /* the dialect's own */
        unsigned http_status; /* of the answer; 0: 200, or not sent yet */
        bool is_compressed; /* the bare answer is */
        bool must_compress; /* the client takes no answer that is not */
};

/* gRPC itself, for requests that have a front for another reason: a query behind the path, or messages as JSON. */
extern const struct dialect dialect_grpc;

/* The call's front, made at its first use, with dialect_grpc; NULL if memory is short. The route must be known. */
struct front *call_make_front(struct quoit_call *call);

/* Queues a copy of the @size bytes at @bytes. On the ring. 0, -ENOMEM. */
int dialect_append(struct quoit_call *call, const void *bytes, size_t size);

/* The protocol of the call. */
static inline quoit_protocol call_protocol(const struct quoit_call *call)
{
        if (call->request.is_http)
                return QUOIT_PROTOCOL_HTTP;
        return call->front ? call->front->dialect->protocol : QUOIT_PROTOCOL_GRPC;
}

/* Whether the server, or the call's method, is called by its protocol. */
static inline bool call_protocol_is_on(const struct quoit_call *call)
{
        quoit_protocols on = call->request.route->options.protocols;

        if (on == 0)
                on = call_host_of(call)->protocols;
        return on == 0 || on & call_protocol(call);
}

/* Its answer does not end with HTTP's trailers. */
static inline bool call_has_own_end(const struct quoit_call *call)
{
        return call->front && call->front->dialect->end;
}

/* Its headers are not sent before its end. */
static inline bool call_defers_headers(const struct quoit_call *call)
{
        return call->front && call->front->dialect->is_bare && call->ring.state == CALL_OPEN;
}

/* What it sends is framed protobuf, as gRPC's. */
static inline bool call_sends_plain_frames(const struct quoit_call *call)
{
        return !call->front || (!call->front->codec && !call->front->dialect->seal);
}
