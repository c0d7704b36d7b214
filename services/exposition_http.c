/* SPDX-License-Identifier: MIT */

/* Metrics by HTTP: /metrics. */

#include <errno.h>
#include <stdlib.h>

#include <quoit/exposition.h>
#include <quoit/hooks.h>

#include "services/accept.h"

static const char *const types[] = {
        [QUOIT_EXPOSITION_PROMETHEUS] = "text/plain; version=0.0.4; charset=utf-8",
        [QUOIT_EXPOSITION_OPENMETRICS] =
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/* OpenMetrics for who asks for it by name; a browser that takes anything gets the text. */
static quoit_exposition_format choose(const quoit_call *call)
{
        upb_StringView accept;
        unsigned wanted;

        if (!quoit_call_metadata(call, "accept", &accept))
                return QUOIT_EXPOSITION_PROMETHEUS;
        wanted = accept_quality(accept.data, accept.size, "application/openmetrics-text");
        if (wanted > accept_quality(accept.data, accept.size, "text/plain"))
                return QUOIT_EXPOSITION_OPENMETRICS;
        return QUOIT_EXPOSITION_PROMETHEUS;
}

static void on_metrics(quoit_call *call, void *user)
{
        quoit_exposition_format format = choose(call);
        size_t size;
        char *text;

        if (quoit_exposition_write(user, format, &text, &size) < 0) {
                quoit_call_finish(call, QUOIT_UNAVAILABLE, "out of memory");
                return;
        }
        (void)quoit_call_add_header(call, "cache-control", upb_StringView_FromString("no-store"));
        (void)quoit_call_add_header(call, "vary", upb_StringView_FromString("accept"));
        (void)quoit_http_reply(call,
                &(quoit_http_answer){ .content_type = types[format], .body = text, .size = size });
        free(text);
}

static void on_free(void *user)
{
        free(user);
}

int quoit_exposition_handle_http(quoit_server *server, quoit_http_listeners listeners,
        const quoit_exposition_sources *sources)
{
        static const quoit_server_hooks hooks = { .on_free = on_free };
        quoit_exposition_sources *copy = malloc(sizeof(*copy));
        int r;

        if (!copy)
                return -ENOMEM;
        *copy = *sources;
        r = quoit_server_hook(server, &hooks, copy);
        if (r < 0) {
                free(copy);
                return r;
        }
        return quoit_server_handle_http_on(server, listeners, "/metrics", on_metrics, copy);
}
