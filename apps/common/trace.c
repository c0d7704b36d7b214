/* SPDX-License-Identifier: MIT */
#include "trace.h"

#include <stddef.h>
#include <string.h>

#include <quoit/tracing.h>

#include "option_kinds.h"
#include "program.h"

static quoit_tracing *tracing;

const struct option_entry trace_options[] = {
        { .about = "Spans of calls, by OTLP over gRPC; OpenTelemetry's variables say the rest, "
                   "such as OTEL_SERVICE_NAME:" },
        { "otlp-endpoint", "URL",
                "a collector's, http://HOST:PORT or https://HOST:PORT; default: "
                "$OTEL_EXPORTER_OTLP_ENDPOINT, else no spans",
                option_set_text, .offset = offsetof(struct trace_options, endpoint) },
        { 0 },
};

static bool fail(const char *why)
{
        program_say(QUOIT_LOG_ERROR, "tracing: %s", why);
        return false;
}

bool trace_start(quoit_server *server, quoit_channel *channel, const struct trace_options *wanted)
{
        quoit_tracing_options options = { .endpoint = wanted->endpoint,
                .on_log = quoit_log_writer_log,
                .log_user = program_log };
        quoit_error error;
        int r;

        quoit_tracing_read_environment(&options);
        if (!options.endpoint)
                return true;
        if (!options.service_name)
                options.service_name = program_get_name();
        if (quoit_tracing_new(&options, &tracing, &error) < 0)
                return fail(error.text);
        r = quoit_tracing_attach(tracing, server);
        if (r == 0 && channel)
                r = quoit_tracing_attach_channel(tracing, channel);
        return r == 0 || fail(strerror(-r));
}

void trace_stop(void)
{
        tracing = quoit_tracing_free(tracing);
}
