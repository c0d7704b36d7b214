/* SPDX-License-Identifier: MIT */
#include "trace.h"

#include <string.h>

#include <quoit/tracing.h>

#include "../common/program.h"

static quoit_tracing *tracing;

bool trace_start(quoit_server *server, const char *endpoint)
{
        quoit_tracing_options options = {
                .endpoint = endpoint, .on_log = quoit_log_writer_log, .log_user = program_log
        };
        quoit_error error;
        int r;

        quoit_tracing_read_environment(&options);
        if (!options.endpoint)
                return true;
        if (!options.service_name)
                options.service_name = "quoit-api";
        if (quoit_tracing_new(&options, &tracing, &error) < 0) {
                program_say(QUOIT_LOG_ERROR, "tracing: %s", error.text);
                return false;
        }
        r = quoit_tracing_attach(tracing, server);
        if (r < 0)
                program_say(QUOIT_LOG_ERROR, "tracing: %s", strerror(-r));
        return r == 0;
}

void trace_stop(void)
{
        tracing = quoit_tracing_free(tracing);
}
