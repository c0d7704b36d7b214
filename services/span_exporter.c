/* SPDX-License-Identifier: MIT */
#include "services/span_exporter.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/client_interceptor.h>

#define LINE_BYTES 1500

static const quoit_method export_method = {
        .path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        .kind = QUOIT_UNARY,
        .request = &quoit_quoit__otlp__ExportTraceServiceRequest_msg_init,
        .reply = &quoit_quoit__otlp__ExportTraceServiceResponse_msg_init,
};

/* What OTLP's specification says of gRPC's statuses. Of RESOURCE_EXHAUSTED it wants a delay that only a RetryInfo has. */
static const char service_config[] =
        "{\"methodConfig\": [{\"name\": [{}], \"waitForReady\": true, \"retryPolicy\": {"
        "\"maxAttempts\": 5, \"initialBackoff\": \"0.5s\", \"maxBackoff\": \"5s\", "
        "\"backoffMultiplier\": 2, \"retryableStatusCodes\": [\"CANCELLED\", "
        "\"DEADLINE_EXCEEDED\", \"ABORTED\", \"OUT_OF_RANGE\", \"UNAVAILABLE\", \"DATA_LOSS\"]}}]}";

/* ---- the log ---- */

static void __attribute__((format(printf, 3, 4))) tell(
        const struct span_exporter *exporter, quoit_log_level level, const char *format, ...)
{
        char line[LINE_BYTES];
        va_list arguments;

        if (!exporter->on_log)
                return;
        va_start(arguments, format);
        vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        exporter->on_log(exporter->log_user, level, line);
}

/* Once, until it works again. */
static void note_outcome(struct span_exporter *exporter, const char *problem, size_t count)
{
        if (problem && !exporter->is_failing)
                tell(exporter, QUOIT_LOG_WARNING,
                        "tracing: %zu spans are lost, and so will others be: %s", count, problem);
        else if (!problem && exporter->is_failing)
                tell(exporter, QUOIT_LOG_INFO, "tracing: spans are exported again; %llu were lost",
                        atomic_load(&exporter->failed));
        exporter->is_failing = problem;
}

static void note_dropped(struct span_exporter *exporter)
{
        uint64_t dropped = span_queue_dropped(&exporter->queue);

        if (dropped > exporter->told_dropped)
                tell(exporter, QUOIT_LOG_WARNING,
                        "tracing: %" PRIu64 " spans were dropped: there are more of them than the "
                        "collector takes",
                        dropped - exporter->told_dropped);
        exporter->told_dropped = dropped;
}

/* ---- an export ---- */

static void note_reply(struct span_exporter *exporter,
        const quoit_otlp_ExportTraceServiceResponse *reply, size_t count)
{
        const quoit_otlp_ExportTracePartialSuccess *partial =
                quoit_otlp_ExportTraceServiceResponse_partial_success(reply);
        int64_t rejected =
                partial ? quoit_otlp_ExportTracePartialSuccess_rejected_spans(partial) : 0;
        upb_StringView why = { 0 };

        if (rejected < 0 || (uint64_t)rejected > count)
                rejected = (int64_t)count;
        atomic_fetch_add(&exporter->rejected, (uint64_t)rejected);
        atomic_fetch_add(&exporter->exported, count - (uint64_t)rejected);
        if (partial)
                why = quoit_otlp_ExportTracePartialSuccess_error_message(partial);
        if (rejected > 0)
                tell(exporter, QUOIT_LOG_WARNING,
                        "tracing: the collector did not want %" PRId64 " of %zu spans: %.*s",
                        rejected, count, (int)(why.size < 500 ? why.size : 500), why.data);
}

static void on_message(quoit_outcall *outcall, const upb_Message *message, void *user)
{
        struct span_exporter *exporter = user;

        (void)outcall;
        note_reply(
                exporter, (const quoit_otlp_ExportTraceServiceResponse *)message, exporter->count);
}

/* On the client's thread; the exporter's goes on. */
static void finish(struct span_exporter *exporter, const quoit_error *error)
{
        exporter->outcall = NULL;
        pthread_mutex_lock(&exporter->mutex);
        exporter->error = *error;
        exporter->is_done = true;
        pthread_cond_signal(&exporter->done);
        pthread_mutex_unlock(&exporter->mutex);
}

static void on_done(quoit_outcall *outcall, quoit_status status, void *user)
{
        quoit_error error;

        (void)status;
        quoit_outcall_get_error(outcall, &error);
        finish(user, &error);
}

static void fail(struct span_exporter *exporter, const char *why)
{
        quoit_error error = { .status = QUOIT_INTERNAL };

        snprintf(error.text, sizeof(error.text), "%s", why);
        finish(exporter, &error);
}

/* On the client's thread. */
static void begin(quoit_client *client, void *user)
{
        static const quoit_outcall_handler handler = { .on_message = on_message,
                .on_done = on_done };
        struct span_exporter *exporter = user;
        const quoit_call_options options = {
                .timeout_ms = exporter->export_ms,
                .compression = exporter->compresses ? QUOIT_GZIP : QUOIT_IDENTITY,
                .metadata = exporter->metadata,
                .metadata_count = exporter->metadata_count,
        };
        quoit_outcall *outcall;
        int r;

        (void)client;
        if (atomic_load(&exporter->gives_up)) {
                fail(exporter, "the program ends");
                return;
        }
        r = quoit_outcall_start(
                exporter->channel, &export_method, &options, &handler, exporter, &outcall);
        if (r < 0) {
                fail(exporter, strerror(-r));
                return;
        }
        exporter->outcall = outcall;
        r = quoit_outcall_send(outcall, UPB_UPCAST(exporter->request));
        if (r < 0)
                quoit_outcall_finish(outcall, QUOIT_INTERNAL, strerror(-r));
}

/* On the client's thread. What begins later sees gives_up. */
static void give_up(quoit_client *client, void *user)
{
        struct span_exporter *exporter = user;

        (void)client;
        if (exporter->outcall)
                quoit_outcall_cancel(exporter->outcall);
}

/* Sends the request, and waits. NULL: it is sent; else what is wrong. */
static const char *run_export(struct span_exporter *exporter)
{
        exporter->is_done = false; /* nobody else is there */
        if (quoit_client_post(exporter->client, begin, exporter) < 0)
                return "out of memory";
        pthread_mutex_lock(&exporter->mutex);
        while (!exporter->is_done)
                pthread_cond_wait(&exporter->done, &exporter->mutex);
        pthread_mutex_unlock(&exporter->mutex);
        return exporter->error.status == QUOIT_OK ? NULL : quoit_error_text(&exporter->error);
}

static void export(struct span_exporter *exporter, size_t count)
{
        upb_Arena *arena = upb_Arena_New();
        const char *problem = "out of memory";

        exporter->count = count;
        exporter->request =
                arena ? otlp_make(arena, &exporter->resource, exporter->batch, count) : NULL;
        if (exporter->request)
                problem = run_export(exporter);
        if (problem)
                atomic_fetch_add(&exporter->failed, count);
        note_outcome(exporter, problem, count);
        note_dropped(exporter);
        if (arena)
                upb_Arena_Free(arena);
}

static void *run(void *user)
{
        struct span_exporter *exporter = user;
        size_t count;

        while ((count = span_queue_take(&exporter->queue, exporter->batch)) > 0)
                export(exporter, count);
        return NULL;
}

/* ---- life ---- */

/* With all signals blocked: the program handles them on threads of its own. */
static int start_thread(struct span_exporter *exporter)
{
        sigset_t all, old;
        int r;

        exporter->batch = calloc(exporter->queue.batch_max, sizeof(*exporter->batch));
        if (!exporter->batch)
                return -ENOMEM;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        r = pthread_create(&exporter->thread, NULL, run, exporter);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        if (r != 0) {
                free(exporter->batch);
                exporter->batch = NULL; /* there is no thread */
        }
        return -r;
}

static int open_channel(struct span_exporter *exporter, const char *target,
        const quoit_channel_tls *tls, quoit_error *ret_error)
{
        const quoit_channel_options options = { .tls = tls, .service_config = service_config };
        int r = quoit_proxy_check(target, NULL, ret_error); /* and @target */

        if (r == 0 && tls)
                r = quoit_channel_tls_check(tls, ret_error);
        if (r < 0)
                return r;
        r = quoit_client_new(&(quoit_client_options){ .on_log = exporter->on_log,
                                     .log_user = exporter->log_user },
                &exporter->client);
        if (r == 0)
                r = quoit_channel_new(exporter->client, target, &options, &exporter->channel);
        return r;
}

int span_exporter_start(struct span_exporter *exporter, const char *target,
        const quoit_channel_tls *tls, quoit_error *ret_error)
{
        int r;

        pthread_mutex_init(&exporter->mutex, NULL);
        pthread_cond_init(&exporter->done, NULL);
        r = open_channel(exporter, target, tls, ret_error);
        if (r == 0)
                r = start_thread(exporter);
        return r;
}

void span_exporter_stop(struct span_exporter *exporter, uint64_t timeout_ms)
{
        if (exporter->batch) {
                span_queue_flush(&exporter->queue, timeout_ms);
                span_queue_close(&exporter->queue);
                atomic_store(&exporter->gives_up, true);
                while (quoit_client_post(exporter->client, give_up, exporter) == -ENOMEM)
                        sched_yield();
                pthread_join(exporter->thread, NULL);
        }
        quoit_channel_free(exporter->channel);
        quoit_client_free(exporter->client);
        span_queue_deinit(&exporter->queue);
        pthread_cond_destroy(&exporter->done);
        pthread_mutex_destroy(&exporter->mutex);
        free(exporter->batch);
}
