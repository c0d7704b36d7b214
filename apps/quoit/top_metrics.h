/* SPDX-License-Identifier: MIT */
#pragma once

/* How long a server's calls take, from the histogram in its /metrics (Prometheus' text format), over HTTP in the clear. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most buckets of a histogram, and the most bytes of an answer. */
enum { TOP_BUCKETS_MAX = 64, TOP_METRICS_BYTES_MAX = 4 << 20 };

/* Calls of all methods and statuses together. */
struct top_latency {
        double bounds_s[TOP_BUCKETS_MAX]; /* ascending; the last one may be infinite */
        double counts[TOP_BUCKETS_MAX]; /* of calls that took so long at most */
        size_t count; /* 0: not known */
};

/*
 * Reads "http://HOST:PORT/PATH", or HOST:PORT, whose path is /metrics. False: nothing answers there with a histogram of calls
 * (grpc_server_call_duration_seconds, as in gRPC's proposal A66, or grpc_server_handling_seconds). Takes some seconds at most.
 */
bool top_metrics_take(const char *url, struct top_latency *ret_latency);

/* Adds what the text of an answer has. */
void top_metrics_parse(struct top_latency *latency, const char *text);

/* The time of the quantile @q (0 to 1) of the calls between both, within its bucket by a straight line. Below 0: there were none. */
double top_metrics_quantile_s(
        const struct top_latency *before, const struct top_latency *now, double q);
