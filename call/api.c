/* SPDX-License-Identifier: MIT */

/* The public functions of a call: the handler's side. */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/call.h"
#include "call/details.h"
#include "call/generic.h"
#include "call/here.h"
#include "call/offload.h"
#include "call/work.h"
#include "codec/format.h"
#include "codec/percent.h"
#include "codec/rpc_status.h"
#include "codec/status.h"
#include "codec/utf8.h"

#define SCRATCH_BYTES ((size_t)4096)
#define STATUS_TEXT_BYTES_MAX ((size_t)4096)

/* ---- memory ---- */

struct upb_Arena *quoit_call_arena(quoit_call *call)
{
        return call_is_here(call, __func__) ? call_arena(call) : NULL;
}

/* A call that sends one message uses its own arena: nothing has to be freed before its end. */
static upb_Arena *scratch(quoit_call *call)
{
        if (!call_sends_many(call))
                return call_arena(call);
        if (!call->exchange.lent.scratch.upb &&
                arena_init(&call->exchange.lent.scratch, exchange_pool(&call->exchange),
                        SCRATCH_BYTES) < 0)
                return NULL;
        return call->exchange.lent.scratch.upb;
}

struct upb_Arena *quoit_call_scratch(quoit_call *call)
{
        return call_is_here(call, __func__) ? scratch(call) : NULL;
}

void *call_alloc(struct quoit_call *call, size_t size)
{
        upb_Arena *arena = call_arena(call);
        void *memory = arena ? upb_Arena_Malloc(arena, size) : NULL;

        return memory ? memset(memory, 0, size) : NULL;
}

void *quoit_call_alloc(quoit_call *call, size_t size)
{
        return call_is_here(call, __func__) ? call_alloc(call, size) : NULL;
}

static upb_StringView format_text(upb_Arena *arena, const char *format, va_list arguments)
{
        char few[128];
        size_t size = format_quickly(few, sizeof(few) - 1, format, arguments);
        va_list again;
        char *text;

        va_copy(again, arguments);
        if (size == SIZE_MAX) {
                int printed = vsnprintf(few, sizeof(few), format, arguments);

                size = printed > 0 ? (size_t)printed : 0;
        }
        text = arena ? upb_Arena_Malloc(arena, size + 1) : NULL;
        if (!text) {
                size = 0;
        } else if (size < sizeof(few)) {
                memcpy(text, few, size);
                text[size] = '\0';
        } else {
                vsnprintf(text, size + 1, format, again);
        }
        va_end(again);
        return (upb_StringView){ .data = text ? text : "", .size = size };
}

upb_StringView quoit_call_format(quoit_call *call, const char *format, ...)
{
        upb_StringView text;
        va_list arguments;

        if (!call_is_here(call, __func__))
                return upb_StringView_FromDataAndSize("", 0);
        va_start(arguments, format);
        text = format_text(scratch(call), format, arguments);
        va_end(arguments);
        return text;
}

/* ---- what the client asked ---- */

const char *quoit_call_path(const quoit_call *call)
{
        return call_is_here(call, __func__) ? call_path(call) : "";
}

upb_StringView quoit_call_authority(const quoit_call *call)
{
        return call_is_here(call, __func__) ? call->request.authority
                                            : upb_StringView_FromDataAndSize(NULL, 0);
}

bool quoit_call_metadata(const quoit_call *call, const char *name, upb_StringView *ret_value)
{
        return call_is_here(call, __func__) && fields_find(&call->request.fields, name, ret_value);
}

bool quoit_call_metadata_next(
        const quoit_call *call, size_t *cursor, upb_StringView *ret_name, upb_StringView *ret_value)
{
        return call_is_here(call, __func__) &&
               fields_next(&call->request.fields, cursor, ret_name, ret_value);
}

uint64_t quoit_call_deadline_ns(const quoit_call *call)
{
        return call_is_here(call, __func__) ? call->exchange.deadline_ns : UINT64_MAX;
}

bool quoit_call_cancelled(const quoit_call *call)
{
        return atomic_load_explicit(&call->cancelled, memory_order_relaxed);
}

/* ---- answering ---- */

static int add_field(
        quoit_call *call, struct fields *fields, const char *name, upb_StringView value)
{
        upb_Arena *arena = call_arena(call);

        if (!arena)
                return -ENOMEM;
        return fields_send(fields, arena, name, value.data, value.size,
                call_limits(call)->metadata_out_bytes_max);
}

int quoit_call_add_header(quoit_call *call, const char *name, upb_StringView value)
{
        if (!call_is_here(call, __func__))
                return -EPERM;
        if (call->handler.headers_asked || call->handler.finish_asked)
                return -EALREADY;
        return add_field(call, &call->handler.header_fields, name, value);
}

int quoit_call_add_trailer(quoit_call *call, const char *name, upb_StringView value)
{
        if (!call_is_here(call, __func__))
                return -EPERM;
        if (call->handler.finish_asked)
                return -EALREADY;
        if (call_is_generic(call) && strcmp(name, RPC_STATUS_FIELD) == 0)
                return call_add_status_details(call, value.data, value.size);
        return add_field(call, &call->handler.trailer_fields, name, value);
}

void quoit_call_send_headers(quoit_call *call)
{
        if (!call_is_here(call, __func__) || call->handler.headers_asked || call_is_over(call) ||
                call->request.is_http)
                return;
        call->handler.headers_asked = true;
        if (!call->offload)
                call_submit_headers(call);
        else
                (void)offload_send_headers(
                        call->offload); /* without memory they are sent with the first message */
}

static bool has_room(const quoit_call *call)
{
        const struct call_group *group = call->exchange.group;

        return call->exchange.writer.queued_bytes < call_limits(call)->call_queue_bytes_max &&
               !call_group_is_over_budget(group) &&
               room_allows(&group->host->room, group->queued_bytes);
}

static bool wait_until_writable(const quoit_call *call)
{
        ((quoit_call *)call)->handler.wants_writable = true;
        return false;
}

/* Not inlined, so that its caller has no registers to save: a stream on the ring asks before each message. */
static __attribute__((noinline)) bool offloaded_is_writable(const quoit_call *call)
{
        return offload_is_writable(call->offload) || wait_until_writable(call);
}

bool quoit_call_writable(const quoit_call *call)
{
        if (!call_is_here(call, __func__) || call_is_over(call))
                return false;
        if (call->offload)
                return offloaded_is_writable(call);
        return has_room(call) || wait_until_writable(call);
}

size_t call_cut_status_text(const char *text, size_t size)
{
        if (size <= STATUS_TEXT_BYTES_MAX)
                return size;
        size = STATUS_TEXT_BYTES_MAX;
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
                size--;
        return size;
}

/* The text is not UTF-8, as it must be: clients in other languages could fail on it. "" if memory is short. */
static upb_StringView repair_status_text(quoit_call *call, const char *text, size_t size)
{
        upb_Arena *arena = call_arena(call);
        char *repaired;

        if (size > STATUS_TEXT_BYTES_MAX)
                size = STATUS_TEXT_BYTES_MAX;
        if (!call->handler.misuse)
                call->handler.misuse =
                        "the text of its status is not UTF-8; sent with U+FFFD instead";
        repaired = arena ? upb_Arena_Malloc(arena, size * UTF8_REPAIR_GROWTH) : NULL;
        size = repaired ? utf8_repair(repaired, text, size) : 0;
        return upb_StringView_FromDataAndSize(repaired, call_cut_status_text(repaired, size));
}

static upb_StringView sent_status_text(quoit_call *call, const char *text, size_t size)
{
        size_t cut = call_cut_status_text(text, size);

        if (size == 0 || (cut > 0 && utf8_is_valid(text, cut)))
                return upb_StringView_FromDataAndSize(text, cut);
        return repair_status_text(call, text, size);
}

/* Keeps the text in the call's arena, encoded for the wire. Without memory the status is sent alone. */
static void set_status(quoit_call *call, quoit_status status, const char *text, size_t size)
{
        size_t encoded_size = percent_encoded_size(text, size);
        upb_Arena *arena = size > 0 ? call_arena(call) : NULL;
        char *encoded = arena ? upb_Arena_Malloc(arena, encoded_size) : NULL;

        call->handler.finish_asked = true;
        call->handler.held = false;
        call->handler.status = status;
        if (!encoded)
                return;
        call->handler.status_text_size = percent_encode(encoded, text, size);
        call->handler.status_text = encoded;
        call->handler.keeps_arena = true;
}

/* A cast can give any number. */
static void note_status(quoit_call *call, quoit_status status)
{
        upb_StringView text = quoit_call_format(call,
                "it finished with the status %d, which gRPC has not; sent as UNKNOWN", (int)status);

        call->handler.misuse =
                text.size ? text.data : "it finished with no status of gRPC's; sent as UNKNOWN";
}

/* gRPC's clients report OK without the one message as a broken answer, or hang. */
static bool lacks_answer(const quoit_call *call)
{
        return call->request.route && !call_sends_many(call) &&
               call->exchange.lent.messages_sent == 0 && !quoit_call_cancelled(call);
}

void call_finish(struct quoit_call *call, quoit_status status, const char *text, size_t size)
{
        upb_StringView sent;

        if (call->handler.finish_asked) {
                call_note_after_finish(call, "it finished the call, which was finished before");
                call->handler.finish_owed = false;
                return;
        }
        if (status == QUOIT_OK && lacks_answer(call)) {
                call->handler.misuse = "it finished OK without an answer; answered INTERNAL";
                status = QUOIT_INTERNAL;
                text = "the handler did not answer";
                size = strlen(text);
        }
        if (status_or_unknown(status) != status)
                note_status(call, status);
        sent = sent_status_text(call, text, size);
        set_status(call, status_or_unknown(status), sent.data, sent.size);
        if (call->offload)
                return; /* applied when the call is back from its worker */
        if (call->ring.state == CALL_OPEN)
                call_apply_finish(call);
        else
                call_wake(call); /* it was cancelled before: only the hold ends */
}

void quoit_call_finish(quoit_call *call, quoit_status status, const char *message)
{
        if (call_is_here(call, __func__))
                call_finish(call, status, message, message ? strlen(message) : 0);
}

void quoit_call_finishf(quoit_call *call, quoit_status status, const char *format, ...)
{
        upb_StringView text;
        va_list arguments;

        if (!call_is_here(call, __func__))
                return;
        va_start(arguments, format);
        text = format_text(call_arena(call), format, arguments);
        va_end(arguments);
        call_finish(call, status, text.data, text.size);
}

/* ---- streaming, and its end ---- */

void quoit_call_pump(quoit_call *call, void (*pump)(quoit_call *call, void *state), void *state)
{
        if (!call_is_here(call, __func__))
                return;
        call->handler.pump = pump;
        call->handler.pump_state = state;
        call->handler.wants_writable = true;
        if (!call->offload)
                call_wake(call);
}

void quoit_call_on_cancel(
        quoit_call *call, void (*on_cancel)(quoit_call *call, void *state), void *state)
{
        if (!call_is_here(call, __func__))
                return;
        call->handler.on_cancel = on_cancel;
        call->handler.cancel_state = state;
}

void quoit_call_on_done(
        quoit_call *call, void (*on_done)(quoit_call *call, void *state), void *state)
{
        if (!call_is_here(call, __func__))
                return;
        call->handler.on_done = on_done;
        call->handler.done_state = state;
}

/* ---- backpressure ---- */

void quoit_call_set_read_credits(quoit_call *call, uint32_t credits)
{
        if (!call_is_here(call, __func__))
                return;
        call->exchange.lent.credits = credits;
        if (!call->offload)
                call_wake(call);
}

uint32_t quoit_call_read_credits(const quoit_call *call)
{
        return call_is_here(call, __func__) ? call->exchange.lent.credits : 0;
}
