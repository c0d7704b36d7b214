/* SPDX-License-Identifier: MIT */

/* Metrics, as lines: "NAME METHOD [STATUS] COUNT [SUM BUCKET...]". */

#include "test_server.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void write_started(void *user, const char *method, uint64_t started)
{
        fprintf(user, "started %s %" PRIu64 "\n", method, started);
}

static void write_histogram(FILE *out, const char *name, const char *method, quoit_status status,
        const quoit_histogram *histogram)
{
        fprintf(out, "%s %s %s %" PRIu64 " %.9f", name, method, quoit_status_name(status),
                histogram->count, histogram->sum);
        for (size_t i = 0; i <= histogram->bound_count; i++) {
                if (histogram->counts[i] == 0)
                        continue;
                if (i < histogram->bound_count)
                        fprintf(out, " %g:%" PRIu64, histogram->bounds[i], histogram->counts[i]);
                else
                        fprintf(out, " over:%" PRIu64, histogram->counts[i]);
        }
        fputc('\n', out);
}

static void write_ended(void *user, const char *method, quoit_status status,
        const quoit_histogram *duration_s, const quoit_histogram *sent_bytes,
        const quoit_histogram *received_bytes)
{
        write_histogram(user, "duration", method, status, duration_s);
        write_histogram(user, "sent", method, status, sent_bytes);
        write_histogram(user, "received", method, status, received_bytes);
}

static void write_memory(void *user, uint64_t bytes, uint64_t bytes_max, uint64_t refusals)
{
        fprintf(user, "memory %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", bytes, bytes_max, refusals);
}

static void write_protocol(
        void *user, const char *method, quoit_protocol protocol, uint64_t started)
{
        fprintf(user, "protocol %s %s %" PRIu64 "\n", method, quoit_protocol_name(protocol),
                started);
}

static void metrics(quoit_call *call, const calls_Empty *request, void *user)
{
        static const quoit_metrics_reader reader = { .on_started = write_started,
                .on_ended = write_ended,
                .on_memory = write_memory,
                .on_protocol = write_protocol };
        calls_Payload *reply = calls_Payload_new(quoit_call_arena(call));
        struct test_server *test = user;
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);

        (void)request;
        if (test->metrics)
                quoit_metrics_read(test->metrics, &reader, out);
        fclose(out);
        calls_Payload_set_text(reply, upb_StringView_FromDataAndSize(text, size));
        calls_Calls_Metrics_reply(call, reply);
        free(text);
}

void metrics_add(calls_Calls_service *service)
{
        service->Metrics = metrics;
}
