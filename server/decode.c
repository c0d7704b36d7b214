/* SPDX-License-Identifier: MIT */
#include "server/decode.h"

#include <assert.h>
#include <errno.h>

#include "call/budget.h"
#include "call/compression.h"
#include "call/dialect.h"
#include "call/interceptors.h"
#include "call/work.h"
#include "codec/bad_text.h"
#include "codec/field_name.h"
#include "codec/message.h"
#include "server/shard.h"

static_assert(MESSAGE_DEPTH_MAX == 100, "as fail_decode() says");

static void fail_no_memory(struct quoit_call *call, const struct budget *budget)
{
        if (budget->short_of_memory) {
                call_fail_memory(call);
                return;
        }
        call_fail(call, QUOIT_RESOURCE_EXHAUSTED,
                budget->exceeded
                        ? "the request message becomes larger than its connection has room "
                          "left for (connection_receive_bytes_max)"
                        : "out of memory");
}

/* It is not what the method takes: the client is told, and the log. @text: static, or in the call's arena. */
static void fail_malformed(struct quoit_call *call, const char *text)
{
        struct shard *shard = call->exchange.group->host->user;

        server_log_peer(shard->server, QUOIT_LOG_INFO, call_clock_ns(call), "%s: %s: %s",
                call->exchange.group->peer->address, call->request.route->method->path, text);
        call_fail(call, call->front ? call->front->dialect->malformed : QUOIT_INTERNAL, text);
}

static void fail_compressed(struct quoit_call *call, const struct budget *budget, int error)
{
        if (error == -ENOMEM)
                fail_no_memory(call, budget);
        else if (error == -EMSGSIZE)
                call_fail(call, QUOIT_RESOURCE_EXHAUSTED,
                        "the request message is over the limit (message_receive_bytes_max) when "
                        "decompressed");
        else if (error == -E2BIG)
                call_fail(call, QUOIT_RESOURCE_EXHAUSTED,
                        "the request message is compressed in too many blocks for the limit of its "
                        "size "
                        "(message_receive_bytes_max)");
        else
                fail_malformed(call, "the request message does not decompress");
}

/* @text in the call's arena, for as long as the call needs it; without memory @plain, which is static. */
static const char *keep_text(struct quoit_call *call, upb_StringView text, const char *plain)
{
        if (text.size == 0)
                return plain;
        call->handler.keeps_arena = true;
        return text.data;
}

/* As fail_malformed(): @what, and the name of the field at @where; NULL: it is not known. */
static void fail_field(struct quoit_call *call, const char *what, const struct field_place *where)
{
        char name[FIELD_NAME_BYTES];

        if (where) {
                field_name(name, call->request.route->file, where->table, where->number);
                what = keep_text(call, quoit_call_format(call, "%s: %s", what, name), what);
        }
        fail_malformed(call, what);
}

/* Which text it is takes another look at the message. */
static void fail_text(struct quoit_call *call, const struct reader_message *message)
{
        struct field_place where;
        bool found = bad_text_find(message->data, message->size,
                call->request.route->method->request, call_host_of(call)->extensions, &where);

        fail_field(call, "the request message has text that is not UTF-8", found ? &where : NULL);
}

/* @missing: for -ENODATA. */
static void fail_decode(struct quoit_call *call, const struct budget *budget,
        const struct reader_message *message, const struct field_place *missing, int error)
{
        switch (error) {
        case -ENOMEM:
                fail_no_memory(call, budget);
                break;
        case -EILSEQ:
                fail_text(call, message);
                break;
        case -ENODATA:
                fail_field(call, "the request message lacks a required field", missing);
                break;
        case -E2BIG:
                fail_malformed(call, "the request message is nested over 100 deep");
                break;
        default:
                fail_malformed(call, "the request message does not parse");
                break;
        }
}

/* What the call's codec takes the bytes for. */
static upb_Message *decode_spelled(
        struct quoit_call *call, struct budget *budget, const struct reader_message *message)
{
        const char *
                text; /* in the message's arena, which is over before an offloaded call has failed */
        upb_Message *decoded;
        int r = call->front->codec->decode(
                call, message->data, message->size, budget->arena, &decoded, &text);

        if (r == 0)
                return decoded;
        if (r == -ENOMEM)
                fail_no_memory(call, budget);
        else
                fail_malformed(call, keep_text(call, quoit_call_format(call, "%s", text),
                                             "the request message does not parse"));
        return NULL;
}

static upb_Message *decode(
        struct quoit_call *call, struct budget *budget, const struct reader_message *message)
{
        struct field_place missing;
        upb_Message *decoded;
        int r;

        if (call->front && call->front->codec)
                return decode_spelled(call, budget, message);
        r = message_decode(message->data, message->size, call->request.route->method->request,
                call_host_of(call)->extensions, budget->arena, &decoded, &missing);

        if (r == 0)
                return decoded;
        fail_decode(call, budget, message, &missing, r);
        return NULL;
}

static upb_Message *decode_heavy(
        struct quoit_call *call, struct budget *budget, struct reader_message *message)
{
        upb_Message *decoded = NULL;
        uint64_t began_ns = work_begin(call);
        int r = message->compression != QUOIT_IDENTITY
                        ? call_decompress(call, message, budget->arena)
                        : 0;

        if (r < 0)
                fail_compressed(call, budget, r);
        else
                decoded = decode(call, budget, message);
        work_end(call, began_ns);
        return decoded;
}

const struct upb_Message *decode_request(
        struct quoit_call *call, struct reader_message *message, size_t *ret_parsed)
{
        upb_Arena *arena = exchange_message_arena(&call->exchange);
        struct budget budget;
        upb_Message *decoded;

        if (!arena) {
                call_fail(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return NULL;
        }
        call->exchange.lent.message_compression = message->compression;
        budget_begin(&budget, call->exchange.group, arena);
        decoded = reader_message_is_heavy(message) ? decode_heavy(call, &budget, message)
                                                   : decode(call, &budget, message);
        budget_end(&budget);
        *ret_parsed = budget.taken;
        if (!decoded || !call_host_of(call)->interceptors)
                return decoded;
        interceptors_received(call, &(quoit_message_info){ .message = decoded,
                                            .type = call->request.route->method->request,
                                            .size = message->size });
        return call_is_over(call) ? NULL : decoded;
}

/* Decompresses, and counts the time, as it may be the ring's. False: the call has failed. */
static bool decompress(struct quoit_call *call, struct reader_message *message, size_t *ret_parsed)
{
        upb_Arena *arena = exchange_message_arena(&call->exchange);
        struct budget budget;
        uint64_t began_ns;
        int r;

        if (!arena) {
                call_fail(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return false;
        }
        began_ns = work_begin(call);
        budget_begin(&budget, call->exchange.group, arena);
        r = call_decompress(call, message, arena);
        budget_end(&budget);
        work_end(call, began_ns);
        *ret_parsed = budget.taken;
        if (r < 0)
                fail_compressed(call, &budget, r);
        return r == 0;
}

bool decode_bytes(struct quoit_call *call, struct reader_message *message, size_t *ret_parsed,
        upb_StringView *ret_bytes)
{
        upb_StringView bytes;

        call->exchange.lent.message_compression = message->compression;
        if (message->compression != QUOIT_IDENTITY && !decompress(call, message, ret_parsed))
                return false;
        bytes = upb_StringView_FromDataAndSize((const char *)message->data, message->size);
        if (call_host_of(call)->interceptors)
                interceptors_received(
                        call, &(quoit_message_info){ .size = message->size, .bytes = bytes });
        *ret_bytes = bytes;
        return !call_is_over(call);
}
