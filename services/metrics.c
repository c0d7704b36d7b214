/* SPDX-License-Identifier: MIT */
#include <quoit/metrics.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <quoit/interceptor.h>
#include <quoit/server.h>

#include "services/series.h"
#include "services/trace_context.h"

#define BUCKETS 64
#define PROTOCOLS 5 /* bits of quoit_protocol */

/*
 * The methods are shared. A ring's counters are written only by its own thread and read by any thread. Tables grow by
 * publishing complete entries, and nothing is freed before the end.
 */

/* One method on one ring. */
struct ring_metrics {
        atomic_ullong started;
        atomic_ullong by_protocol[PROTOCOLS]; /* of those */
        struct series *_Atomic series[SERIES_STATUSES]; /* NULL: it had none yet */
};

struct method_metrics {
        struct method_metrics *next; /* in the bucket */
        const quoit_method *method;  /* NULL: all unknown methods */
        struct ring_metrics *_Atomic rings[QUOIT_RINGS_MAX]; /* NULL: it had no call there yet */
};

struct quoit_metrics {
        const quoit_server *server; /* whose calls are counted; NULL: not attached yet */
        struct method_metrics *_Atomic buckets[BUCKETS];
};

/* ---- counting ---- */

static struct method_metrics *_Atomic *bucket_of(quoit_metrics *metrics, const quoit_method *method)
{
        return &metrics->buckets[((uintptr_t)method / sizeof(*method)) % BUCKETS];
}

static struct method_metrics *find_method(struct method_metrics *first, const quoit_method *method)
{
        while (first && first->method != method)
                first = first->next;
        return first;
}

/* Rings can be here at the same time, for the same method too: the second one looks again. NULL: no memory. */
static struct method_metrics *find_or_add_method(quoit_metrics *metrics, const quoit_method *method)
{
        struct method_metrics *_Atomic *bucket = bucket_of(metrics, method);
        struct method_metrics *first = atomic_load(bucket);
        struct method_metrics *found = find_method(first, method);
        struct method_metrics *fresh;

        if (found)
                return found;
        fresh = calloc(1, sizeof(*fresh));
        if (!fresh)
                return NULL;
        fresh->method = method;
        fresh->next = first;
        while (!atomic_compare_exchange_weak(bucket, &fresh->next, fresh)) {
                found = find_method(fresh->next, method);
                if (found) {
                        free(fresh);
                        return found;
                }
        }
        return fresh;
}

/* A call's method on its ring. NULL: no memory. */
static struct ring_metrics *metrics_of(quoit_metrics *metrics, const quoit_call *call)
{
        struct method_metrics *method = find_or_add_method(metrics, quoit_call_method(call));
        struct ring_metrics *_Atomic *slot;
        struct ring_metrics *ring;

        if (!method)
                return NULL;
        slot = &method->rings[quoit_call_ring(call)];
        ring = atomic_load(slot);
        if (!ring) {
                ring = calloc(1, sizeof(*ring));
                atomic_store(slot, ring);
        }
        return ring;
}

static struct series *series_of(struct ring_metrics *ring, quoit_status status)
{
        struct series *_Atomic *slot = &ring->series[series_index(status)];
        struct series *series = atomic_load(slot);

        if (!series) {
                series = calloc(1, sizeof(*series));
                atomic_store(slot, series);
        }
        return series;
}

/* A66 is about calls, not about pages and probes. */
static bool is_counted(const quoit_call *call)
{
        return quoit_call_protocol(call) != QUOIT_PROTOCOL_HTTP;
}

static void count_start(struct ring_metrics *ring, const quoit_call *call)
{
        histogram_add(&ring->started, 1);
        histogram_add(&ring->by_protocol[__builtin_ctz(quoit_call_protocol(call))], 1);
}

static void on_start(quoit_call *call, void *user)
{
        struct ring_metrics *ring = is_counted(call) ? metrics_of(user, call) : NULL;

        if (ring)
                count_start(ring, call);
}

static void on_end(const quoit_call *call, const quoit_call_summary *summary, void *user)
{
        struct ring_metrics *ring = is_counted(call) ? metrics_of(user, call) : NULL;
        struct series *series = ring ? series_of(ring, summary->status) : NULL;

        if (!series)
                return;
        if (!summary->start_seen)
                count_start(ring, call); /* refused before */
        series_record(series, summary->duration_ns, summary->bytes_sent, summary->bytes_received,
                trace_sampled(call));
}

/* ---- reading ---- */

static const char *name_of(const struct method_metrics *method)
{
        return method->method ? method->method->path + 1 : "other";
}

static uint64_t started(const struct method_metrics *method)
{
        uint64_t sum = 0;

        for (unsigned i = 0; i < QUOIT_RINGS_MAX; i++) {
                struct ring_metrics *ring = atomic_load(&method->rings[i]);

                if (ring)
                        sum += atomic_load(&ring->started);
        }
        return sum;
}

static uint64_t started_by(const struct method_metrics *method, unsigned protocol)
{
        uint64_t sum = 0;

        for (unsigned i = 0; i < QUOIT_RINGS_MAX; i++) {
                struct ring_metrics *ring = atomic_load(&method->rings[i]);

                if (ring)
                        sum += atomic_load(&ring->by_protocol[protocol]);
        }
        return sum;
}

static void read_protocols(
        const struct method_metrics *method, const quoit_metrics_reader *reader, void *user)
{
        for (unsigned i = 0; i < PROTOCOLS; i++) {
                uint64_t count = started_by(method, i);

                if (count > 0)
                        reader->on_protocol(
                                user, name_of(method), (quoit_protocol)(1u << i), count);
        }
}

/* False: no call ended with that status. */
static bool sum_up(const struct method_metrics *method, unsigned status, struct series *ret_sum)
{
        bool any = false;

        for (unsigned i = 0; i < QUOIT_RINGS_MAX; i++) {
                struct ring_metrics *ring = atomic_load(&method->rings[i]);
                const struct series *series = ring ? atomic_load(&ring->series[status]) : NULL;

                if (!series)
                        continue;
                any = true;
                series_merge(ret_sum, series);
        }
        return any;
}

static void read_method(
        const struct method_metrics *method, const quoit_metrics_reader *reader, void *user)
{
        if (reader->on_started)
                reader->on_started(user, name_of(method), started(method));
        if (reader->on_protocol)
                read_protocols(method, reader, user);
        for (unsigned status = 0; reader->on_ended && status < SERIES_STATUSES; status++) {
                struct series_shown shown;
                struct exemplars exemplars = { 0 };
                struct series sum = { .exemplars = &exemplars };

                if (!sum_up(method, status, &sum))
                        continue;
                series_show(&sum, &shown);
                reader->on_ended(user, name_of(method), (quoit_status)status, &shown.duration_s,
                        &shown.sent_bytes, &shown.received_bytes);
        }
}

static void read_memory(const quoit_server *server, const quoit_metrics_reader *reader, void *user)
{
        quoit_server_statistics statistics;

        quoit_server_get_statistics(server, &statistics);
        reader->on_memory(user, statistics.memory_bytes, statistics.memory_bytes_max,
                statistics.memory_refusals);
}

void quoit_metrics_read(
        const quoit_metrics *metrics, const quoit_metrics_reader *reader, void *user)
{
        if (reader->on_memory && metrics->server)
                read_memory(metrics->server, reader, user);
        for (unsigned i = 0; i < BUCKETS; i++) {
                for (const struct method_metrics *method = atomic_load(&metrics->buckets[i]);
                        method; method = method->next)
                        read_method(method, reader, user);
        }
}

/* ---- life ---- */

int quoit_metrics_new(quoit_metrics **ret_metrics)
{
        quoit_metrics *metrics = calloc(1, sizeof(*metrics));

        if (!metrics)
                return -ENOMEM;
        *ret_metrics = metrics;
        return 0;
}

static void free_series(struct series *series)
{
        if (series)
                series_deinit(series);
        free(series);
}

static void free_method(struct method_metrics *method)
{
        for (unsigned i = 0; i < QUOIT_RINGS_MAX; i++) {
                struct ring_metrics *ring = method->rings[i];

                for (unsigned status = 0; ring && status < SERIES_STATUSES; status++)
                        free_series(ring->series[status]);
                free(ring);
        }
        free(method);
}

quoit_metrics *quoit_metrics_free(quoit_metrics *metrics)
{
        for (unsigned i = 0; metrics && i < BUCKETS; i++) {
                struct method_metrics *method, *next;

                for (method = metrics->buckets[i]; method; method = next) {
                        next = method->next;
                        free_method(method);
                }
        }
        free(metrics);
        return NULL;
}

int quoit_metrics_attach(quoit_metrics *metrics, quoit_server *server)
{
        static const quoit_interceptor interceptor = { .on_start = on_start, .on_end = on_end };

        int r = quoit_server_intercept(server, &interceptor, metrics);

        if (r == 0)
                metrics->server = server;
        return r;
}
