/* SPDX-License-Identifier: MIT */

/* What /metrics shows: each metric with all of its samples, as both formats want it. So counters are read once for each metric. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <quoit/statistics.h>
#include <quoit/version.h>

#include "services/exposition_text.h"
#include "services/process_figures.h"

/* Of one metric, while it is being written. */
struct pass {
        struct exposition_text *text;
        const struct metric *metric;
        unsigned which; /* of the histograms that a reader's function gets */
};

/* ---- calls that a server takes ---- */

#define SENT "total_compressed_message_size_bytes"

static const struct metric server_started = { "grpc_server_call_started", METRIC_COUNTER, NULL,
        "Calls that have begun." };
static const struct metric server_ended[] = {
        { "grpc_server_call_duration_seconds", METRIC_HISTOGRAM, "seconds",
                "Time from a call's headers to its end." },
        { "grpc_server_call_sent_" SENT, METRIC_HISTOGRAM, "bytes",
                "Bytes of a call's answers, after compression." },
        { "grpc_server_call_rcvd_" SENT, METRIC_HISTOGRAM, "bytes",
                "Bytes of a call's requests, before decompression." },
};

static void on_server_started(void *user, const char *method, uint64_t started)
{
        const struct pass *pass = user;

        exposition_integer(pass->text, pass->metric,
                (const struct label[]){ { "grpc_method", method }, { 0 } }, started);
}

static void on_server_ended(void *user, const char *method, quoit_status status,
        const quoit_histogram *duration_s, const quoit_histogram *sent_bytes,
        const quoit_histogram *received_bytes)
{
        const quoit_histogram *const histograms[] = { duration_s, sent_bytes, received_bytes };
        const struct pass *pass = user;

        exposition_histogram(pass->text, pass->metric,
                (const struct label[]){ { "grpc_method", method },
                        { "grpc_status", quoit_status_name(status) }, { 0 } },
                histograms[pass->which]);
}

static const struct metric server_protocols = { "quoit_server_calls_started", METRIC_COUNTER, NULL,
        "Calls that have begun, by the protocol that they came by." };

static void on_server_protocol(
        void *user, const char *method, quoit_protocol protocol, uint64_t started)
{
        const struct pass *pass = user;

        exposition_integer(pass->text, pass->metric,
                (const struct label[]){ { "grpc_method", method },
                        { "protocol", quoit_protocol_name(protocol) }, { 0 } },
                started);
}

static void show_server_calls(struct exposition_text *text, const quoit_metrics *metrics)
{
        static const quoit_metrics_reader started = { .on_started = on_server_started };
        static const quoit_metrics_reader protocols = { .on_protocol = on_server_protocol };
        static const quoit_metrics_reader ended = { .on_ended = on_server_ended };
        struct pass pass = { .text = text, .metric = &server_started };

        exposition_metric(text, pass.metric);
        quoit_metrics_read(metrics, &started, &pass);
        pass.metric = &server_protocols;
        exposition_metric(text, pass.metric);
        quoit_metrics_read(metrics, &protocols, &pass);
        for (; pass.which < 3; pass.which++) {
                pass.metric = server_ended + pass.which;
                exposition_metric(text, pass.metric);
                quoit_metrics_read(metrics, &ended, &pass);
        }
}

/* ---- calls that clients make ---- */

static const struct metric client_started = { "grpc_client_attempt_started", METRIC_COUNTER, NULL,
        "Attempts of calls that have begun." };
static const struct metric client_attempts[] = {
        { "grpc_client_attempt_duration_seconds", METRIC_HISTOGRAM, "seconds",
                "Time that an attempt took." },
        { "grpc_client_attempt_sent_" SENT, METRIC_HISTOGRAM, "bytes",
                "Bytes of an attempt's requests, after compression." },
        { "grpc_client_attempt_rcvd_" SENT, METRIC_HISTOGRAM, "bytes",
                "Bytes of an attempt's answers, before decompression." },
};
static const struct metric client_calls = { "grpc_client_call_duration_seconds", METRIC_HISTOGRAM,
        "seconds", "Time that a call took, with all of its attempts." };
static const struct metric client_retries[] = {
        { "grpc_client_call_retries", METRIC_HISTOGRAM, NULL,
                "Retries of a call, where there were any." },
        { "grpc_client_call_transparent_retries", METRIC_HISTOGRAM, NULL,
                "Transparent retries of a call, where there were any." },
        { "grpc_client_call_hedges", METRIC_HISTOGRAM, NULL,
                "Hedged attempts of a call, where there were any." },
        { "grpc_client_call_retry_delay_seconds", METRIC_HISTOGRAM, "seconds",
                "Time that a call has waited between its attempts." },
};

static void on_client_started(void *user, const char *target, const char *method, uint64_t started)
{
        const struct pass *pass = user;

        exposition_integer(pass->text, pass->metric,
                (const struct label[]){
                        { "grpc_target", target }, { "grpc_method", method }, { 0 } },
                started);
}

static void show_outcome(const struct pass *pass, const char *target, const char *method,
        quoit_status status, const quoit_histogram *histogram)
{
        exposition_histogram(pass->text, pass->metric,
                (const struct label[]){ { "grpc_target", target }, { "grpc_method", method },
                        { "grpc_status", quoit_status_name(status) }, { 0 } },
                histogram);
}

static void on_client_attempts(void *user, const char *target, const char *method,
        quoit_status status, const quoit_histogram *duration_s, const quoit_histogram *sent_bytes,
        const quoit_histogram *received_bytes)
{
        const quoit_histogram *const histograms[] = { duration_s, sent_bytes, received_bytes };
        const struct pass *pass = user;

        show_outcome(pass, target, method, status, histograms[pass->which]);
}

static void on_client_calls(void *user, const char *target, const char *method, quoit_status status,
        const quoit_histogram *duration_s)
{
        show_outcome(user, target, method, status, duration_s);
}

static void on_client_retries(void *user, const char *target, const char *method,
        const quoit_histogram *retries, const quoit_histogram *transparent_retries,
        const quoit_histogram *hedges, const quoit_histogram *retry_delay_s)
{
        const quoit_histogram *const histograms[] = { retries, transparent_retries, hedges,
                retry_delay_s };
        const struct pass *pass = user;

        exposition_histogram(pass->text, pass->metric,
                (const struct label[]){
                        { "grpc_target", target }, { "grpc_method", method }, { 0 } },
                histograms[pass->which]);
}

/* @count metrics that @reader's function gets together. */
static void show_client_metrics(struct exposition_text *text, const quoit_client_metrics *metrics,
        const struct metric *list, unsigned count, const quoit_client_metrics_reader *reader)
{
        struct pass pass = { .text = text };

        for (; pass.which < count; pass.which++) {
                pass.metric = list + pass.which;
                exposition_metric(text, pass.metric);
                quoit_client_metrics_read(metrics, reader, &pass);
        }
}

static void show_client_calls(struct exposition_text *text, const quoit_client_metrics *metrics)
{
        static const quoit_client_metrics_reader started = { .on_started = on_client_started };
        static const quoit_client_metrics_reader attempts = { .on_attempts = on_client_attempts };
        static const quoit_client_metrics_reader calls = { .on_calls = on_client_calls };
        static const quoit_client_metrics_reader retries = { .on_retries = on_client_retries };

        show_client_metrics(text, metrics, &client_started, 1, &started);
        show_client_metrics(text, metrics, client_attempts, 3, &attempts);
        show_client_metrics(text, metrics, &client_calls, 1, &calls);
        show_client_metrics(text, metrics, client_retries, 4, &retries);
}

/* ---- single figures ---- */

static void show_integer(struct exposition_text *text, const struct metric *metric, uint64_t value)
{
        exposition_metric(text, metric);
        exposition_integer(text, metric, NULL, value);
}

static void show_number(struct exposition_text *text, const struct metric *metric, double value)
{
        exposition_metric(text, metric);
        exposition_number(text, metric, NULL, value);
}

#define GAUGE(name, help) (&(const struct metric){ name, METRIC_GAUGE, NULL, help })
#define GAUGE_IN(name, unit, help)                                                                 \
        (&(const struct metric){ name "_" unit, METRIC_GAUGE, unit, help })
#define COUNTER(name, help) (&(const struct metric){ name, METRIC_COUNTER, NULL, help })
#define COUNTER_IN(name, unit, help)                                                               \
        (&(const struct metric){ name "_" unit, METRIC_COUNTER, unit, help })

static void show_server(struct exposition_text *text, const quoit_server *server)
{
        quoit_server_statistics now;

        quoit_server_get_statistics(server, &now);
        show_integer(
                text, GAUGE("quoit_server_connections", "Open connections."), now.connections_open);
        show_integer(text,
                COUNTER("quoit_server_connections_accepted", "Connections that were accepted."),
                now.connections_accepted);
        show_integer(text,
                COUNTER("quoit_server_connections_refused",
                        "Connections that were closed at once: over a limit."),
                now.connections_refused);
        show_integer(text,
                GAUGE("quoit_server_calls", "Calls whose handlers have not ended, HTTP's too."),
                now.calls_open);
        show_integer(text,
                COUNTER("quoit_server_calls_refused",
                        "Calls that were refused: no room, or no time before their deadline."),
                now.calls_refused);
        show_integer(text, GAUGE_IN("quoit_server_memory", "bytes", "Memory that calls hold."),
                now.memory_bytes);
        if (now.memory_bytes_max != UINT64_MAX && now.memory_bytes_max != SIZE_MAX)
                show_integer(text,
                        GAUGE_IN("quoit_server_memory_limit", "bytes",
                                "Memory that calls may hold (memory_bytes_max)."),
                        now.memory_bytes_max);
        show_integer(text,
                COUNTER("quoit_server_memory_refusals",
                        "Calls that were refused or ended because memory was short."),
                now.memory_refusals);
}

static const struct metric ring_metrics[] = {
        { "quoit_ring_cpu_seconds", METRIC_COUNTER, "seconds", "CPU time of a ring's thread." },
        { "quoit_ring_turns", METRIC_COUNTER, NULL, "Turns of a ring's loop." },
        { "quoit_ring_connections", METRIC_GAUGE, NULL, "Open connections of a ring." },
        { "quoit_ring_calls", METRIC_GAUGE, NULL,
                "Calls of a ring whose handlers have not ended." },
        { "quoit_ring_memory_bytes", METRIC_GAUGE, "bytes", "Memory that calls of a ring hold." },
};

static void show_ring(struct exposition_text *text, unsigned which, const struct label *labels,
        const quoit_ring_statistics *ring)
{
        const struct metric *metric = ring_metrics + which;
        const uint64_t values[] = { 0, ring->turns, ring->connections_open, ring->calls_open,
                ring->memory_bytes };

        if (which == 0)
                exposition_number(text, metric, labels, (double)ring->cpu_ns / 1e9);
        else
                exposition_integer(text, metric, labels, values[which]);
}

static void show_rings(struct exposition_text *text, const quoit_server *server)
{
        quoit_ring_statistics ring;
        char number[16];

        for (unsigned which = 0; which < sizeof(ring_metrics) / sizeof(*ring_metrics); which++) {
                exposition_metric(text, ring_metrics + which);
                for (unsigned i = 0; quoit_server_get_ring(server, i, &ring); i++) {
                        snprintf(number, sizeof(number), "%u", i);
                        show_ring(text, which, (const struct label[]){ { "ring", number }, { 0 } },
                                &ring);
                }
        }
}

static void show_build(struct exposition_text *text, const quoit_server *server)
{
        const struct metric *metric =
                GAUGE("quoit_build_info", "1; its version, and what its rings run on.");
        bool is_epoll = quoit_server_engine(server) == QUOIT_ENGINE_EPOLL;

        exposition_metric(text, metric);
        exposition_integer(text, metric,
                (const struct label[]){ { "version", quoit_version() },
                        { "engine", is_epoll ? "epoll" : "io_uring" }, { 0 } },
                1);
}

/* Prometheus' own names for these. */
static void show_process(struct exposition_text *text)
{
        struct process_figures now;

        process_read(&now);
        show_number(text,
                COUNTER_IN("process_cpu", "seconds", "CPU time of all threads of the process."),
                now.cpu_s);
        if (now.resident_bytes > 0)
                show_integer(text, GAUGE_IN("process_resident_memory", "bytes", "Memory in RAM."),
                        now.resident_bytes);
        if (now.virtual_bytes > 0)
                show_integer(text, GAUGE_IN("process_virtual_memory", "bytes", "Address space."),
                        now.virtual_bytes);
        if (now.descriptors > 0)
                show_integer(text, GAUGE("process_open_fds", "Open descriptors."), now.descriptors);
        if (now.descriptors_max > 0)
                show_integer(text, GAUGE("process_max_fds", "How many may be open."),
                        now.descriptors_max);
        if (now.started_unix_s > 0)
                show_number(text,
                        GAUGE_IN("process_start_time", "seconds",
                                "When the process began, since 1970."),
                        now.started_unix_s);
}

int quoit_exposition_write(const quoit_exposition_sources *sources, quoit_exposition_format format,
        char **ret_text, size_t *ret_size)
{
        struct exposition_text text = { .format = format };

        if (sources->metrics)
                show_server_calls(&text, sources->metrics);
        if (sources->client_metrics)
                show_client_calls(&text, sources->client_metrics);
        if (sources->server) {
                show_server(&text, sources->server);
                show_rings(&text, sources->server);
                show_build(&text, sources->server);
        }
        show_process(&text);
        exposition_end(&text);
        if (text.is_short) {
                free(text.bytes);
                return -ENOMEM;
        }
        *ret_text = text.bytes;
        *ret_size = text.size;
        return 0;
}
