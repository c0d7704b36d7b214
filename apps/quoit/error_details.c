/* SPDX-License-Identifier: MIT */
#include "error_details.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json_write.h"
#include "message.h"
#include "say.h"
#include "upb/message/array.h"
#include "upb/reflection/message.h"
#include "upb/wire/decode.h"

/* What has come; what has not is empty. */
struct details {
        upb_Arena *arena;
        const upb_MessageDef *type; /* google.rpc.Status */
        upb_Message *status;
        const upb_Array *list; /* of Anys; NULL: none */
        const upb_MessageDef *any;
};

static upb_StringView find_details(const struct outcome *outcome)
{
        if (outcome->details.size)
                return outcome->details;
        for (size_t i = 0; i < outcome->trailers.count; i++)
                if (!strcmp(outcome->trailers.list[i].name, "grpc-status-details-bin"))
                        return outcome->trailers.list[i].value;
        return upb_StringView_FromDataAndSize(NULL, 0);
}

static void open_details(
        struct report *report, const struct outcome *outcome, struct details *ret_details)
{
        upb_StringView bytes = find_details(outcome);
        struct details details = { .arena = upb_Arena_New() };
        const upb_FieldDef *field;

        *ret_details = details;
        if (!details.arena)
                return;
        details.type = source_message(report->source, "google.rpc.Status");
        if (!details.type)
                return;
        details.status = upb_Message_New(upb_MessageDef_MiniTable(details.type), details.arena);
        if (details.status && upb_Decode(bytes.data, bytes.size, details.status,
                                      upb_MessageDef_MiniTable(details.type), NULL, 0,
                                      details.arena) != kUpb_DecodeStatus_Ok)
                details.status = NULL;
        field = upb_MessageDef_FindFieldByName(details.type, "details");
        if (details.status && field) {
                details.any = upb_FieldDef_MessageSubDef(field);
                details.list = upb_Message_GetFieldByDef(details.status, field).array_val;
        }
        *ret_details = details;
}

static void close_details(struct details *details)
{
        if (details->arena)
                upb_Arena_Free(details->arena);
}

static size_t count_of(const struct details *details)
{
        return details->list && details->any ? upb_Array_Size(details->list) : 0;
}

/* False: JSON cannot say it. */
static bool print_one(
        struct report *report, const struct details *details, size_t at, upb_StringView *ret_text)
{
        upb_Message *any = (upb_Message *)upb_Array_Get(details->list, at).msg_val;
        quoit_problem problem;

        return message_print_json(report->source, details->any, any,
                       output_json_options(&report->options->output), details->arena, ret_text,
                       &problem) == 0;
}

void error_details_say(struct report *report, const struct outcome *outcome)
{
        const struct paint *paint = paint_for(STDERR_FILENO, report->options->output.is_plain);
        bool is_pretty = output_is_pretty(&report->options->output, STDERR_FILENO);
        struct details details;
        upb_StringView text;

        if (find_details(outcome).size == 0)
                return;
        open_details(report, outcome, &details);
        if (!details.status)
                say("the details of the status are broken");
        for (size_t i = 0; i < count_of(&details); i++) {
                fputs("  ", stderr);
                if (print_one(report, &details, i, &text))
                        json_write(stderr, text, is_pretty, 2, paint);
                else
                        fputs("(a detail that JSON cannot say)", stderr);
                fputc('\n', stderr);
        }
        close_details(&details);
}

void error_details_write(struct report *report, const struct outcome *outcome)
{
        struct details details = { 0 };
        const char *separator = "";
        upb_StringView text;

        putchar('[');
        if (find_details(outcome).size)
                open_details(report, outcome, &details);
        for (size_t i = 0; i < count_of(&details); i++) {
                if (!print_one(report, &details, i, &text))
                        continue;
                fputs(separator, stdout);
                fwrite(text.data, 1, text.size, stdout);
                separator = ",";
        }
        putchar(']');
        close_details(&details);
}

void error_details_print_status(struct report *report, const struct outcome *outcome)
{
        upb_MessageValue code = { .int32_val = (int32_t)outcome->status };
        upb_MessageValue message = { .str_val = outcome->message };
        struct details details;
        quoit_problem problem;
        upb_StringView text;

        open_details(report, outcome, &details);
        if (details.status) {
                upb_Message_SetFieldByDef(details.status,
                        upb_MessageDef_FindFieldByName(details.type, "code"), code, details.arena);
                upb_Message_SetFieldByDef(details.status,
                        upb_MessageDef_FindFieldByName(details.type, "message"), message,
                        details.arena);
        }
        if (details.status && message_print_json(report->source, details.type, details.status,
                                      output_json_options(&report->options->output), details.arena,
                                      &text, &problem) == 0) {
                json_write(stderr, text, output_is_pretty(&report->options->output, STDERR_FILENO),
                        0, paint_for(STDERR_FILENO, report->options->output.is_plain));
                fputc('\n', stderr);
        } else {
                say("%s: %.*s", quoit_status_name(outcome->status), (int)outcome->message.size,
                        outcome->message.data);
        }
        close_details(&details);
}
