/* SPDX-License-Identifier: MIT */

/* What a handler sends: from a message to the writer's queue. */

#include <errno.h>

#include "call/call.h"
#include "call/compression.h"
#include "call/dialect.h"
#include "call/encoding.h"
#include "call/generic.h"
#include "call/here.h"
#include "call/offload.h"
#include "codec/encode_flat.h"
#include "codec/field_name.h"
#include "codec/framing.h"

static void fail_unsendable(quoit_call *call, int error)
{
        switch (error) {
        case -EMSGSIZE:
                call_fail(call, QUOIT_RESOURCE_EXHAUSTED,
                        "the answer is over the limit (message_send_bytes_max)");
                break;
        case -ENOMEM:
                call_fail(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                break;
        case -ENOBUFS:
                call->handler.misuse =
                        "it sends without asking quoit_call_writable(), and too much waits "
                        "(call_queue_bytes_hard_max); ended RESOURCE_EXHAUSTED";
                call_fail(call, QUOIT_RESOURCE_EXHAUSTED,
                        "answers that wait are over the limit (call_queue_bytes_hard_max)");
                break;
        case -ENOSPC:
                if (call->offload)
                        call_fail_memory(call);
                else
                        call_refuse_memory(call);
                break;
        case -ETIMEDOUT:
                call_fail(call, QUOIT_RESOURCE_EXHAUSTED,
                        offload_has_yielded(call->offload)
                                ? "the client takes its answers too slowly, and other calls wait "
                                  "for the worker thread (worker_wait_ms)"
                                : "the client leaves a worker thread waiting (stall_ms)");
                break;
        case -EBADMSG:
                call_fail(call, QUOIT_INTERNAL, "the answer cannot be said as JSON");
                break;
        case -EINVAL:
                call_fail(call, QUOIT_INTERNAL, "the answer lacks a required field");
                break;
        case -EILSEQ:
                call_fail(call, QUOIT_INTERNAL, "the answer has text that is not UTF-8");
                break;
        case -EPROTOTYPE:
                call_fail(call, QUOIT_INTERNAL, "the answer is of another method's type");
                break;
        case -EALREADY:
                call->handler.misuse = "it sent a second answer where one is due; ended INTERNAL";
                call_fail(call, QUOIT_INTERNAL, "the handler answered twice");
                break;
        default:
                call_fail(call, QUOIT_INTERNAL, "the answer is nested over 100 deep");
                break;
        }
}

/* A message was queued. It is sent with the connection's next send; if others waited already, they have asked for that. */
static void queued_on_ring(quoit_call *call, bool was_empty)
{
        call_count_sent(call);
        if (!call->ring.headers_submitted) {
                call_submit_headers(call);
        } else if (was_empty) {
                stream_resume(&call->exchange.stream);
                exchange_ask_to_send(&call->exchange);
        }
}

static int queue_on_ring(quoit_call *call, struct encoding *encoding)
{
        size_t waiting = call->exchange.writer.queued_bytes;
        bool was_empty = waiting == 0;
        int r;

        if (waiting > call_limits(call)->call_queue_bytes_hard_max)
                return -ENOBUFS;
        if (!writer_may_queue(&call->exchange, encoding->size))
                return -ENOSPC;
        r = encoding->size > 0 ? writer_append(&call->exchange, encoding) : 0;
        if (r == 0)
                queued_on_ring(call, was_empty);
        return r;
}

/* A message was queued, or is on its way there from a worker. @size: with its prefix. */
static void note_sent(quoit_call *call, size_t size)
{
        call->exchange.lent.messages_sent++;
        call->exchange.lent.bytes_sent += size - FRAMING_PREFIX_BYTES;
        if (call->exchange.lent.scratch.upb)
                arena_reset_if_half_used(&call->exchange.lent.scratch);
        call->handler.headers_asked = true;
        if (call->handler.pump)
                call->handler.wants_writable = true;
}

/*
 * Streams' messages are much alike: those after the first that have its @type are encoded in their place. The compression of the
 * answers does not change after it.
 */
static void allow_in_place(quoit_call *call, const struct upb_MiniTable *type)
{
        size_t limit = call_send_bytes_max(call);

        if (!call_sends_many(call) || call->offload || !call_sends_plain_frames(call) ||
                call->exchange.lent.compression != QUOIT_IDENTITY)
                return;
        call->handler.in_place_type = type;
        call->handler.in_place_bytes_max = limit < WRITER_PLACE_BYTES_MAX
                                                   ? FRAMING_PREFIX_BYTES + limit
                                                   : WRITER_PLACE_BYTES_MAX;
}

/*
 * Encodes a message directly after those that wait. False, and nothing is sent: none wait; its type is not the one that is allowed;
 * it is too large for the room there or for the limit; or encode_flat() does not support it, and no later message is tried.
 */
static bool send_in_place(
        quoit_call *call, const struct upb_Message *message, const struct upb_MiniTable *type)
{
        size_t room;
        uint8_t *place;
        int size;

        if (type != call->handler.in_place_type)
                return false;
        room = writer_room(&call->exchange.writer, &place);
        if (room > call->handler.in_place_bytes_max)
                room = call->handler.in_place_bytes_max;
        if (room == 0)
                return false;
        size = encode_flat(place, room, message, type);
        if (size == -ENOTSUP)
                call->handler.in_place_type = NULL;
        if (size < 0)
                return false;
        writer_extend(&call->exchange, (size_t)size);
        call_count_sent(call);
        note_sent(call, (size_t)size);
        return true;
}

/* Queues the encoded message; on a worker, mails it to the ring. */
static int send_encoded(quoit_call *call, struct encoding *encoding)
{
        size_t size;
        int r = 0;

        if (call->exchange.lent.compression != QUOIT_IDENTITY)
                call_compress(call, encoding);
        size = encoding->size;
        if (call->front && call->front->dialect->seal)
                r = call->front->dialect->seal(call, encoding);
        if (r == 0)
                r = call->offload ? offload_send(call->offload, encoding)
                                  : queue_on_ring(call, encoding);
        encoding_deinit(encoding);
        if (r == 0)
                note_sent(call, size);
        return r;
}

/* The buffer for a message that fits into WRITER_PLACE_BYTES_MAX. */
static uint8_t *small_of(const quoit_call *call, uint8_t *worker_small)
{
        return call->offload ? worker_small : pending_copy_buffer(&call_host_of(call)->copy);
}

static upb_alloc *blocks_of(const quoit_call *call)
{
        return call->offload ? arena_pool_alloc(call_host_of(call)->shared_arenas)
                             : exchange_blocks(&call->exchange);
}

/* Its answer has @what, in the field that the encoder has noted. */
static void note_field(quoit_call *call, const char *what, const struct encoder *encoder)
{
        char name[FIELD_NAME_BYTES];
        upb_StringView text;

        field_name(name, call->request.route->file, encoder->field_table, encoder->field);
        text = quoit_call_format(call, "its answer %s: %s; ended INTERNAL", what, name);
        call->handler.misuse = text.size ? text.data : "it sent what is no answer; ended INTERNAL";
}

static int send_bytes(quoit_call *call, const void *bytes, size_t size)
{
        uint8_t worker_small[WRITER_PLACE_BYTES_MAX];
        struct encoding encoding;
        int r;

        if (size > call_send_bytes_max(call) || size > UINT32_MAX)
                return -EMSGSIZE;
        r = encoding_init_bytes(
                &encoding, small_of(call, worker_small), blocks_of(call), bytes, size);
        return r < 0 ? r : send_encoded(call, &encoding);
}

/* The bytes that the call's codec makes of it. */
static int send_spelled(
        quoit_call *call, const struct upb_Message *message, const struct upb_MiniTable *type)
{
        upb_StringView bytes;
        int r = call->front->codec->encode(call, message, type, call_send_bytes_max(call), &bytes);

        return r < 0 ? r : send_bytes(call, bytes.data, bytes.size);
}

/* @keeper: see encoding_init(). */
static int send_message(quoit_call *call, struct exchange *keeper,
        const struct upb_Message *message, const struct upb_MiniTable *type)
{
        uint8_t worker_small[WRITER_PLACE_BYTES_MAX];
        struct encoding encoding;
        int r = encoding_init(&encoding, small_of(call, worker_small), blocks_of(call), keeper,
                message, type, call_send_bytes_max(call));

        if (r == -EILSEQ)
                note_field(call, "has text that is not UTF-8", &encoding.encoder);
        else if (r == -EINVAL)
                note_field(call, "lacks a required field", &encoding.encoder);
        if (r == 0)
                r = send_encoded(call, &encoding);
        if (r == 0 && call->exchange.lent.messages_sent == 1)
                allow_in_place(call, type);
        return r;
}

/*
 * What a handler sends by the function of another method would be encoded as a message of that method's type, and the client would
 * take it for one of this method's.
 */
static bool is_wrong_type(const quoit_call *call, const struct upb_MiniTable *type)
{
        const quoit_method *method = call->request.route->method;

        return type != method->reply && method != &generic_method;
}

static void note_type(quoit_call *call, const struct upb_MiniTable *type)
{
        const struct call_host *host = call_host_of(call);
        char sent[FIELD_NAME_BYTES], due[FIELD_NAME_BYTES];
        upb_StringView text = { NULL, 0 };

        if (host->name_type && call->request.route->method->reply) {
                host->name_type(host, type, sent);
                host->name_type(host, call->request.route->method->reply, due);
                text = quoit_call_format(
                        call, "it sent %s, but its answers are %s; ended INTERNAL", sent, due);
        }
        call->handler.misuse =
                text.size ? text.data : "it sent another method's type; ended INTERNAL";
}

static bool is_intercepted(const quoit_call *call)
{
        return call_host_of(call)->interceptors != NULL;
}

/* Shows interceptors the message to be sent. False: one of them has ended the call. */
static bool pass_interceptors(quoit_call *call, const quoit_message_info *info)
{
        if (!is_intercepted(call))
                return true;
        interceptors_sent(call, info);
        return !call_is_over(call);
}

/* 0 or the error that the call ends with. */
static int try_send(quoit_call *call, struct exchange *keeper, const struct upb_Message *message,
        const struct upb_MiniTable *type)
{
        if (!message)
                return -ENOMEM;
        if (is_wrong_type(call, type)) {
                note_type(call, type);
                return -EPROTOTYPE;
        }
        if (!pass_interceptors(call, &(quoit_message_info){ .message = message, .type = type }) ||
                (is_intercepted(call) && send_in_place(call, message, type)))
                return 0;
        if (call_has_answered(call))
                return -EALREADY;
        return call->front && call->front->codec ? send_spelled(call, message, type)
                                                 : send_message(call, keeper, message, type);
}

/* Not inlined: its memory on the stack would cost the messages that are sent in place. */
static __attribute__((noinline)) int send_or_fail(quoit_call *call, struct exchange *keeper,
        const struct upb_Message *message, const struct upb_MiniTable *type)
{
        int r = try_send(call, keeper, message, type);

        if (r < 0)
                fail_unsendable(call, r);
        return r;
}

/* What is sent after the call's end goes nowhere: a mistake if it was the handler's own finish. */
static bool drops(quoit_call *call)
{
        if (!call_is_over(call))
                return false;
        call_note_after_finish(call, "it sent a message after the call was finished; dropped");
        return true;
}

int quoit_call_send(
        quoit_call *call, const struct upb_Message *message, const struct upb_MiniTable *type)
{
        if (!call_is_here(call, __func__))
                return -EPERM;
        if (drops(call))
                return 0;
        if (message && !is_intercepted(call) && send_in_place(call, message, type))
                return 0;
        return send_or_fail(call, NULL, message, type);
}

int quoit_call_send_bytes(quoit_call *call, const void *bytes, size_t size)
{
        quoit_message_info info = { .bytes = upb_StringView_FromDataAndSize(bytes, size) };
        int r;

        if (!call_is_here(call, __func__))
                return -EPERM;
        if (!call_is_generic(call))
                return -EINVAL;
        if (drops(call) || !pass_interceptors(call, &info))
                return 0;
        r = send_bytes(call, bytes, size);
        if (r < 0)
                fail_unsendable(call, r);
        return r;
}

void quoit_call_reply(
        quoit_call *call, const struct upb_Message *message, const struct upb_MiniTable *type)
{
        bool sent;

        if (!call_is_here(call, __func__))
                return;
        call_note_after_finish(call, "it answered a call that was finished before; dropped");
        sent = call_is_over(call) || send_or_fail(call, &call->exchange, message, type) == 0;
        /* if it could not be sent the call has its status already; this only says that the handler is done */
        call_finish(call, sent ? QUOIT_OK : QUOIT_INTERNAL, NULL, 0);
}
