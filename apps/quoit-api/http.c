/* SPDX-License-Identifier: MIT */
#include "http.h"

static quoit_metrics *metrics;

static int show_metrics(quoit_server *server, const struct options *options)
{
        int r = quoit_metrics_new(&metrics);

        if (r == 0)
                r = quoit_metrics_attach(metrics, server);
        if (r < 0)
                return r;
        return quoit_exposition_handle_http(server,
                options->metrics ? QUOIT_HTTP_ALL : QUOIT_HTTP_ADMIN,
                &(quoit_exposition_sources){ .metrics = metrics, .server = server });
}

int http_begin(quoit_server *server, quoit_health *health, const struct options *options)
{
        int r = 0;

        if (health)
                r = quoit_health_handle_http(health, server, QUOIT_HTTP_ALL);
        if (r == 0 && (options->admin || options->metrics))
                r = show_metrics(server, options);
        if (r == 0)
                r = quoit_server_set_cors(
                        server, &(quoit_cors_options){ .origins = options->cors_origins,
                                        .origin_count = options->cors_origin_count,
                                        .credentials = options->cors_credentials });
        return r;
}

void http_end(void)
{
        metrics = quoit_metrics_free(metrics);
}
