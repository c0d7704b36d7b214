/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Metrics of a server's calls, with the names, labels and buckets of gRPC's proposal A66 (OpenTelemetry metrics). A program
 * reads them in this process, from any thread, at any time, and exports them as it likes.
 *
 *      grpc.server.call.started                              calls, by grpc.method
 *      grpc.server.call.duration                             seconds, by grpc.method and grpc.status
 *      grpc.server.call.sent_total_compressed_message_size   bytes, likewise
 *      grpc.server.call.rcvd_total_compressed_message_size   bytes, likewise
 *
 * and the memory that the server uses of its budget, for which gRPC has no name.
 *
 * grpc.method is "package.Service/method"; "other" for unknown methods, so that peers cannot invent labels. Each ring has its
 * own counters, without a lock; a reader adds them up. A method takes 1 KiB a ring for each status that it has had, and 2 KiB
 * more where calls are traced: each bucket of durations keeps its last sampled one. Calls for which there is no memory are not counted, nor requests of plain HTTP (<quoit/http.h>). <quoit/exposition.h> has all of it as text.
 */

#include <stddef.h>
#include <stdint.h>

#include <quoit/export.h>
#include <quoit/protocol.h>
#include <quoit/service.h>
#include <quoit/status.h>

QUOIT_BEGIN_DECLS

/* The counters, opaque. */
typedef struct quoit_metrics quoit_metrics;

/* A call that stands for those of its bucket, by its trace. */
typedef struct quoit_exemplar {
        uint8_t trace_id[16]; /* all zeros: the bucket has none */
        uint8_t span_id[8]; /* of the call's own span */
        double value; /* what was counted of it */
        double unix_s; /* when: seconds since 1970 */
} quoit_exemplar;

/* A histogram: OpenTelemetry's, with explicit bounds. */
typedef struct quoit_histogram {
        const double *bounds; /* @bound_count of them, ascending */
        size_t bound_count; /* of @bounds */
        /* @bound_count + 1 counts: values up to and including the first bound, the second, ...; the last: above all bounds. */
        const uint64_t *counts;
        uint64_t count; /* of values: the sum of @counts */
        double sum; /* of values */
        /* one for each of @counts: the bucket's last call whose trace was sampled (<quoit/tracing.h>). NULL: there are none */
        const quoit_exemplar *exemplars;
} quoit_histogram;

/* Callbacks of quoit_metrics_read(); their arguments live until they return. */
typedef struct quoit_metrics_reader {
        /* grpc.server.call.started; once a method */
        void (*on_started)(void *user, const char *method, uint64_t started);
        /* the histograms of the calls that ended in @status; once for each status that a method had */
        void (*on_ended)(void *user, const char *method, quoit_status status,
                const quoit_histogram *duration_s, const quoit_histogram *sent_bytes,
                const quoit_histogram *received_bytes);
        /*
         * the memory that calls hold of @bytes_max (`memory_bytes_max`; UINT64_MAX: no limit), and how many calls were refused
         * or ended because memory was short; once. Only before the server is freed
         */
        void (*on_memory)(void *user, uint64_t bytes, uint64_t bytes_max, uint64_t refusals);
        /* how many of the calls that were started came by @protocol; once for each protocol that a method was called by */
        void (*on_protocol)(
                void *user, const char *method, quoit_protocol protocol, uint64_t started);
} quoit_metrics_reader;

/* Counters, all 0, in *@ret_metrics. 0, -ENOMEM. */
QUOIT_API int quoit_metrics_new(quoit_metrics **ret_metrics);

/* Frees them, after their server. Takes NULL, returns NULL. */
QUOIT_API quoit_metrics *quoit_metrics_free(quoit_metrics *metrics);

/* Counts the calls of @server, and of no other: an interceptor. 0, or an error of quoit_server_intercept(). */
QUOIT_API int quoit_metrics_attach(quoit_metrics *metrics, quoit_server *server);

/*
 * Passes the counters to @reader's functions, with @user, method by method. Calls that end meanwhile may be included or not;
 * nothing is counted twice. Any thread.
 */
QUOIT_API void quoit_metrics_read(
        const quoit_metrics *metrics, const quoit_metrics_reader *reader, void *user);

QUOIT_END_DECLS
