/* SPDX-License-Identifier: MIT */
#include "services/tracing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/key_values.h"
#include "services/otlp_endpoint.h"
#include "services/text_copy.h"

#define EXPORT_MS 10000
#define BATCH_MS 5000
#define BATCH_SPANS 512
#define QUEUE_SPANS 2048
#define STOP_MS 2000

/* ---- options ---- */

/* @text may have any bytes; what is told of it is UTF-8. */
static int refuse(quoit_error *ret_error, const char *what, const char *text, const char *wanted)
{
        char problem[sizeof(ret_error->text)];

        ret_error->status = QUOIT_INVALID_ARGUMENT;
        snprintf(problem, sizeof(problem), "%s '%s' is not %s", what, text ? text : "", wanted);
        text_copy(ret_error->text, sizeof(ret_error->text), problem, strlen(problem));
        return -EINVAL;
}

/* How many pairs there can be. */
static size_t count_pairs(const char *text)
{
        size_t count = 1;

        for (; *text; text++)
                count += *text == ',';
        return count;
}

static int set_headers(quoit_tracing *tracing, const char *text, quoit_error *ret_error)
{
        struct span_exporter *exporter = &tracing->exporter;
        char *cursor, *key, *value;

        if (!text)
                return 0;
        cursor = tracing->headers = strdup(text);
        exporter->metadata = calloc(count_pairs(text), sizeof(*exporter->metadata));
        if (!cursor || !exporter->metadata)
                return -ENOMEM;
        while (key_values_next(&cursor, &key, &value)) {
                for (char *c = key; *c; c++) /* names of HTTP/2 */
                        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 'a' - 'A') : *c;
                exporter->metadata[exporter->metadata_count++] =
                        (quoit_metadata){ key, upb_StringView_FromString(value) };
        }
        return cursor ? refuse(ret_error, "headers", text, "NAME=VALUE,...") : 0;
}

static int set_resource(
        quoit_tracing *tracing, const char *text, const char *service_name, quoit_error *ret_error)
{
        struct otlp_resource *resource = &tracing->exporter.resource;
        char *cursor, *key, *value;
        size_t max = text ? count_pairs(text) : 1;

        cursor = tracing->attributes = strdup(text ? text : "");
        resource->keys = calloc(max, sizeof(*resource->keys));
        resource->values = calloc(max, sizeof(*resource->values));
        if (!cursor || !resource->keys || !resource->values)
                return -ENOMEM;
        while (key_values_next(&cursor, &key, &value)) {
                if (!text_is_utf8(key) || !text_is_utf8(value))
                        return refuse(ret_error, "resource attributes", text, "UTF-8");
                if (strcmp(key, "service.name") == 0) {
                        service_name = service_name ? service_name : value;
                        continue;
                }
                resource->keys[resource->count] = key;
                resource->values[resource->count++] = value;
        }
        if (cursor)
                return refuse(ret_error, "resource attributes", text, "KEY=VALUE,...");
        if (service_name && !text_is_utf8(service_name))
                return refuse(ret_error, "service name", service_name, "UTF-8");
        resource->service_name = strdup(service_name ? service_name : "unknown_service");
        return resource->service_name ? 0 : -ENOMEM;
}

/* ---- making ---- */

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
        return value ? value : otherwise;
}

/* What the exporter needs, but for its channel. */
static int prepare(
        quoit_tracing *tracing, const quoit_tracing_options *options, quoit_error *ret_error)
{
        struct span_exporter *exporter = &tracing->exporter;
        int r = sampler_parse(&tracing->sampler, options->sampler, options->sampler_argument);

        if (r == -EINVAL)
                return refuse(ret_error, "sampler",
                        options->sampler ? options->sampler : options->sampler_argument,
                        "always_on, always_off or traceidratio, with an argument from 0 to 1, or "
                        "one of them behind parentbased_");
        exporter->compresses = options->compresses;
        exporter->export_ms = or_default(options->export_ms, EXPORT_MS);
        exporter->on_log = options->on_log;
        exporter->log_user = options->log_user;
        trace_ids_init(&tracing->ids);
        if (r == 0)
                r = set_headers(tracing, options->headers, ret_error);
        if (r == 0)
                r = set_resource(
                        tracing, options->resource_attributes, options->service_name, ret_error);
        return r;
}

static int start(
        quoit_tracing *tracing, const quoit_tracing_options *options, quoit_error *ret_error)
{
        struct span_exporter *exporter = &tracing->exporter;
        const quoit_channel_tls tls = { .ca_file = options->ca_file,
                .certificate_file = options->certificate_file,
                .key_file = options->key_file };
        char target[OTLP_TARGET_BYTES];
        bool is_tls;
        int r;

        if (!options->endpoint ||
                !otlp_endpoint_parse(options->endpoint, options->insecure, target, &is_tls))
                return refuse(ret_error, "endpoint", options->endpoint,
                        "http://HOST:PORT, https://HOST:PORT or a channel's target");
        r = span_queue_init(&exporter->queue, or_default(options->queue_spans_max, QUEUE_SPANS),
                or_default(options->batch_spans_max, BATCH_SPANS),
                or_default(options->batch_ms, BATCH_MS));
        if (r < 0)
                return r;
        r = span_exporter_start(exporter, target, is_tls ? &tls : NULL, ret_error);
        if (r < 0)
                span_exporter_stop(exporter, 0);
        return r;
}

static void free_strings(quoit_tracing *tracing)
{
        free(tracing->headers);
        free(tracing->attributes);
        free(tracing->exporter.metadata);
        free(tracing->exporter.resource.service_name);
        free(tracing->exporter.resource.keys);
        free(tracing->exporter.resource.values);
        free(tracing);
}

int quoit_tracing_new(
        const quoit_tracing_options *options, quoit_tracing **ret_tracing, quoit_error *ret_error)
{
        quoit_tracing *tracing = calloc(1, sizeof(*tracing));
        quoit_error error = { .status = QUOIT_INVALID_ARGUMENT };
        int r = tracing ? prepare(tracing, options, &error) : -ENOMEM;

        if (r == 0)
                r = start(tracing, options, &error);
        if (r == 0) {
                *ret_tracing = tracing;
                return 0;
        }
        if (!*error.text)
                snprintf(error.text, sizeof(error.text), "%s", strerror(-r));
        if (ret_error)
                *ret_error = error;
        if (tracing)
                free_strings(tracing);
        return r;
}

quoit_tracing *quoit_tracing_free(quoit_tracing *tracing)
{
        if (!tracing)
                return NULL;
        span_exporter_stop(&tracing->exporter, STOP_MS);
        free_strings(tracing);
        return NULL;
}

/* ---- asking ---- */

int quoit_tracing_flush(quoit_tracing *tracing, unsigned timeout_ms)
{
        return span_queue_flush(&tracing->exporter.queue, timeout_ms);
}

void quoit_tracing_get_statistics(
        const quoit_tracing *tracing, quoit_tracing_statistics *ret_statistics)
{
        struct span_exporter *exporter = (struct span_exporter *)&tracing->exporter;

        *ret_statistics = (quoit_tracing_statistics){
                .exported = atomic_load(&exporter->exported),
                .rejected = atomic_load(&exporter->rejected),
                .failed = atomic_load(&exporter->failed),
                .dropped = span_queue_dropped(&exporter->queue),
        };
}
