/* SPDX-License-Identifier: MIT */
#include "client/outcall_request.h"

#include <errno.h>
#include <string.h>

#include "client/channel.h"
#include "client/outcall.h"
#include "codec/compression.h"
#include "codec/timeout.h"

#define OWN_FIELDS_MAX 11
#define FEW_FIELDS 32 /* with so many in all, none is allocated for */

struct block {
        nghttp2_nv *fields;
        size_t count;
        nghttp2_nv few[FEW_FIELDS];
        char timeout[TIMEOUT_BYTES_MAX];
        char attempts[1]; /* before this one */
};

static int block_init(struct block *block, struct quoit_outcall *call)
{
        size_t count = OWN_FIELDS_MAX + call->fields.count;
        upb_Arena *arena;

        block->count = 0;
        block->fields = block->few;
        if (count <= FEW_FIELDS)
                return 0;
        arena = exchange_arena(&call->exchange);
        block->fields = arena ? upb_Arena_Malloc(arena, count * sizeof(*block->fields)) : NULL;
        return block->fields ? 0 : -ENOMEM;
}

static void add(struct block *block, const char *name, size_t name_size, const char *value,
        size_t value_size)
{
        block->fields[block->count++] = (nghttp2_nv){
                .name = (uint8_t *)name,
                .namelen = name_size,
                .value = (uint8_t *)value,
                .valuelen = value_size,
        };
}

static void add_text(struct block *block, const char *name, const char *value)
{
        add(block, name, strlen(name), value, strlen(value));
}

/* What is left of the call's time, rounded up. */
static void add_timeout(struct block *block, const struct quoit_outcall *call)
{
        uint64_t deadline_ns = call->exchange.deadline_ns;
        uint64_t now_ns = ring_now_ns(call->exchange.group->host->ring);

        if (deadline_ns == UINT64_MAX)
                return;
        add(block, "grpc-timeout", strlen("grpc-timeout"), block->timeout,
                timeout_format(block->timeout, deadline_ns > now_ns ? deadline_ns - now_ns : 0));
}

static const char attempts_name[] = "grpc-previous-rpc-attempts";

/* For servers that want to know: how often it has failed (A6). */
static void add_attempts(struct block *block, const struct quoit_outcall *call)
{
        if (call->retry.attempts < 2)
                return;
        block->attempts[0] = (char)('0' + call->retry.attempts - 1);
        add(block, attempts_name, strlen(attempts_name), block->attempts, sizeof(block->attempts));
}

static bool is_attempts(const struct field *field)
{
        return field->name_size == strlen(attempts_name) &&
               memcmp(field->name, attempts_name, field->name_size) == 0;
}

/* The caller's. Who tries by itself may count too, but of an attempt of ours we know better. */
static void add_metadata(struct block *block, const struct quoit_outcall *call)
{
        for (const struct field *field = call->fields.first; field; field = field->next) {
                if (call->retry.attempts < 2 || !is_attempts(field))
                        add(block, field->name, field->name_size, field->value, field->value_size);
        }
}

static void add_own(struct block *block, const struct quoit_outcall *call)
{
        quoit_compression compression = call->exchange.lent.compression;

        add_text(block, ":method", "POST");
        add_text(block, ":scheme", call->channel->tls ? "https" : "http");
        add_text(block, ":path", call->method->path);
        add_text(block, ":authority", call->channel->authority);
        add_text(block, "te", "trailers");
        add_text(block, "content-type", "application/grpc");
        add_text(block, "user-agent", call->channel->user_agent);
        add_timeout(block, call);
        add_attempts(block, call);
        if (compression != QUOIT_IDENTITY)
                add_text(block, "grpc-encoding", compression_name(compression));
        add_text(block, "grpc-accept-encoding", COMPRESSION_LIST);
}

int outcall_request(struct quoit_outcall *call, struct session *session)
{
        struct block block;
        int r;

        if (session_streams_left(session) == 0) /* before the work of making the fields */
                return session_takes_requests(session) ? -EAGAIN : -ESHUTDOWN;
        r = block_init(&block, call);
        if (r < 0)
                return r;
        add_own(&block, call);
        add_metadata(&block, call);
        return session_request(session, &call->exchange.stream, block.fields, block.count, false);
}
