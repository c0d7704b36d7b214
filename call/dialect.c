/* SPDX-License-Identifier: MIT */
#include "call/dialect.h"

#include <errno.h>
#include <string.h>

#include "call/here.h"

const struct dialect dialect_grpc = {
        .protocol = QUOIT_PROTOCOL_GRPC,
        .malformed = QUOIT_INTERNAL,
        .encoding_field = "grpc-encoding",
        .accept_field = "grpc-accept-encoding",
};

struct front *call_make_front(struct quoit_call *call)
{
        if (call->front)
                return call->front;
        call->front = call_alloc(call, sizeof(*call->front));
        if (call->front) {
                call->front->dialect = &dialect_grpc;
                call->front->content_type = "application/grpc";
        }
        return call->front;
}

/* In memory of the ring: the call's arena may be a worker's now. */
struct piece {
        struct segment segment;
        size_t block_bytes;
        uint8_t bytes[];
};

static void release_piece(struct exchange *exchange, struct segment *segment)
{
        struct piece *piece = (struct piece *)segment;

        upb_free_sized(exchange_blocks(exchange), piece, piece->block_bytes);
}

int dialect_append(struct quoit_call *call, const void *bytes, size_t size)
{
        upb_SizedPtr block = upb_SizeReturningMalloc(
                exchange_blocks(&call->exchange), sizeof(struct piece) + size);
        struct piece *piece = block.p;

        if (!piece)
                return -ENOMEM;
        *piece = (struct piece){
                .segment = { .data = piece->bytes, .size = size, .release = release_piece },
                .block_bytes = block.n,
        };
        memcpy(piece->bytes, bytes, size);
        writer_append_segment(&call->exchange, &piece->segment);
        return 0;
}

quoit_protocol quoit_call_protocol(const quoit_call *call)
{
        return call_is_here(call, __func__) ? call_protocol(call) : QUOIT_PROTOCOL_GRPC;
}

const char *quoit_protocol_name(quoit_protocol protocol)
{
        switch (protocol) {
        case QUOIT_PROTOCOL_GRPC:
                return "grpc";
        case QUOIT_PROTOCOL_GRPC_WEB:
                return "grpc-web";
        case QUOIT_PROTOCOL_CONNECT:
                return "connect";
        case QUOIT_PROTOCOL_TRANSCODING:
                return "transcoding";
        case QUOIT_PROTOCOL_HTTP:
                return "http";
        }
        return "unknown";
}
