/* SPDX-License-Identifier: MIT */
#include "observe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static FILE *out; /* NULL: nobody observes */
static quoit_client_metrics *metrics;

/* ---- calls ---- */

static void on_start(quoit_outcall *call, void *user)
{
        const quoit_metadata mark = { "x-observed", upb_StringView_FromString("yes") };

        (void)user;
        fprintf(out, "start %s\n", quoit_outcall_method(call)->path);
        if (quoit_outcall_add_metadata(call, &mark) < 0)
                quoit_outcall_finish(call, QUOIT_INTERNAL, "cannot add metadata");
}

static void on_sent(quoit_outcall *call, const quoit_message_info *info, void *user)
{
        (void)call;
        (void)user;
        fprintf(out, "sent %zu\n", info->size);
}

static void on_headers(quoit_outcall *call, void *user)
{
        (void)call;
        (void)user;
        fprintf(out, "headers\n");
}

static void on_received(quoit_outcall *call, const quoit_message_info *info, void *user)
{
        (void)call;
        (void)user;
        fprintf(out, "received %zu\n", info->size);
}

static void on_end(const quoit_outcall *call, const quoit_outcall_summary *summary, void *user)
{
        (void)call;
        (void)user;
        fprintf(out, "end %s %u %" PRIu64 " %u %" PRIu64 "\n", quoit_status_name(summary->status),
                summary->messages_sent, summary->bytes_sent, summary->messages_received,
                summary->bytes_received);
        fprintf(out, "repeats %u %u %u\n", summary->retries, summary->transparent_retries,
                summary->hedges);
}

/* ---- attempts ---- */

static const char *kind_name(quoit_attempt_kind kind)
{
        static const char *const names[] = { "first", "retry", "transparent", "hedge" };

        return names[kind];
}

static void on_attempt(const quoit_outcall *call, const quoit_attempt *attempt, void *user)
{
        (void)call;
        (void)user;
        fprintf(out, "attempt %s\n", kind_name(attempt->kind));
}

static void on_attempt_end(const quoit_outcall *call, const quoit_attempt *attempt, void *user)
{
        (void)call;
        (void)user;
        fprintf(out, "over %s %s %s %" PRIu64 " %" PRIu64 "\n", kind_name(attempt->kind),
                quoit_status_name(attempt->status), attempt->address ? attempt->address : "-",
                attempt->bytes_sent, attempt->bytes_received);
}

static const quoit_client_interceptor observer = { .on_start = on_start,
        .on_sent = on_sent,
        .on_headers = on_headers,
        .on_received = on_received,
        .on_end = on_end,
        .on_attempt = on_attempt,
        .on_attempt_end = on_attempt_end };

/* ---- metrics ---- */

static void print_started(void *user, const char *target, const char *method, uint64_t started)
{
        (void)user;
        fprintf(out, "metric started %s %s %" PRIu64 "\n", target, method, started);
}

static void print_attempts(void *user, const char *target, const char *method, quoit_status status,
        const quoit_histogram *duration_s, const quoit_histogram *sent_bytes,
        const quoit_histogram *received_bytes)
{
        (void)user;
        (void)target;
        fprintf(out, "metric attempts %s %s %" PRIu64 " %.0f %.0f\n", method,
                quoit_status_name(status), duration_s->count, sent_bytes->sum, received_bytes->sum);
}

static void print_calls(void *user, const char *target, const char *method, quoit_status status,
        const quoit_histogram *duration_s)
{
        (void)user;
        (void)target;
        fprintf(out, "metric calls %s %s %" PRIu64 "\n", method, quoit_status_name(status),
                duration_s->count);
}

static void print_retries(void *user, const char *target, const char *method,
        const quoit_histogram *retries, const quoit_histogram *transparent_retries,
        const quoit_histogram *hedges, const quoit_histogram *retry_delay_s)
{
        (void)user;
        (void)target;
        (void)retry_delay_s;
        fprintf(out, "metric repeats %s %.0f %.0f %.0f\n", method, retries->sum,
                transparent_retries->sum, hedges->sum);
}

/* ---- all ---- */

void observe(quoit_channel *channel, const char *path)
{
        out = fopen(path, "w");
        if (!out || quoit_channel_intercept(channel, &observer, NULL) < 0 ||
                quoit_client_metrics_new(&metrics) < 0 ||
                quoit_client_metrics_attach(metrics, channel) < 0) {
                fprintf(stderr, "test-client: cannot observe\n");
                exit(2);
        }
}

void observe_end(void)
{
        static const quoit_client_metrics_reader reader = { .on_started = print_started,
                .on_attempts = print_attempts,
                .on_calls = print_calls,
                .on_retries = print_retries };

        if (!out)
                return;
        quoit_client_metrics_read(metrics, &reader, NULL);
        quoit_client_metrics_free(metrics);
        fclose(out);
}
