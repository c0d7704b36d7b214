/* SPDX-License-Identifier: MIT */

/* What a caller sends: from a message to the writer's queue, and from there to frames. */

#include <errno.h>

#include "call/compressor.h"
#include "call/encoding.h"
#include "client/channel.h"
#include "client/outcall.h"

static const quoit_client_limits *limits_of(const struct quoit_outcall *call)
{
        return &call->channel->client->limits;
}

void outcall_ask_to_send(struct quoit_outcall *call)
{
        if (call->state != OUTCALL_OPEN)
                return;
        stream_resume(&call->exchange.stream);
        exchange_ask_to_send(&call->exchange);
}

static void compress(struct quoit_outcall *call, struct encoding *encoding)
{
        struct exchange *exchange = &call->exchange;
        size_t plain_bytes = encoding->size - FRAMING_PREFIX_BYTES;

        if (exchange->lent.compression != QUOIT_IDENTITY && !exchange->lent.sends_plain &&
                plain_bytes > 0 && plain_bytes >= limits_of(call)->compress_bytes_min)
                exchange_compress(exchange, &exchange->group->host->coders, encoding, false);
}

/* Whether another message may be queued: 0, or an error of outcall_send(). What a hedged call keeps waits in its attempts. */
static int check(const struct quoit_outcall *call)
{
        const struct writer *writer = &outcall_leader(call)->exchange.writer;

        if (call->half_closed)
                return -EALREADY;
        return writer->queued_bytes > limits_of(call)->call_queue_bytes_hard_max ? -ENOBUFS : 0;
}

/* A hedged call has no stream: its attempts send. */
static void sent(struct quoit_outcall *call)
{
        if (call->state == OUTCALL_HEDGED)
                hedging_send(call);
        else
                outcall_ask_to_send(call);
}

/* 0, or -ENOMEM. Consumes @encoding. @info: of the message, but for its size. */
static int queue(struct quoit_outcall *call, struct encoding *encoding, quoit_message_info info)
{
        struct exchange *exchange = &call->exchange;
        int r;

        info.size = encoding->size - FRAMING_PREFIX_BYTES;
        compress(call, encoding);
        r = writer_append(exchange, encoding);
        encoding_deinit(encoding);
        if (r < 0)
                return r;
        exchange->lent.messages_sent++;
        exchange->lent.bytes_sent += encoding->size - FRAMING_PREFIX_BYTES;
        counter_add(&exchange->group->counts.messages_sent, 1);
        if (!exchange->sends_many)
                call->half_closed = true;
        sent(call);
        interception_sent(outcall_known(call), &info);
        return 0;
}

int outcall_send(struct quoit_outcall *call, const struct upb_Message *message)
{
        struct exchange *exchange;
        struct encoding encoding;
        int r;

        call = outcall_subject(call);
        exchange = &call->exchange;
        if (outcall_is_over(call))
                return 0;
        r = check(call);
        if (r == 0 && !message)
                r = -ENOMEM;
        if (r == 0)
                r = encoding_init(&encoding, pending_copy_buffer(&exchange->group->host->copy),
                        exchange_blocks(exchange), NULL, message, call->method->request,
                        call->send_bytes_max);
        return r < 0 ? r
                     : queue(call, &encoding,
                               (quoit_message_info){
                                       .message = message, .type = call->method->request });
}

int outcall_send_bytes(struct quoit_outcall *call, const uint8_t *bytes, size_t size)
{
        struct exchange *exchange;
        struct encoding encoding;
        int r;

        call = outcall_subject(call);
        exchange = &call->exchange;
        if (outcall_is_over(call))
                return 0;
        r = size > call->send_bytes_max ? -EMSGSIZE : check(call);
        if (r == 0)
                r = encoding_init_bytes(&encoding,
                        pending_copy_buffer(&exchange->group->host->copy),
                        exchange_blocks(exchange), bytes, size);
        return r < 0 ? r
                     : queue(call, &encoding,
                               (quoit_message_info){ .bytes = upb_StringView_FromDataAndSize(
                                                             (const char *)bytes, size) });
}

void outcall_half_close(struct quoit_outcall *call)
{
        call = outcall_subject(call);
        if (outcall_is_over(call) || call->half_closed)
                return;
        call->half_closed = true;
        sent(call);
}

struct session_pull outcall_pull(struct quoit_outcall *call, size_t size_max)
{
        size_t queued = call->exchange.writer.queued_bytes;
        struct session_pull pull = { .size = queued < size_max ? queued : size_max };

        if (call->state != OUTCALL_OPEN) /* its reset is on its way */
                return (struct session_pull){ 0 };
        pull.last = call->half_closed && pull.size == queued;
        return pull;
}

void outcall_write(struct quoit_outcall *call, struct output *output, size_t size)
{
        writer_write(&call->exchange, output, size);
        if (call->exchange.writer.queued_bytes == 0 && call->wants_writable)
                outcall_wake(call);
}
