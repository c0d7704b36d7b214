/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Metrics as text, for Prometheus and whatever else scrapes: <quoit/metrics.h>, <quoit/client_metrics.h> and <quoit/statistics.h> in the
 * text format 0.0.4 of Prometheus, or in OpenMetrics 1.0. Names are those that OpenTelemetry's exporters make of gRPC's:
 *
 *      grpc_server_call_started_total                              {grpc_method}
 *      grpc_server_call_duration_seconds                           {grpc_method, grpc_status}, a histogram as the two below
 *      grpc_server_call_sent_total_compressed_message_size_bytes
 *      grpc_server_call_rcvd_total_compressed_message_size_bytes
 *      grpc_client_attempt_started_total                           {grpc_target, grpc_method}
 *      grpc_client_attempt_duration_seconds, ..._bytes as above    {grpc_target, grpc_method, grpc_status}
 *      grpc_client_call_duration_seconds                           likewise
 *      grpc_client_call_retries, _transparent_retries, _hedges, _retry_delay_seconds    {grpc_target, grpc_method}
 *      quoit_server_calls_started_total                            {grpc_method, protocol}: "grpc", "grpc-web", "connect", "transcoding"
 *      quoit_server_connections, _connections_accepted_total, _connections_refused_total
 *      quoit_server_calls, _calls_refused_total
 *      quoit_server_memory_bytes, _memory_limit_bytes, _memory_refusals_total
 *      quoit_ring_cpu_seconds_total, _turns_total, _connections, _calls, _memory_bytes   {ring}
 *      quoit_build_info                                            {version, engine}, 1
 *      process_cpu_seconds_total, _resident_memory_bytes, _virtual_memory_bytes, _open_fds, _max_fds, _start_time_seconds
 *
 * In OpenMetrics the histograms ..._duration_seconds of calls and attempts have exemplars where these are traced (<quoit/tracing.h>):
 * {trace_id, span_id} of the last one in each bucket whose trace is sampled, its duration, and when it ended.
 */

#include <stddef.h>

#include <quoit/client_metrics.h>
#include <quoit/export.h>
#include <quoit/http.h>
#include <quoit/metrics.h>
#include <quoit/server.h>

QUOIT_BEGIN_DECLS

/* What is to be shown; NULL in a member: nothing of it. They must outlive what shows them. */
typedef struct quoit_exposition_sources {
        const quoit_metrics *metrics; /* of calls that a server takes */
        const quoit_client_metrics *client_metrics; /* of calls that clients make */
        const quoit_server *server; /* its statistics */
} quoit_exposition_sources;

/* The formats. */
typedef enum quoit_exposition_format {
        QUOIT_EXPOSITION_PROMETHEUS = 0, /* text/plain; version=0.0.4 */
        QUOIT_EXPOSITION_OPENMETRICS = 1, /* application/openmetrics-text; version=1.0.0 */
} quoit_exposition_format;

/*
 * Puts the text, which the caller gives back to free(), and its size without a zero, into *@ret_text and *@ret_size. 0, -ENOMEM. Any thread.
 * Figures of the process are always in it.
 */
QUOIT_API int quoit_exposition_write(const quoit_exposition_sources *sources,
        quoit_exposition_format format, char **ret_text, size_t *ret_size);

/*
 * Answers /metrics on @listeners of @server with @sources, which are copied, in the format that the request's Accept prefers. Making the
 * text takes the ring that it is asked on some time, 1 ms for some hundred methods: an admin listener keeps strangers from asking. Before
 * quoit_server_run(). 0, -ENOMEM, or an error of quoit_server_handle_http_on() or quoit_server_hook().
 */
QUOIT_API int quoit_exposition_handle_http(quoit_server *server, quoit_http_listeners listeners,
        const quoit_exposition_sources *sources);

QUOIT_END_DECLS
