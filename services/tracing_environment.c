/* SPDX-License-Identifier: MIT */
#include <quoit/tracing.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A variable that is empty is not set: OpenTelemetry's specification of its environment. */
static const char *get(const char *name)
{
        const char *value = getenv(name);

        return value && *value ? value : NULL;
}

/* OTEL_EXPORTER_OTLP_TRACES_@name, else OTEL_EXPORTER_OTLP_@name. *@ret_variable, of @size bytes, is which one. */
static const char *get_otlp(const char *name, char *ret_variable, size_t size)
{
        const char *value;

        snprintf(ret_variable, size, "OTEL_EXPORTER_OTLP_TRACES_%s", name);
        value = get(ret_variable);
        if (value)
                return value;
        snprintf(ret_variable, size, "OTEL_EXPORTER_OTLP_%s", name);
        return get(ret_variable);
}

static void complain(const quoit_tracing_options *options, const char *variable, const char *value,
        const char *wanted)
{
        char line[512];

        if (!options->on_log)
                return;
        snprintf(line, sizeof(line), "%s='%s' is ignored: it is not %s", variable, value, wanted);
        options->on_log(options->log_user, QUOIT_LOG_WARNING, line);
}

static void read_text(const char **member, const char *value)
{
        if (!*member)
                *member = value;
}

static void read_number(const quoit_tracing_options *options, uint32_t *member,
        const char *variable, const char *value)
{
        unsigned long number;
        char *end;

        if (*member || !value)
                return;
        errno = 0;
        number = strtoul(value, &end, 10);
        if (*value < '0' || *value > '9' || *end || errno || number == 0 || number > UINT32_MAX)
                complain(options, variable, value, "a number from 1");
        else
                *member = (uint32_t)number;
}

static void read_switch(const quoit_tracing_options *options, bool *member, const char *variable,
        const char *value, const char *on, const char *off)
{
        if (*member || !value)
                return;
        *member = strcasecmp(value, on) == 0;
        if (!*member && strcasecmp(value, off) != 0) {
                char wanted[64];

                snprintf(wanted, sizeof(wanted), "%s or %s", on, off);
                complain(options, variable, value, wanted);
        }
}

/* What is of the exporter. */
static void read_otlp(quoit_tracing_options *options)
{
        char variable[64];
        const char *value;

        read_text(&options->endpoint, get_otlp("ENDPOINT", variable, sizeof(variable)));
        read_text(&options->headers, get_otlp("HEADERS", variable, sizeof(variable)));
        read_text(&options->ca_file, get_otlp("CERTIFICATE", variable, sizeof(variable)));
        read_text(&options->certificate_file,
                get_otlp("CLIENT_CERTIFICATE", variable, sizeof(variable)));
        read_text(&options->key_file, get_otlp("CLIENT_KEY", variable, sizeof(variable)));
        value = get_otlp("INSECURE", variable, sizeof(variable));
        read_switch(options, &options->insecure, variable, value, "true", "false");
        value = get_otlp("COMPRESSION", variable, sizeof(variable));
        read_switch(options, &options->compresses, variable, value, "gzip", "none");
        value = get_otlp("TIMEOUT", variable, sizeof(variable));
        read_number(options, &options->export_ms, variable, value);
        value = get_otlp("PROTOCOL", variable, sizeof(variable));
        if (value && strcmp(value, "grpc") != 0)
                complain(options, variable, value, "grpc, which is all that there is");
}

void quoit_tracing_read_environment(quoit_tracing_options *options)
{
        const char *disabled = get("OTEL_SDK_DISABLED"), *exporter = get("OTEL_TRACES_EXPORTER");

        read_otlp(options);
        read_text(&options->service_name, get("OTEL_SERVICE_NAME"));
        read_text(&options->resource_attributes, get("OTEL_RESOURCE_ATTRIBUTES"));
        read_text(&options->sampler, get("OTEL_TRACES_SAMPLER"));
        read_text(&options->sampler_argument, get("OTEL_TRACES_SAMPLER_ARG"));
        read_number(options, &options->batch_ms, "OTEL_BSP_SCHEDULE_DELAY",
                get("OTEL_BSP_SCHEDULE_DELAY"));
        read_number(options, &options->batch_spans_max, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
                get("OTEL_BSP_MAX_EXPORT_BATCH_SIZE"));
        read_number(options, &options->queue_spans_max, "OTEL_BSP_MAX_QUEUE_SIZE",
                get("OTEL_BSP_MAX_QUEUE_SIZE"));
        if (exporter && strcmp(exporter, "otlp") != 0 && strcmp(exporter, "none") != 0)
                complain(options, "OTEL_TRACES_EXPORTER", exporter, "otlp or none");
        if ((disabled && strcasecmp(disabled, "true") == 0) ||
                (exporter && strcmp(exporter, "none") == 0))
                options->endpoint = NULL;
}
