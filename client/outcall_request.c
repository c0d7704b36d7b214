/* SPDX-License-Identifier: MIT */
#include "client/outcall_request.h"

#include <errno.h>
#include <string.h>

#include "call/field_block.h"
#include "client/channel.h"
#include "client/outcall.h"
#include "codec/compression.h"
#include "codec/timeout.h"

/* As long as the call has its stream: nghttp2 copies nothing. */
#define LIVES (NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE)

/* What is written for one block. */
struct texts {
        char timeout[TIMEOUT_BYTES_MAX];
        char attempts[1]; /* before this one */
};

/* What is left of the call's time, rounded up. */
static void add_timeout(
        struct field_block *block, struct texts *texts, const struct quoit_outcall *call)
{
        uint64_t deadline_ns = call->exchange.deadline_ns;
        uint64_t now_ns = ring_now_ns(call->exchange.group->host->ring);

        if (deadline_ns == UINT64_MAX)
                return;
        field_block_add(block, "grpc-timeout", strlen("grpc-timeout"), texts->timeout,
                timeout_format(texts->timeout, deadline_ns > now_ns ? deadline_ns - now_ns : 0));
}

static const char attempts_name[] = "grpc-previous-rpc-attempts";

/* For servers that want to know: how often it has failed (A6). */
static void add_attempts(
        struct field_block *block, struct texts *texts, const struct quoit_outcall *call)
{
        if (call->retry.attempts < 2)
                return;
        texts->attempts[0] = (char)('0' + call->retry.attempts - 1);
        field_block_add(block, attempts_name, strlen(attempts_name), texts->attempts,
                sizeof(texts->attempts));
}

static bool is_attempts(const struct field *field)
{
        return field->name_size == strlen(attempts_name) &&
               memcmp(field->name, attempts_name, field->name_size) == 0;
}

/* The caller's. Who tries by itself may count too, but of an attempt of ours we know better. */
static void add_metadata(struct field_block *block, const struct quoit_outcall *call)
{
        for (const struct field *field = call->fields.first; field; field = field->next) {
                if (call->retry.attempts < 2 || !is_attempts(field))
                        field_block_add(block, field->name, field->name_size, field->value,
                                field->value_size);
        }
}

static void add_own(struct field_block *block, const struct quoit_outcall *call)
{
        quoit_compression compression = call->exchange.lent.compression;

        field_block_add_text(block, ":method", "POST");
        field_block_add_text(block, ":scheme", call->channel->tls ? "https" : "http");
        field_block_add_text(block, ":path", call->method->path);
        field_block_add_text(block, ":authority", call->channel->authority);
        field_block_add_text(block, "te", "trailers");
        field_block_add_text(block, "content-type", "application/grpc");
        field_block_add_text(block, "user-agent", call->channel->user_agent);
        if (compression != QUOIT_IDENTITY)
                field_block_add_text(block, "grpc-encoding", compression_name(compression));
        field_block_add_text(block, "grpc-accept-encoding", COMPRESSION_LIST);
}

int outcall_request(struct quoit_outcall *call, struct session *session)
{
        struct field_block block;
        struct texts texts;
        size_t count = call->fields.count + authorization_count(call);
        int r;

        if (session_streams_left(session) == 0) /* before the work of making the fields */
                return session_takes_requests(session) ? -EAGAIN : -ESHUTDOWN;
        r = field_block_init_for(&block, count, LIVES);
        if (r < 0)
                return r;
        add_own(&block, call);
        add_metadata(&block, call);
        block.flags = NGHTTP2_NV_FLAG_NONE; /* these are gone before the frame is made */
        add_timeout(&block, &texts, call);
        add_attempts(&block, &texts, call);
        authorization_add(call, &block);
        r = session_request(session, &call->exchange.stream, block.fields, block.count, false);
        field_block_deinit(&block);
        return r;
}
