/* SPDX-License-Identifier: MIT */
#include "call_report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "call_envelope.h"
#include "error_details.h"
#include "json_write.h"
#include "message.h"
#include "say.h"

/* ---- for people, on stderr ---- */

static void show_fields(const struct report *report, char mark, const struct metadata *fields)
{
        const struct paint *paint = paint_for(STDERR_FILENO, report->options->output.is_plain);

        for (size_t i = 0; i < fields->count; i++) {
                const quoit_metadata *field = &fields->list[i];

                fprintf(stderr, "%s%c%s %s%s:%s ", paint->dim, mark, paint->end, paint->key,
                        field->name, paint->end);
                say_value(field->name, field->value);
                fputc('\n', stderr);
        }
}

static void show_times(const struct report *report, const struct outcome *outcome)
{
        const struct connection *connection = report->connection;
        const struct {
                const char *name;
                uint64_t from_ns, to_ns;
        } times[] = {
                { "connected", connection->begun_ns, connection->ready_ns },
                { "schema", connection->ready_ns, report->schema_ns },
                { "headers", outcome->begun_ns, outcome->headers_ns },
                { "first message", outcome->begun_ns, outcome->first_ns },
                { "call", outcome->begun_ns, outcome->ended_ns },
        };

        for (unsigned i = 0; i < sizeof(times) / sizeof(*times); i++)
                if (times[i].to_ns)
                        fprintf(stderr, "* %s: %.3f ms\n", times[i].name,
                                (double)(times[i].to_ns - times[i].from_ns) / 1e6);
}

/* ---- the steps ---- */

void report_begin(struct report *report, const struct metadata *sent)
{
        const struct connection *connection = report->connection;

        if (report->options->verbosity == 0)
                return;
        fprintf(stderr, "* %s, %s, %s\n", connection->target,
                connection->scheme == SCHEME_TLS ? "TLS" : "in the clear",
                protocol_name(connection->protocol));
        fprintf(stderr, "> %s\n", report->method->quoit.path);
        show_fields(report, '>', sent);
}

void report_headers(struct report *report, const struct metadata *headers)
{
        if (report->options->verbosity)
                show_fields(report, '<', headers);
        if (report->options->output.is_json) {
                envelope_begin(report, headers);
                fflush(stdout);
        }
        report->has_begun = true;
}

static int print_text(struct report *report, const upb_Message *message, upb_Arena *arena)
{
        upb_StringView text;

        if (message_print_text(report->source, report->method->reply, message, arena, &text) < 0)
                return say_failed("out of memory");
        if (report->count > 1)
                fputs("\036\n", stdout);
        fwrite(text.data, 1, text.size, stdout);
        return EXIT_DONE;
}

int report_message(struct report *report, upb_Message *message, upb_Arena *arena)
{
        quoit_problem problem;
        upb_StringView text;

        report->count++;
        if (report->options->is_text && !report->options->output.is_json)
                return print_text(report, message, arena);
        if (message_print_json(report->source, report->method->reply, message,
                    output_json_options(&report->options->output), arena, &text, &problem) < 0)
                return say_failed("message %lu cannot be JSON: %s; see it by --format text",
                        (unsigned long)report->count, problem.text);
        if (report->options->output.is_json) {
                envelope_message(report, text);
                return EXIT_DONE;
        }
        json_write(stdout, text, report->is_pretty, 0, report->paint);
        putchar('\n');
        return EXIT_DONE;
}

static void say_status(struct report *report, const struct outcome *outcome)
{
        const char *name = quoit_status_name(outcome->status);

        if (report->options->is_error_json) {
                error_details_print_status(report, outcome);
                return;
        }
        if (outcome->was_interrupted)
                say("cancelled: interrupted after %lu message%s", (unsigned long)outcome->received,
                        outcome->received == 1 ? "" : "s");
        else if (outcome->message.size)
                say("%s: %.*s", name, (int)outcome->message.size, outcome->message.data);
        else
                say("%s", name);
        error_details_say(report, outcome);
}

int report_end(struct report *report, const struct outcome *outcome)
{
        if (report->options->output.is_json) {
                if (!report->has_begun)
                        report_headers(report, &outcome->headers);
                envelope_end(report, outcome);
        }
        if (report->options->verbosity)
                show_fields(report, '<', &outcome->trailers);
        if (report->options->verbosity > 1)
                show_times(report, outcome);
        if (outcome->status == QUOIT_OK)
                return EXIT_DONE;
        if (!report->options->output.is_json)
                say_status(report, outcome);
        return EXIT_CALL + (int)outcome->status;
}
