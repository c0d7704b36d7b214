/* SPDX-License-Identifier: MIT */

/* What the caller hears of a call, one event after the other. */

#include <errno.h>

#include "call/budget.h"
#include "call/compressor.h"
#include "client/channel.h"
#include "client/client_connection.h"
#include "client/note.h"
#include "client/outcall.h"
#include "client/outcall_retry.h"
#include "codec/message.h"
#include "core/clock.h"

/* Of one call in a turn. Of small messages it may run more: they are in the cache now, and would have left it by its next turn. */
#define EVENTS_A_TURN 16
#define SMALL_EVENTS_A_TURN 128
#define SMALL_BYTES_A_TURN ((size_t)8192)

/* What a call has done in this turn. */
struct stint {
        unsigned events;
        size_t bytes; /* of messages */
};

static bool stint_is_over(const struct stint *stint)
{
        return stint->events >= EVENTS_A_TURN &&
               (stint->events >= SMALL_EVENTS_A_TURN || stint->bytes >= SMALL_BYTES_A_TURN);
}

enum event {
        EVENT_NONE,
        EVENT_ATTEMPT, /* one that its interceptors have not seen begin */
        EVENT_LEFT, /* an attempt: of that the caller hears nothing */
        EVENT_HEADERS,
        EVENT_MESSAGE, /* of a stream */
        EVENT_WRITABLE,
        EVENT_DONE,
};

static bool has_headers_to_tell(const struct quoit_outcall *call)
{
        const struct quoit_outcall *known = outcall_known(call);

        return call->response.has_headers && !call->headers_told &&
               (known->handler->on_headers || known->interception);
}

/* What is due follows from the call's state alone. */
static enum event next_event(const struct quoit_outcall *call)
{
        const struct exchange *exchange = &call->exchange;

        if (call->state == OUTCALL_DONE)
                return EVENT_NONE;
        if (call->attempt.is_new)
                return EVENT_ATTEMPT;
        if (call->has_left)
                return EVENT_LEFT;
        if (call->has_failed)
                return EVENT_DONE;
        if (has_headers_to_tell(call))
                return EVENT_HEADERS;
        if (exchange->takes_many && exchange_has_message(exchange))
                return EVENT_MESSAGE;
        if (call->state == OUTCALL_ENDED)
                return exchange->takes_many && exchange->reader.first ? EVENT_NONE : EVENT_DONE;
        if (call->wants_writable && exchange->writer.queued_bytes == 0)
                return EVENT_WRITABLE;
        return EVENT_NONE;
}

/* ---- messages ---- */

static void fail_decode(struct quoit_outcall *call, int error)
{
        switch (error) {
        case -ENOMEM:
                outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED,
                        "a message of the server becomes larger than its connection has room left "
                        "for "
                        "(connection_receive_bytes_max)");
                break;
        case -EMSGSIZE:
                outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED,
                        "a message of the server is over the limit (message_receive_bytes_max) "
                        "when "
                        "decompressed");
                break;
        case -E2BIG:
                outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED,
                        "a message of the server is nested too deeply, or compressed in too many "
                        "blocks");
                break;
        case -EILSEQ:
                outcall_fail(
                        call, QUOIT_INTERNAL, "a message of the server has text that is not UTF-8");
                break;
        case -ENODATA:
                outcall_fail(
                        call, QUOIT_INTERNAL, "a message of the server lacks a required field");
                break;
        case -ENOBUFS:
                outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                break;
        default:
                outcall_fail(call, QUOIT_INTERNAL,
                        "a message of the server does not decompress, or does not parse");
                break;
        }
}

/* For a caller that parses it by itself. */
static int hand_over(struct quoit_outcall *call, const struct reader_message *message)
{
        struct quoit_outcall *known = outcall_known(call);
        const quoit_message_info info = { .size = message->size,
                .bytes = upb_StringView_FromDataAndSize(
                        (const char *)message->data, message->size) };

        interception_received(known, &info);
        if (call->has_failed)
                return 0;
        if (known->on_bytes)
                return known->on_bytes(known, message->data, message->size);
        known->handler->on_bytes(known, info.bytes, known->user);
        return 0;
}

static bool parses_by_itself(const struct quoit_outcall *known)
{
        return known->on_bytes || known->handler->on_bytes;
}

/* The parsed message; NULL: the call has failed, or its caller parses it. *@ret_taken: how much that took, for budget_settle(). */
static upb_Message *decode(
        struct quoit_outcall *call, struct reader_message *message, size_t *ret_taken)
{
        struct exchange *exchange = &call->exchange;
        struct call_host *host = exchange->group->host;
        upb_Arena *arena = exchange_message_arena(exchange);
        bool is_heavy = reader_message_is_heavy(message); /* then its time counts */
        uint64_t began_ns = is_heavy ? ring_clock_ns(host->ring) : 0;
        upb_Message *decoded = NULL;
        struct budget budget;
        int r = 0;

        if (!arena) {
                outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return NULL;
        }
        exchange->lent.message_compression = message->compression;
        budget_begin(&budget, exchange->group, arena);
        if (message->compression != QUOIT_IDENTITY)
                r = exchange_decompress(exchange, &host->coders, message, arena);
        if (r == 0 && parses_by_itself(outcall_known(call)))
                r = hand_over(call, message);
        else if (r == 0)
                r = message_decode(message->data, message->size, call->method->reply,
                        host->extensions, arena, &decoded, NULL);
        budget_end(&budget);
        *ret_taken = budget.taken;
        if (is_heavy)
                exchange->group->work_ns += ring_clock_ns(host->ring) - began_ns;
        if (r < 0)
                fail_decode(call, r);
        return r < 0 ? NULL : decoded;
}

/* @size: as it arrived, decompressed. */
static void tell_message(struct quoit_outcall *call, const struct upb_Message *message, size_t size)
{
        struct quoit_outcall *known = outcall_known(call);
        const quoit_message_info info = {
                .message = message, .type = call->method->reply, .size = size
        };

        if (known->interception)
                interception_received(known, &info);
        if (!call->has_failed && known->handler->on_message)
                known->handler->on_message(known, message, known->user);
}

static void run_message(struct quoit_outcall *call, struct stint *stint)
{
        struct exchange *exchange = &call->exchange;
        const struct upb_Message *decoded;
        struct reader_message message;
        size_t taken = 0;

        if (!reader_take(exchange, &message))
                return;
        stint->bytes += message.size;
        decoded = decode(call, &message, &taken);
        if (decoded)
                tell_message(call, decoded, message.size);
        reader_message_free(&message);
        budget_settle(exchange->group, taken);
        exchange_message_over(exchange, taken);
}

/* The only reply, once the status is known to be good. */
static void run_reply(struct quoit_outcall *call)
{
        struct exchange *exchange = &call->exchange;
        const struct upb_Message *decoded;
        struct reader_message message;
        size_t taken = 0;

        if (!reader_take(exchange, &message))
                return;
        decoded = decode(call, &message, &taken);
        budget_settle(exchange->group, taken);
        reader_hold_parsed(exchange, taken);
        call->reply = decoded;
        if (decoded)
                tell_message(call, decoded, message.size);
}

/* ---- events ---- */

/* Health checks are nobody's calls. */
static void count_done(struct quoit_outcall *call, quoit_status status)
{
        struct call_counts *counts = &call->channel->call_counts;

        if (!call->is_check)
                counter_add(status == QUOIT_OK ? &counts->succeeded : &counts->failed, 1);
}

static void run_headers(struct quoit_outcall *call)
{
        struct quoit_outcall *known = outcall_known(call);

        call->headers_told = true;
        interception_headers(known);
        if (!call->has_failed && known->handler->on_headers)
                known->handler->on_headers(known, known->user);
}

/* Its end is the end of the call that its caller knows. */
static void tell_done(struct quoit_outcall *call)
{
        struct quoit_outcall *known = outcall_known(call);

        if (!call->exchange.takes_many && !call->has_failed && call->status == QUOIT_OK)
                run_reply(call); /* which may make the call fail */
        outcall_set_done(call);
        if (known != call)
                hedging_set_done(known);
        count_done(known, call->status);
        interception_note_end(known);
        if (known->handler->on_done)
                known->handler->on_done(known, call->status, known->user);
}

static void run_done(struct quoit_outcall *call)
{
        struct quoit_outcall *known = outcall_known(call);

        if (known == call || known->hedging->winner == call)
                tell_done(call);
        else
                outcall_set_done(call); /* nobody hears of it */
        interception_settle(known);
}

static void run_event(struct quoit_outcall *call, enum event event, struct stint *stint)
{
        struct quoit_outcall *known = outcall_known(call);

        stint->events++;
        switch (event) {
        case EVENT_ATTEMPT:
                interception_tell_attempt(call);
                break;
        case EVENT_LEFT:
                outcall_settle(call);
                break;
        case EVENT_HEADERS:
                run_headers(call);
                break;
        case EVENT_MESSAGE:
                run_message(call, stint);
                break;
        case EVENT_WRITABLE:
                call->wants_writable = false;
                if (known->handler->on_writable)
                        known->handler->on_writable(known, known->user);
                break;
        case EVENT_DONE:
                run_done(call);
                break;
        case EVENT_NONE:
                break;
        }
}

/* What the program calls what runs then. */
static const char *callback_name(enum event event)
{
        switch (event) {
        case EVENT_HEADERS:
                return "on_headers";
        case EVENT_MESSAGE:
                return "on_message";
        case EVENT_WRITABLE:
                return "on_writable";
        case EVENT_DONE:
                return "on_done";
        default:
                return "an interceptor";
        }
}

/* Large messages have taken its connection's time of this turn. */
static bool has_worked_enough(const struct quoit_outcall *call)
{
        const struct call_group *group = call->exchange.group;

        return group->work_ns > group->host->limits->turn_work_us * NS_PER_US;
}

/* Also the messages behind it: looking at the clock costs as much as a small message does. */
static void run(struct quoit_outcall *call, enum event event, struct stint *stint)
{
        struct client *client = call->channel->client;
        const char *path = call->method->path;
        uint64_t began_ns = note_callback(client);

        do
                run_event(call, event, stint);
        while (event == EVENT_MESSAGE && !stint_is_over(stint) && next_event(call) == event &&
                !has_worked_enough(call));
        note_callback_end(client, began_ns, path, callback_name(event));
}

static enum dispatched run_events(struct quoit_outcall *call, struct stint *stint)
{
        while (!stint_is_over(stint)) {
                enum event event = next_event(call);

                if (event == EVENT_NONE)
                        return DISPATCHED_ALL;
                if (event == EVENT_WRITABLE && call_group_is_congested(call->exchange.group))
                        return DISPATCHED_CONGESTED;
                if (event == EVENT_MESSAGE && has_worked_enough(call))
                        return DISPATCHED_SOME;
                run(call, event, stint);
                if (event == EVENT_DONE) {
                        outcall_release(call);
                        return DISPATCHED_ALL;
                }
        }
        return next_event(call) != EVENT_NONE ? DISPATCHED_SOME : DISPATCHED_ALL;
}

enum dispatched outcall_run(struct exchange *exchange, bool in_line)
{
        struct quoit_outcall *call = outcall_of(exchange);
        struct call_group *group = exchange->group; /* the call may be freed, or move */
        bool is_connected = group != &call->channel->group;
        struct stint stint = { 0 };
        enum dispatched dispatched = run_events(call, &stint);

        (void)in_line;
        if (is_connected && stint.events > EVENTS_A_TURN)
                connection_charge(
                        &client_connection_of(group)->connection, stint.events / EVENTS_A_TURN);
        return dispatched;
}

void outcall_run_unconnected(struct exchange *exchange)
{
        struct quoit_outcall *call = outcall_of(exchange);

        /* congested: it is woken again when it is begun */
        if (outcall_run(exchange, true) == DISPATCHED_SOME)
                outcall_wake(call);
}
