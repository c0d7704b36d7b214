/* SPDX-License-Identifier: MIT */
#include "call_envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "error_details.h"
#include "json_write.h"

static void write_key(const char *separator, const char *key)
{
        printf("%s\"%s\":", separator, key);
}

static void write_text(const char *text)
{
        json_write_string(stdout, upb_StringView_FromString(text));
}

/* ---- fields ---- */

static void write_value(const quoit_metadata *field)
{
        size_t size = strlen(field->name);
        char *text;

        if (size < 4 || strcmp(field->name + size - 4, "-bin") != 0) {
                json_write_string(stdout, field->value);
                return;
        }
        text = malloc(BASE64_ENCODED_BYTES(field->value.size));
        if (text)
                base64_encode(field->value.data, field->value.size, text);
        write_text(text ? text : "");
        free(text);
}

/* Whether one before has the same name. */
static bool is_repeated(const struct metadata *fields, size_t at)
{
        for (size_t i = 0; i < at; i++)
                if (!strcmp(fields->list[i].name, fields->list[at].name))
                        return true;
        return false;
}

/* {"name":["value",...],...}: a name can have several. */
static void write_fields(const struct metadata *fields)
{
        const char *separator = "";

        putchar('{');
        for (size_t i = 0; i < fields->count; i++) {
                if (is_repeated(fields, i))
                        continue;
                fputs(separator, stdout);
                write_text(fields->list[i].name);
                fputs(":[", stdout);
                write_value(&fields->list[i]);
                for (size_t j = i + 1; j < fields->count; j++) {
                        if (strcmp(fields->list[i].name, fields->list[j].name) != 0)
                                continue;
                        putchar(',');
                        write_value(&fields->list[j]);
                }
                putchar(']');
                separator = ",";
        }
        putchar('}');
}

/* ---- the parts ---- */

void envelope_begin(const struct report *report, const struct metadata *headers)
{
        static const char *const kinds[] = {
                [QUOIT_UNARY] = "unary",
                [QUOIT_SERVER_STREAMING] = "server_streaming",
                [QUOIT_CLIENT_STREAMING] = "client_streaming",
                [QUOIT_BIDI] = "bidi",
        };

        write_key("{", "target");
        write_text(report->connection->target);
        write_key(",", "tls");
        fputs(report->connection->scheme == SCHEME_TLS ? "true" : "false", stdout);
        write_key(",", "protocol");
        write_text(protocol_name(report->connection->protocol));
        write_key(",", "method");
        write_text(report->method->quoit.path + 1);
        write_key(",", "kind");
        write_text(kinds[report->method->quoit.kind]);
        write_key(",", "headers");
        write_fields(headers);
        write_key(",", "messages");
        putchar('[');
}

void envelope_message(struct report *report, upb_StringView text)
{
        if (report->written++)
                putchar(',');
        fwrite(text.data, 1, text.size, stdout);
}

static void write_time(const char *separator, const char *key, uint64_t from_ns, uint64_t to_ns)
{
        write_key(separator, key);
        if (to_ns)
                printf("%.3f", (double)(to_ns - from_ns) / 1e6);
        else
                fputs("null", stdout);
}

static void write_times(const struct report *report, const struct outcome *outcome)
{
        const struct connection *connection = report->connection;

        write_key(",", "timings_ms");
        write_time("{", "connect", connection->begun_ns, connection->ready_ns);
        write_time(",", "schema", connection->ready_ns, report->schema_ns);
        write_time(",", "headers", outcome->begun_ns, outcome->headers_ns);
        write_time(",", "first_message", outcome->begun_ns, outcome->first_ns);
        write_time(",", "call", outcome->begun_ns, outcome->ended_ns);
        putchar('}');
}

void envelope_end(struct report *report, const struct outcome *outcome)
{
        putchar(']');
        write_key(",", "trailers");
        write_fields(&outcome->trailers);
        write_key(",", "status");
        printf("{\"code\":%d,\"name\":\"%s\",\"message\":", (int)outcome->status,
                quoit_status_name(outcome->status));
        json_write_string(stdout, outcome->message);
        write_key(",", "details");
        error_details_write(report, outcome);
        putchar('}');
        printf(",\"sent\":%lu,\"received\":%lu", (unsigned long)outcome->sent,
                (unsigned long)outcome->received);
        write_times(report, outcome);
        puts("}");
}
