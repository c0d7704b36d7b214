/* SPDX-License-Identifier: MIT */
#include "call_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../common/clock.h"
#include "call_input.h"
#include "call_report.h"
#include "message.h"
#include "paint.h"
#include "say.h"
#include "text_parse.h"
#include "upb/wire/decode.h"
#include "upb/wire/encode.h"

#define CREDITS 64 /* messages that have arrived and were not printed yet */

/* A reply that waits to be printed: within a callback the server cannot be asked for the types of its Anys. */
struct received {
        struct received *next;
        upb_Arena *arena; /* holds it */
        upb_Message *message;
};

struct talk {
        const struct call_options *options;
        struct connection *connection;
        struct source *source;
        const struct source_method *method;
        struct input input;
        struct report report;
        struct outcome outcome;
        quoit_outcall *call; /* NULL: it is over */
        upb_Arena *arena; /* of what the outcome has */
        struct received *first, **last;
        int signals; /* signalfd(2) */
        bool has_headers, has_shown_headers;
        bool is_half_closed;
        bool is_done;
        int status; /* EXIT_DONE, or what else went wrong */
};

static bool takes_many(const struct talk *talk)
{
        return talk->method->quoit.kind == QUOIT_CLIENT_STREAMING ||
               talk->method->quoit.kind == QUOIT_BIDI;
}

static bool gives_many(const struct talk *talk)
{
        return talk->method->quoit.kind == QUOIT_SERVER_STREAMING ||
               talk->method->quoit.kind == QUOIT_BIDI;
}

/* ---- what comes ---- */

static upb_StringView copy(upb_Arena *arena, upb_StringView text)
{
        char *bytes = upb_Arena_Malloc(arena, text.size + 1);

        if (!bytes)
                return upb_StringView_FromDataAndSize(NULL, 0);
        memcpy(bytes, text.data, text.size);
        bytes[text.size] = '\0';
        return upb_StringView_FromDataAndSize(bytes, text.size);
}

/* The headers, or the trailers. */
static void copy_fields(struct talk *talk,
        bool (*next)(const quoit_outcall *call, size_t *cursor, upb_StringView *ret_name,
                upb_StringView *ret_value),
        const quoit_outcall *call, struct metadata *fields)
{
        upb_StringView name, value;
        size_t cursor = 0;

        while (next(call, &cursor, &name, &value)) {
                size_t size = sizeof(*fields->list);
                quoit_metadata *list = upb_Arena_Realloc(talk->arena, fields->list,
                        fields->count * size, (fields->count + 1) * size);

                if (!list)
                        return;
                fields->list = list;
                fields->list[fields->count++] =
                        (quoit_metadata){ copy(talk->arena, name).data, copy(talk->arena, value) };
        }
}

static void on_headers(quoit_outcall *call, void *user)
{
        struct talk *talk = user;

        talk->outcome.headers_ns = clock_now_ns();
        talk->has_headers = true;
        copy_fields(talk, quoit_outcall_header_next, call, &talk->outcome.headers);
}

/* With the extensions that the schema knows, and the client did not. */
static upb_Message *parse_again(
        const struct talk *talk, const upb_Message *message, upb_Arena *arena)
{
        const upb_MiniTable *table = talk->method->quoit.reply;
        upb_Message *again = upb_Message_New(table, arena);
        size_t size;
        char *bytes;

        if (!again || upb_Encode(message, table, 0, arena, &bytes, &size) != kUpb_EncodeStatus_Ok)
                return NULL;
        if (upb_Decode(bytes, size, again, table,
                    upb_DefPool_ExtensionRegistry(source_pool(talk->source)), 0,
                    arena) != kUpb_DecodeStatus_Ok)
                return NULL;
        return again;
}

static void on_message(quoit_outcall *call, const upb_Message *message, void *user)
{
        struct talk *talk = user;
        upb_Arena *arena = upb_Arena_New();
        struct received *received = arena ? upb_Arena_Malloc(arena, sizeof(*received)) : NULL;

        (void)call;
        if (talk->outcome.received++ == 0)
                talk->outcome.first_ns = clock_now_ns();
        if (!received) {
                if (arena)
                        upb_Arena_Free(arena);
                talk->status = say_failed("out of memory");
                return;
        }
        *received = (struct received){ NULL, arena,
                talk->method->has_extensions
                        ? parse_again(talk, message, arena)
                        : upb_Message_DeepClone(message, talk->method->quoit.reply, arena) };
        *talk->last = received;
        talk->last = &received->next;
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct talk *talk = user;

        talk->outcome.ended_ns = clock_now_ns();
        talk->outcome.status = status;
        talk->outcome.message = copy(talk->arena, quoit_outcall_status_message(call));
        copy_fields(talk, quoit_outcall_trailer_next, call, &talk->outcome.trailers);
        talk->call = NULL;
        talk->is_done = true;
}

/* Prints one that waits. */
static void show_first(struct talk *talk)
{
        struct received *received = talk->first;
        int status = EXIT_DONE;

        talk->first = received->next;
        if (!talk->first)
                talk->last = &talk->first;
        if (!received->message)
                status = say_failed("out of memory");
        else
                status = report_message(&talk->report, received->message, received->arena);
        if (talk->status == EXIT_DONE)
                talk->status = status;
        upb_Arena_Free(received->arena);
}

/* A reader who has gone ends the call, quietly. */
static void flush(struct talk *talk)
{
        if (fflush(stdout) != EOF || talk->outcome.was_interrupted)
                return;
        if (errno != EPIPE)
                talk->status = say_failed("stdout: %s", strerror(errno));
        talk->outcome.was_interrupted = true;
        if (talk->call)
                quoit_outcall_cancel(talk->call);
}

static void show(struct talk *talk)
{
        bool has_some = talk->first;

        if (talk->has_headers && !talk->has_shown_headers) {
                talk->has_shown_headers = true;
                report_headers(&talk->report, &talk->outcome.headers);
        }
        while (talk->first)
                show_first(talk);
        if (!has_some)
                return;
        flush(talk);
        if (talk->call && gives_many(talk))
                quoit_outcall_set_read_credits(talk->call, CREDITS);
}

/* ---- what is sent ---- */

static int parse(
        struct talk *talk, upb_StringView text, upb_Arena *arena, upb_Message **ret_message)
{
        const struct call_options *options = talk->options;
        char where[32] = "";
        quoit_problem problem;
        int r;

        if (options->is_text)
                r = text_parse(
                        talk->source, talk->method->request, text, arena, ret_message, &problem);
        else
                r = message_parse_json(talk->source, talk->method->request, text,
                        options->ignores_unknown, arena, ret_message, &problem);
        if (r == 0)
                return EXIT_DONE;
        if (talk->input.number > 1)
                snprintf(where, sizeof(where), ", message %lu", talk->input.number);
        return say_usage("%s%s: %s", talk->input.name, where, problem.text);
}

static const char *reason_of(int r)
{
        switch (r) {
        case -EMSGSIZE:
                return "it is larger than a message may be";
        case -EINVAL:
                return "a required field is not set";
        case -E2BIG:
                return "it is nested too deeply";
        case -EILSEQ:
                return "a string in it is not UTF-8";
        default:
                return strerror(-r);
        }
}

static int send(struct talk *talk, const upb_Message *message)
{
        int r = quoit_outcall_send(talk->call, message);

        if (r < 0)
                return say_usage(
                        "%s: the message cannot be sent: %s", talk->input.name, reason_of(r));
        talk->outcome.sent++;
        return EXIT_DONE;
}

static int send_text(struct talk *talk, upb_StringView text)
{
        upb_Arena *arena = upb_Arena_New();
        upb_Message *message;
        int status = arena ? parse(talk, text, arena, &message) : say_failed("out of memory");

        /* for the types of its Anys turns were made: the call may have ended in them */
        if (status == EXIT_DONE && talk->call)
                status = send(talk, message);
        if (arena)
                upb_Arena_Free(arena);
        return status;
}

static void give_up(struct talk *talk, int status)
{
        talk->status = status;
        talk->is_half_closed = true;
        if (talk->call)
                quoit_outcall_cancel(talk->call);
}

/* As much as there is, and as there is room for. True: more is to be read first. */
static bool send_some(struct talk *talk)
{
        upb_StringView text;

        while (talk->call && !talk->is_half_closed && quoit_outcall_writable(talk->call)) {
                int r = input_next(&talk->input, &text), status = EXIT_DONE;

                if (r == 0)
                        return true;
                if (r == 1) {
                        status = send_text(talk, text);
                } else if (r == -ENODATA) {
                        talk->is_half_closed = true;
                        quoit_outcall_half_close(talk->call);
                } else {
                        status = EXIT_USAGE;
                }
                if (status != EXIT_DONE)
                        give_up(talk, status);
        }
        return false;
}

/* ---- the call ---- */

/* What is left of the time for all. 0: there is no limit. */
static uint32_t time_left(const struct talk *talk)
{
        uint64_t used_ms = (clock_now_ns() - talk->connection->begun_ns) / 1000000;

        if (talk->options->time_ms == 0)
                return 0;
        return used_ms < talk->options->time_ms ? talk->options->time_ms - (uint32_t)used_ms : 1;
}

static int start(struct talk *talk)
{
        static const quoit_outcall_handler handler = {
                .on_headers = on_headers, .on_message = on_message, .on_done = on_done
        };
        quoit_call_options options = { .timeout_ms = time_left(talk),
                .wait_for_ready = talk->options->waits ? QUOIT_WAIT_FOR_READY : 0,
                .compression = (quoit_compression)talk->options->compression };
        struct metadata metadata;
        int status = metadata_make(&talk->options->metadata, false, talk->arena, &metadata), r;

        if (status != EXIT_DONE)
                return status;
        report_begin(&talk->report, &metadata);
        options.metadata = metadata.list;
        options.metadata_count = metadata.count;
        talk->outcome.begun_ns = clock_now_ns();
        r = quoit_outcall_start(talk->connection->channel, &talk->method->quoit, &options, &handler,
                talk, &talk->call);
        if (r == -EINVAL)
                return say_usage("-H: no such metadata: a name has letters, digits, - _ . and does "
                                 "not begin with grpc-; a value is printable ASCII");
        if (r < 0)
                return say_failed("the call cannot begin: %s", strerror(-r));
        if (gives_many(talk))
                quoit_outcall_set_read_credits(talk->call, CREDITS);
        return EXIT_DONE;
}

static void take_signal(struct talk *talk)
{
        struct signalfd_siginfo info;

        if (read(talk->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
                return;
        if (talk->outcome.was_interrupted)
                _exit(EXIT_CALL + QUOIT_CANCELLED);
        talk->outcome.was_interrupted = true;
        talk->is_half_closed = true;
        if (talk->call)
                quoit_outcall_cancel(talk->call);
}

static void turn(struct talk *talk)
{
        bool reads = send_some(talk);
        struct pollfd more[2] = { { talk->signals, POLLIN, 0 },
                { input_fd(&talk->input), POLLIN, 0 } };
        int r = connection_turn(talk->connection, more, reads ? 2 : 1, -1);

        if (r < 0 && r != -EINTR) {
                give_up(talk, say_failed("%s", strerror(-r)));
                talk->is_done = true;
        }
        if (more[0].revents)
                take_signal(talk);
        if (reads && more[1].revents && talk->call && input_read(&talk->input) < 0)
                give_up(talk, EXIT_FAILED);
        show(talk);
}

/* ---- one request ---- */

/* All of it, before the call begins. *@ret_text: "" stands for a message without fields. */
static int read_one(struct talk *talk, upb_StringView *ret_text)
{
        int r;

        while ((r = input_next(&talk->input, ret_text)) == 0)
                if (input_read(&talk->input) < 0)
                        return EXIT_FAILED;
        if (r == 1)
                return EXIT_DONE;
        *ret_text = upb_StringView_FromString(talk->options->is_text ? "" : "{}");
        return r == -ENODATA ? EXIT_DONE : EXIT_USAGE;
}

static int start_with_one(struct talk *talk)
{
        upb_Arena *arena = upb_Arena_New();
        upb_StringView text, other;
        upb_Message *message;
        int status = arena ? read_one(talk, &text) : say_failed("out of memory");

        if (status == EXIT_DONE)
                status = parse(talk, text, arena, &message);
        if (status == EXIT_DONE && talk->input.number &&
                input_next(&talk->input, &other) != -ENODATA)
                status = say_usage("%s takes one request, and -d has more",
                        upb_MethodDef_FullName(talk->method->def));
        if (status == EXIT_DONE)
                status = start(talk);
        if (status == EXIT_DONE) {
                talk->is_half_closed = true; /* by itself */
                status = send(talk, message);
                if (status != EXIT_DONE)
                        give_up(talk, status);
                status = EXIT_DONE;
        }
        if (arena)
                upb_Arena_Free(arena);
        return status;
}

/* ---- the whole ---- */

static int open_signals(sigset_t *ret_before)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, ret_before);
        return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int talk_to_end(struct talk *talk)
{
        int status = takes_many(talk) ? start(talk) : start_with_one(talk), end;

        if (status != EXIT_DONE)
                return status;
        while (!talk->is_done)
                turn(talk);
        show(talk);
        if (talk->status != EXIT_DONE && talk->outcome.status == QUOIT_CANCELLED)
                return talk->status;
        if (ferror(stdout))
                return talk->status;
        end = report_end(&talk->report, &talk->outcome);
        return end == EXIT_DONE ? talk->status : end;
}

int call_run(const struct call_options *options, struct connection *connection,
        struct source *source, const struct source_method *method)
{
        struct talk talk = { .options = options,
                .connection = connection,
                .source = source,
                .method = method,
                .arena = upb_Arena_New() };
        sigset_t before;
        int status;

        if (!talk.arena)
                return say_failed("out of memory");
        talk.last = &talk.first;
        talk.report = (struct report){ .options = options,
                .connection = connection,
                .source = source,
                .method = method,
                .paint = paint_for(STDOUT_FILENO, options->output.is_plain),
                .is_pretty = output_is_pretty(&options->output, STDOUT_FILENO),
                .schema_ns = clock_now_ns() };
        input_init(&talk.input, &options->data, options->is_text);
        talk.signals = open_signals(&before);
        status = talk_to_end(&talk);
        if (talk.signals >= 0)
                close(talk.signals);
        sigprocmask(SIG_SETMASK, &before, NULL);
        input_deinit(&talk.input);
        upb_Arena_Free(talk.arena);
        return status;
}
