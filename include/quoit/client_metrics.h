/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Metrics of a client's calls, with the names, labels and buckets of gRPC's proposals A66 and A96 (OpenTelemetry metrics). A program
 * reads them in this process, from any thread, at any time, and exports them as it likes.
 *
 *      grpc.client.call.duration                               seconds, by grpc.target, grpc.method and grpc.status
 *      grpc.client.attempt.started                             attempts, by grpc.target and grpc.method
 *      grpc.client.attempt.duration                            seconds, by grpc.target, grpc.method and grpc.status
 *      grpc.client.attempt.sent_total_compressed_message_size  bytes, likewise
 *      grpc.client.attempt.rcvd_total_compressed_message_size  bytes, likewise
 *      grpc.client.call.retries                                attempts a call, by grpc.target and grpc.method
 *      grpc.client.call.transparent_retries                    likewise
 *      grpc.client.call.hedges                                 likewise
 *      grpc.client.call.retry_delay                            seconds, likewise
 *
 * grpc.target is quoit_channel_target(), grpc.method "package.Service/method". A program may make methods up, by reflection for
 * example: so a channel has at most QUOIT_CLIENT_METRICS_METHODS_MAX of them, and what comes later is "other". Each ring has its own
 * counters, without a lock; a reader adds them up. A method takes 1.5 KiB a channel and ring for each status that it has had; calls for
 * which there is no memory are not counted.
 */

#include <stdint.h>

#include <quoit/client.h>
#include <quoit/export.h>
#include <quoit/metrics.h>
#include <quoit/status.h>

QUOIT_BEGIN_DECLS

/* The most methods of a channel that have a label of their own. */
#define QUOIT_CLIENT_METRICS_METHODS_MAX 1000

/* The counters, opaque. */
typedef struct quoit_client_metrics quoit_client_metrics;

/* Callbacks of quoit_client_metrics_read(), any of which may be NULL; their arguments live until they return. */
typedef struct quoit_client_metrics_reader {
        /* grpc.client.attempt.started; once a target and method */
        void (*on_started)(void *user, const char *target, const char *method, uint64_t started);
        /* The attempts that ended in @status; once for each status that a method's attempts had. */
        void (*on_attempts)(void *user, const char *target, const char *method, quoit_status status,
                const quoit_histogram *duration_s, const quoit_histogram *sent_bytes,
                const quoit_histogram *received_bytes);
        /* grpc.client.call.duration of the calls that ended in @status; once for each status that a method's calls had. */
        void (*on_calls)(void *user, const char *target, const char *method, quoit_status status,
                const quoit_histogram *duration_s);
        /*
         * How the calls that were sent more than once were: a call counts in a histogram where its number is not 0. Once for each method
         * that had such calls.
         */
        void (*on_retries)(void *user, const char *target, const char *method,
                const quoit_histogram *retries, const quoit_histogram *transparent_retries,
                const quoit_histogram *hedges, const quoit_histogram *retry_delay_s);
} quoit_client_metrics_reader;

/* Counters, all 0, in *@ret_metrics. 0, -ENOMEM. Any thread. */
QUOIT_API int quoit_client_metrics_new(quoit_client_metrics **ret_metrics);

/* Frees them, after the clients of their channels. Takes NULL, returns NULL. Any thread. */
QUOIT_API quoit_client_metrics *quoit_client_metrics_free(quoit_client_metrics *metrics);

/*
 * Counts the calls of @channel: an interceptor (client_interceptor.h). Of several channels of one target all calls together. 0; -ENOMEM;
 * or an error of quoit_channel_intercept(). Any thread.
 */
QUOIT_API int quoit_client_metrics_attach(quoit_client_metrics *metrics, quoit_channel *channel);

/*
 * Passes the counters to @reader's functions, with @user, target by target and method by method. Calls that end meanwhile may be included
 * or not; nothing is counted twice. Any thread.
 */
QUOIT_API void quoit_client_metrics_read(
        const quoit_client_metrics *metrics, const quoit_client_metrics_reader *reader, void *user);

QUOIT_END_DECLS
