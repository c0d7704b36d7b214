/* SPDX-License-Identifier: MIT */
#include "http.h"

#include "option_kinds.h"

static quoit_metrics *metrics;
static quoit_client_metrics *client_metrics; /* NULL: there are none */

#define AT(member) .offset = offsetof(struct http_options, member)

const struct option_entry http_options[] = {
        { .about = "Plain HTTP, for operators:" },
        { "admin", "ADDRESS",
                "listen there for operators alone: GET /healthz, /readyz, /metrics; as --listen",
                option_set_text, AT(admin) },
        { "metrics", NULL, "/metrics where calls are served, not only at --admin",
                option_set_switch, AT(metrics) },
        { 0 },
};

static int count_calls_of(quoit_channel *channel)
{
        int r = quoit_client_metrics_new(&client_metrics);

        return r < 0 ? r : quoit_client_metrics_attach(client_metrics, channel);
}

static int show_metrics(
        quoit_server *server, quoit_channel *channel, const struct http_options *options)
{
        int r = quoit_metrics_new(&metrics);

        if (r == 0)
                r = quoit_metrics_attach(metrics, server);
        if (r == 0 && channel)
                r = count_calls_of(channel);
        if (r < 0)
                return r;
        return quoit_exposition_handle_http(server,
                options->metrics ? QUOIT_HTTP_ALL : QUOIT_HTTP_ADMIN,
                &(quoit_exposition_sources){
                        .metrics = metrics, .client_metrics = client_metrics, .server = server });
}

int http_begin(quoit_server *server, quoit_health *health, quoit_channel *channel,
        const struct http_options *options)
{
        int r = 0;

        if (health)
                r = quoit_health_handle_http(health, server, QUOIT_HTTP_ALL);
        if (r == 0 && (options->admin || options->metrics))
                r = show_metrics(server, channel, options);
        return r;
}

void http_end(void)
{
        metrics = quoit_metrics_free(metrics);
        client_metrics = quoit_client_metrics_free(client_metrics);
}
