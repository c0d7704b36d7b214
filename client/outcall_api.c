/* SPDX-License-Identifier: MIT */

/* The public functions of a call, which check the thread. */

#include <errno.h>
#include <stdio.h>

#include <quoit/generic.h>

#include "call/here.h"
#include "client/channel.h"
#include "client/handle.h"
#include "client/note.h"
#include "client/outcall.h"

int quoit_outcall_start(quoit_channel *channel, const quoit_method *method,
        const quoit_call_options *options, const quoit_outcall_handler *handler, void *user,
        quoit_outcall **ret_call)
{
        struct channel *here = channel_part_here(channel);
        quoit_outcall *call;
        int r;

        if (client_is_inherited(channel->client))
                return -ESHUTDOWN;
        if (!method)
                return -EINVAL;
        if (!here)
                note_misuse(channel->client, method, method->path, __func__, WRONG_THREAD);
        if (!here || (options && options->parent && !call_is_here(options->parent, __func__)))
                return -EPERM;
        r = outcall_new(here, method, options, handler, user, &call);
        if (r == 0 && ret_call)
                *ret_call = call;
        return r;
}

int quoit_outcall_send(quoit_outcall *call, const struct upb_Message *message)
{
        return outcall_is_here(call, __func__) ? outcall_send(call, message) : -EPERM;
}

int quoit_outcall_send_bytes(quoit_outcall *call, const void *bytes, size_t size)
{
        if (!outcall_is_here(call, __func__))
                return -EPERM;
        return call->handler->on_bytes ? outcall_send_bytes(call, bytes, size) : -EINVAL;
}

bool quoit_outcall_writable(quoit_outcall *call)
{
        const struct exchange *exchange;

        if (!outcall_is_here(call, __func__))
                return false;
        call = outcall_leader(call);
        if (outcall_is_over(call) || call->half_closed)
                return false;
        exchange = &call->exchange;
        call->wants_writable = exchange->writer.queued_bytes >=
                                       call->channel->client->limits.call_queue_bytes_max ||
                               call_group_is_congested(exchange->group);
        if (call->wants_writable && exchange->writer.queued_bytes == 0)
                outcall_wake(
                        call); /* others' messages are in the way, and no write of its own will wake it */
        return !call->wants_writable;
}

void quoit_outcall_half_close(quoit_outcall *call)
{
        if (outcall_is_here(call, __func__))
                outcall_half_close(call);
}

void quoit_outcall_cancel(quoit_outcall *call)
{
        if (outcall_is_here(call, __func__))
                outcall_fail(call, QUOIT_CANCELLED, "cancelled by the caller");
}

void quoit_outcall_set_read_credits(quoit_outcall *call, uint32_t credits)
{
        if (!outcall_is_here(call, __func__))
                return;
        call = outcall_subject(call);
        call->exchange.lent.credits = credits;
        if (credits > 0 && call->exchange.reader.first)
                outcall_wake(call);
}

uint32_t quoit_outcall_read_credits(const quoit_outcall *call)
{
        return outcall_is_here(call, __func__) ? outcall_subject(call)->exchange.lent.credits : 0;
}

/* ---- compression ---- */

void quoit_outcall_set_message_compression(quoit_outcall *call, bool enabled)
{
        if (outcall_is_here(call, __func__))
                outcall_subject(call)->exchange.lent.sends_plain = !enabled;
}

quoit_compression quoit_outcall_reply_compression(const quoit_outcall *call)
{
        return outcall_is_here(call, __func__)
                       ? outcall_subject(call)->exchange.lent.message_compression
                       : QUOIT_IDENTITY;
}

/* ---- metadata ---- */

bool quoit_outcall_header(const quoit_outcall *call, const char *name, upb_StringView *ret_value)
{
        return outcall_is_here(call, __func__) &&
               fields_find(&outcall_subject(call)->response.headers, name, ret_value);
}

bool quoit_outcall_trailer(const quoit_outcall *call, const char *name, upb_StringView *ret_value)
{
        return outcall_is_here(call, __func__) &&
               fields_find(&outcall_subject(call)->response.trailers, name, ret_value);
}

bool quoit_outcall_header_next(const quoit_outcall *call, size_t *cursor, upb_StringView *ret_name,
        upb_StringView *ret_value)
{
        return outcall_is_here(call, __func__) &&
               fields_next(&outcall_subject(call)->response.headers, cursor, ret_name, ret_value);
}

bool quoit_outcall_trailer_next(const quoit_outcall *call, size_t *cursor, upb_StringView *ret_name,
        upb_StringView *ret_value)
{
        return outcall_is_here(call, __func__) &&
               fields_next(&outcall_subject(call)->response.trailers, cursor, ret_name, ret_value);
}

/* ---- the end ---- */

upb_StringView quoit_outcall_status_message(const quoit_outcall *call)
{
        const struct quoit_outcall *subject = outcall_subject(call);
        bool has = outcall_is_here(call, __func__) && outcall_is_over(subject);

        return has ? subject->message : upb_StringView_FromString("");
}

const struct upb_Message *quoit_outcall_reply(const quoit_outcall *call)
{
        const struct quoit_outcall *subject = outcall_subject(call);

        return outcall_is_here(call, __func__) && subject->status == QUOIT_OK ? subject->reply
                                                                              : NULL;
}

void outcall_get_error(quoit_status status, upb_StringView message, quoit_error *ret_error)
{
        ret_error->status = status;
        snprintf(ret_error->text, sizeof(ret_error->text), "%s%s%.*s", quoit_status_name(status),
                message.size > 0 ? ": " : "", (int)message.size, message.data);
}

void quoit_outcall_get_error(const quoit_outcall *call, quoit_error *ret_error)
{
        const struct quoit_outcall *subject = outcall_subject(call);

        if (outcall_is_here(call, __func__) && outcall_is_over(subject))
                outcall_get_error(subject->status, subject->message, ret_error);
        else
                outcall_get_error(QUOIT_UNKNOWN, upb_StringView_FromString(""), ret_error);
}

const char *quoit_error_text(const quoit_error *error)
{
        return error->text;
}

struct upb_Arena *quoit_outcall_arena(quoit_outcall *call)
{
        return outcall_is_here(call, __func__) ? exchange_arena(&call->exchange) : NULL;
}
