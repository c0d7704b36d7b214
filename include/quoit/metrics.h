/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Metrics of a server's calls, by the names, labels and buckets of gRPC's proposal A66 (OpenTelemetry metrics), for
 * whatever shows them: they are read in this process, from any thread, at any time.
 *
 *      grpc.server.call.started                              calls, by grpc.method
 *      grpc.server.call.duration                             seconds, by grpc.method and grpc.status
 *      grpc.server.call.sent_total_compressed_message_size   bytes, likewise
 *      grpc.server.call.rcvd_total_compressed_message_size   bytes, likewise
 *
 * and, as gRPC has no names for it, how much of its budget of memory the server uses.
 *
 * grpc.method is "package.Service/method"; "other" for those that the server does not have, so that peers can't make
 * up labels. Each ring counts for itself, without a lock; what was counted is added up when it is read. A method takes
 * 1 KiB a ring for each status that it has had; calls for which there is no memory are not counted.
 */

#include <stddef.h>
#include <stdint.h>

#include <quoit/export.h>
#include <quoit/service.h>
#include <quoit/status.h>

QUOIT_BEGIN_DECLS

/* The counters, opaque. */
typedef struct quoit_metrics quoit_metrics;

/* A histogram: OpenTelemetry's, with explicit bounds. */
typedef struct quoit_histogram {
        const double *bounds; /* @bound_count of them, ascending */
        size_t bound_count; /* of @bounds */
        /* @bound_count + 1: of values up to and with the first bound, the second, ...; the last is of those over all. */
        const uint64_t *counts;
        uint64_t count; /* of values: the sum of @counts */
        double sum; /* of values */
} quoit_histogram;

/* Takes what quoit_metrics_read() reads; what it is given lives until it returns. */
typedef struct quoit_metrics_reader {
        /* grpc.server.call.started; once a method */
        void (*on_started)(void *user, const char *method, uint64_t started);
        /* the histograms of the calls that ended in @status; once for each status that a method had */
        void (*on_ended)(void *user, const char *method, quoit_status status,
                const quoit_histogram *duration_s, const quoit_histogram *sent_bytes,
                const quoit_histogram *received_bytes);
        /*
         * what calls hold of @bytes_max (`memory_bytes_max`; UINT64_MAX: no limit), and how many were refused or ended for
         * want of it; once. Only for a reader that reads before the server is freed
         */
        void (*on_memory)(void *user, uint64_t bytes, uint64_t bytes_max, uint64_t refusals);
} quoit_metrics_reader;

/* Counters, all 0, in *@ret_metrics. 0, -ENOMEM. */
QUOIT_API int quoit_metrics_new(quoit_metrics **ret_metrics);

/* Frees them, after their server. Takes NULL, returns NULL. */
QUOIT_API quoit_metrics *quoit_metrics_free(quoit_metrics *metrics);

/* Counts the calls of @server, and of no other: an interceptor. 0, or an error of quoit_server_intercept(). */
QUOIT_API int quoit_metrics_attach(quoit_metrics *metrics, quoit_server *server);

/*
 * Hands what was counted so far to @reader's functions, with @user, method by method. Calls that end meanwhile may be
 * in or not; nothing is counted twice. Any thread.
 */
QUOIT_API void quoit_metrics_read(
        const quoit_metrics *metrics, const quoit_metrics_reader *reader, void *user);

QUOIT_END_DECLS
