/* SPDX-License-Identifier: MIT */
#include <quoit/access_log.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <quoit/interceptor.h>
#include <quoit/peer.h>

#include "services/line.h"
#include "services/trace_context.h"

#define NS_PER_US 1000u
#define NS_PER_MS 1000000u
#define NS_PER_S 1000000000u

struct quoit_access_log {
        quoit_access_log_format format;
        quoit_access_log_fn on_line;
        void *user;
};

/* The wall-clock time at which it began: now minus its duration. */
static uint64_t started_unix_ms(const quoit_call_summary *summary)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return ((uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec - summary->duration_ns) /
               NS_PER_MS;
}

static void add_text(struct line *line, const char *name, const char *text)
{
        line_add_quoted(line, name, text, strlen(text));
}

static void add_sizes(struct line *line, const quoit_call_summary *summary)
{
        line_add_number(line, "duration_us", summary->duration_ns / NS_PER_US);
        line_add_number(line, "wait_us", summary->wait_ns / NS_PER_US);
        line_add_number(line, "messages_received", summary->messages_received);
        line_add_number(line, "bytes_received", summary->bytes_received);
        line_add_number(line, "messages_sent", summary->messages_sent);
        line_add_number(line, "bytes_sent", summary->bytes_sent);
}

/* Rounded up to a millisecond: the ring's clock, which the deadline was computed with, is late by up to a turn. */
static uint64_t timeout_ms_of(const quoit_call *call, const quoit_call_summary *summary)
{
        uint64_t deadline_ns = quoit_call_deadline_ns(call);

        return deadline_ns <= summary->started_ns
                       ? 0
                       : (deadline_ns - summary->started_ns + NS_PER_MS - 1) / NS_PER_MS;
}

static void add_trace(struct line *line, const quoit_call *call)
{
        char id[TRACE_ID_TEXT_BYTES];
        quoit_trace trace;

        if (!quoit_call_trace(call, &trace))
                return;
        trace_format_id(&trace, id);
        line_add_word(line, "trace", id);
}

/* The subject of the peer's certificate. */
static void add_tls(struct line *line, const quoit_peer_tls *tls)
{
        if (!tls)
                return;
        line_add_word(line, "tls", tls->version);
        if (tls->subject)
                add_text(line, "tls_subject", tls->subject);
}

static void on_end(const quoit_call *call, const quoit_call_summary *summary, void *user)
{
        const quoit_access_log *log = user;
        upb_StringView agent;
        struct line line;

        line_begin(&line, log->format == QUOIT_ACCESS_LOG_JSON);
        line_add_time(&line, "time", started_unix_ms(summary));
        add_text(&line, "peer", quoit_call_peer(call));
        add_text(&line, "method", quoit_call_path(call));
        line_add_word(&line, "protocol", quoit_protocol_name(summary->protocol));
        line_add_word(&line, "status", quoit_status_name(summary->status));
        if (summary->http_status != 200)
                line_add_number(&line, "http_status", summary->http_status);
        add_sizes(&line, summary);
        if (quoit_call_deadline_ns(call) != UINT64_MAX)
                line_add_number(&line, "timeout_ms", timeout_ms_of(call, summary));
        add_trace(&line, call);
        if (quoit_call_metadata(call, "user-agent", &agent))
                line_add_quoted(&line, "user_agent", agent.data, agent.size);
        add_tls(&line, quoit_call_peer_tls(call));
        line_end(&line);
        log->on_line(log->user, line.bytes, line.size);
}

int quoit_access_log_new(quoit_access_log_format format, quoit_access_log_fn on_line, void *user,
        quoit_access_log **ret_log)
{
        quoit_access_log *log = malloc(sizeof(*log));

        if (!log)
                return -ENOMEM;
        *log = (quoit_access_log){ .format = format, .on_line = on_line, .user = user };
        *ret_log = log;
        return 0;
}

quoit_access_log *quoit_access_log_free(quoit_access_log *log)
{
        free(log);
        return NULL;
}

int quoit_access_log_attach(quoit_access_log *log, quoit_server *server)
{
        static const quoit_interceptor interceptor = { .on_end = on_end };

        return quoit_server_intercept(server, &interceptor, log);
}
