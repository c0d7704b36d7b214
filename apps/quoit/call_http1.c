/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../common/clock.h"
#include "call_talk.h"
#include "connection_http1.h"
#include "http1/fields.h"
#include "message.h"
#include "say.h"
#include "upb/wire/decode.h"
#include "upb/wire/encode.h"

/* A call over HTTP/1.1: all requests first, then replies as they come. */

/* ---- out ---- */

/* As JSON or as protobuf. An exit status. */
static int add(struct talk *talk, struct http1_call *call, upb_Message *message, upb_Arena *arena)
{
        const struct source_method *method = talk->method;
        quoit_problem problem;
        upb_StringView bytes;
        char *data;
        int r;

        if (call->is_json) {
                if (message_print_json(
                            talk->source, method->request, message, 0, arena, &bytes, &problem) < 0)
                        return say_usage("%s: the message cannot be JSON: %s", talk->input.name,
                                problem.text);
        } else {
                if (upb_Encode(message, method->quoit.request, kUpb_EncodeOption_CheckRequired,
                            arena, &data, &bytes.size) != kUpb_EncodeStatus_Ok)
                        return say_usage("%s: the message cannot be sent: a required field is not "
                                         "set, or it is nested too deeply",
                                talk->input.name);
                bytes.data = data;
        }
        r = http1_call_add(call, bytes);
        if (r < 0)
                return say_failed("%s: %s", talk->input.name, strerror(-r));
        talk->outcome.sent++;
        return EXIT_DONE;
}

static int gather(struct talk *talk, struct http1_call *call)
{
        int status = EXIT_DONE;
        bool has_more = true;

        while (status == EXIT_DONE && has_more) {
                upb_Arena *arena = upb_Arena_New();
                upb_Message *message = NULL;

                if (!arena)
                        return say_failed("out of memory");
                status = talk_sends_many(talk) ? talk_read_next(talk, arena, &message)
                                               : talk_read_one(talk, arena, &message);
                has_more = talk_sends_many(talk) && message;
                if (status == EXIT_DONE && message)
                        status = add(talk, call, message, arena);
                upb_Arena_Free(arena);
        }
        return status;
}

/* ---- in ---- */

static void on_headers(const struct metadata *headers, void *user)
{
        struct talk *talk = user;

        talk->outcome.headers_ns = clock_now_ns();
        talk->outcome.headers = *headers;
        talk->has_headers = true;
}

/* NULL: it is none. */
static upb_Message *parse(struct talk *talk, upb_StringView bytes, upb_Arena *arena)
{
        const struct source_method *method = talk->method;
        const upb_MiniTable *table = method->quoit.reply;
        upb_Message *message;
        quoit_problem problem;

        if (talk->options->is_json_codec)
                return message_parse_json(talk->source, method->reply, bytes, true, arena, &message,
                               &problem) == 0
                               ? message
                               : NULL;
        message = upb_Message_New(table, arena);
        if (!message || upb_Decode(bytes.data, bytes.size, message, table,
                                upb_DefPool_ExtensionRegistry(source_pool(talk->source)), 0,
                                arena) != kUpb_DecodeStatus_Ok)
                return NULL;
        return message;
}

static int on_message(upb_StringView bytes, void *user)
{
        struct talk *talk = user;
        upb_Arena *arena = upb_Arena_New();
        upb_Message *message = arena ? parse(talk, bytes, arena) : NULL;

        if (!message) {
                if (arena)
                        upb_Arena_Free(arena);
                return -EBADMSG;
        }
        talk_take(talk, message, arena);
        talk_show(talk);
        return talk->status == EXIT_DONE && !talk->has_lost_stdout ? 0 : -ECANCELED;
}

/* ---- the whole ---- */

/* Flags that only gRPC has. */
static int check(const struct call_options *options)
{
        const char *flag = options->compression                 ? "--compress"
                           : options->connection.retries        ? "--retry"
                           : options->connection.service_config ? "--service-config"
                                                                : NULL;

        return flag ? say_usage("%s: not by HTTP/1.1", flag) : EXIT_DONE;
}

static void end(struct talk *talk, const struct http1_end *end)
{
        struct outcome *outcome = &talk->outcome;
        struct signalfd_siginfo info;

        outcome->ended_ns = clock_now_ns();
        outcome->status = end->status;
        outcome->message = end->message;
        outcome->trailers = end->trailers;
        outcome->details = end->details;
        outcome->was_interrupted = end->is_stopped;
        if (end->is_stopped) /* it is not to come again */
                (void)!read(talk->signals, &info, sizeof(info));
        talk->is_done = true;
}

static int run(struct talk *talk, struct http1_call *call)
{
        struct http1_end ended;
        struct metadata metadata;
        int status = metadata_make(&talk->options->metadata, false, talk->arena, &metadata);

        if (status != EXIT_DONE)
                return status;
        if (!fields_are_good(&metadata))
                return talk_refuse_metadata();
        call->metadata = &metadata;
        talk_open_signals(talk);
        call->stop_fd = talk->signals;
        report_begin(&talk->report, &metadata);
        talk->outcome.begun_ns = clock_now_ns();
        connection_call_http1(talk->connection, call, &ended);
        end(talk, &ended);
        return EXIT_DONE;
}

int talk_by_http1(struct talk *talk)
{
        struct http1_call call = { .is_json = talk->options->is_json_codec,
                .method = &talk->method->quoit,
                .deadline_ns = talk->connection->due_ns,
                .arena = talk->arena,
                .on_headers = on_headers,
                .on_message = on_message,
                .user = talk };
        int status = check(talk->options);

        if (status == EXIT_DONE)
                status = gather(talk, &call);
        if (status == EXIT_DONE)
                status = run(talk, &call);
        http1_call_deinit(&call);
        return status;
}
