/* SPDX-License-Identifier: MIT */
#include <quoit/metrics.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <quoit/interceptor.h>
#include <quoit/server.h>

#include "services/histogram.h"

#define BUCKETS 64
#define STATUSES (QUOIT_UNAUTHENTICATED + 1)

/*
 * A ring's counters are written by its thread alone and read by any: tables grow by publishing what is complete, and
 * nothing goes before the end.
 */

/* The calls of one method that ended in one status. */
struct series {
        struct histogram duration_ns;
        struct histogram sent_bytes;
        struct histogram received_bytes;
};

/* One method on one ring. */
struct method_metrics {
        struct method_metrics *next; /* in the bucket */
        const quoit_method *method;  /* NULL: all those that there are none of */
        atomic_ullong started;
        struct series *_Atomic series[STATUSES]; /* NULL: it had none yet */
};

struct ring_metrics {
        struct method_metrics *_Atomic buckets[BUCKETS];
};

struct quoit_metrics {
        struct ring_metrics *_Atomic rings[QUOIT_RINGS_MAX]; /* NULL: it had no call yet */
};

/* ---- counting ---- */

static size_t bucket_of(const quoit_method *method)
{
        return ((uintptr_t)method / sizeof(*method)) % BUCKETS;
}

static struct method_metrics *find_method(struct ring_metrics *ring, const quoit_method *method)
{
        struct method_metrics *found = ring ? atomic_load(&ring->buckets[bucket_of(method)]) : NULL;

        while (found && found->method != method)
                found = found->next;
        return found;
}

static struct method_metrics *add_method(struct ring_metrics *ring, const quoit_method *method)
{
        struct method_metrics *_Atomic *bucket = &ring->buckets[bucket_of(method)];
        struct method_metrics *fresh = calloc(1, sizeof(*fresh));

        if (!fresh)
                return NULL;
        fresh->method = method;
        fresh->next = atomic_load(bucket);
        atomic_store(bucket, fresh);
        return fresh;
}

/* NULL: there is no memory for it. */
static struct method_metrics *method_of(quoit_metrics *metrics, const quoit_call *call)
{
        struct ring_metrics *_Atomic *slot = &metrics->rings[quoit_call_ring(call)];
        const quoit_method *method = quoit_call_method(call);
        struct ring_metrics *ring = atomic_load(slot);
        struct method_metrics *found;

        if (!ring) {
                ring = calloc(1, sizeof(*ring));
                if (!ring)
                        return NULL;
                atomic_store(slot, ring);
        }
        found = find_method(ring, method);
        return found ? found : add_method(ring, method);
}

static struct series *series_of(struct method_metrics *method, quoit_status status)
{
        unsigned index = (unsigned)status < STATUSES ? (unsigned)status : QUOIT_UNKNOWN;
        struct series *series = atomic_load(&method->series[index]);

        if (!series) {
                series = calloc(1, sizeof(*series));
                atomic_store(&method->series[index], series);
        }
        return series;
}

static void on_start(quoit_call *call, void *user)
{
        struct method_metrics *method = method_of(user, call);

        if (method)
                histogram_add(&method->started, 1);
}

static void on_end(const quoit_call *call, const quoit_call_summary *summary, void *user)
{
        struct method_metrics *method = method_of(user, call);
        struct series *series = method ? series_of(method, summary->status) : NULL;

        if (!series)
                return;
        if (!summary->start_seen)
                histogram_add(&method->started, 1); /* refused before */
        histogram_record(&series->duration_ns, &histogram_durations, summary->duration_ns);
        histogram_record(&series->sent_bytes, &histogram_sizes, summary->bytes_sent);
        histogram_record(&series->received_bytes, &histogram_sizes, summary->bytes_received);
}

/* ---- reading ---- */

/* The method is on a ring before @ring: it has been read with that. */
static bool is_read(const quoit_metrics *metrics, unsigned ring, const quoit_method *method)
{
        for (unsigned i = 0; i < ring; i++) {
                if (find_method(atomic_load(&metrics->rings[i]), method))
                        return true;
        }
        return false;
}

static const char *name_of(const quoit_method *method)
{
        return method ? method->path + 1 : "other";
}

static uint64_t started(const quoit_metrics *metrics, const quoit_method *method)
{
        uint64_t sum = 0;

        for (unsigned i = 0; i < QUOIT_RINGS_MAX; i++) {
                struct method_metrics *found = find_method(atomic_load(&metrics->rings[i]), method);

                if (found)
                        sum += atomic_load(&found->started);
        }
        return sum;
}

/* False: no call ended in that. */
static bool sum_up(const quoit_metrics *metrics, const quoit_method *method, unsigned status,
        struct series *ret_sum)
{
        bool any = false;

        for (unsigned i = 0; i < QUOIT_RINGS_MAX; i++) {
                struct method_metrics *found = find_method(atomic_load(&metrics->rings[i]), method);
                const struct series *series = found ? atomic_load(&found->series[status]) : NULL;

                if (!series)
                        continue;
                any = true;
                histogram_merge(&ret_sum->duration_ns, &series->duration_ns);
                histogram_merge(&ret_sum->sent_bytes, &series->sent_bytes);
                histogram_merge(&ret_sum->received_bytes, &series->received_bytes);
        }
        return any;
}

static void read_method(const quoit_metrics *metrics, const quoit_method *method,
        const quoit_metrics_reader *reader, void *user)
{
        if (reader->on_started)
                reader->on_started(user, name_of(method), started(metrics, method));
        for (unsigned status = 0; reader->on_ended && status < STATUSES; status++) {
                uint64_t counts[3][HISTOGRAM_COUNTS_MAX];
                quoit_histogram shown[3];
                struct series sum = { 0 };

                if (!sum_up(metrics, method, status, &sum))
                        continue;
                shown[0] = histogram_show(&sum.duration_ns, &histogram_durations, counts[0]);
                shown[1] = histogram_show(&sum.sent_bytes, &histogram_sizes, counts[1]);
                shown[2] = histogram_show(&sum.received_bytes, &histogram_sizes, counts[2]);
                reader->on_ended(user, name_of(method), (quoit_status)status, shown + 0, shown + 1,
                        shown + 2);
        }
}

void quoit_metrics_read(
        const quoit_metrics *metrics, const quoit_metrics_reader *reader, void *user)
{
        for (unsigned i = 0; i < QUOIT_RINGS_MAX; i++) {
                struct ring_metrics *ring = atomic_load(&metrics->rings[i]);

                for (unsigned b = 0; ring && b < BUCKETS; b++) {
                        struct method_metrics *method = atomic_load(&ring->buckets[b]);

                        for (; method; method = method->next) {
                                if (!is_read(metrics, i, method->method))
                                        read_method(metrics, method->method, reader, user);
                        }
                }
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

static void free_method(struct method_metrics *method)
{
        for (unsigned i = 0; i < STATUSES; i++)
                free(method->series[i]);
        free(method);
}

quoit_metrics *quoit_metrics_free(quoit_metrics *metrics)
{
        for (unsigned i = 0; metrics && i < QUOIT_RINGS_MAX; i++) {
                struct ring_metrics *ring = metrics->rings[i];

                for (unsigned b = 0; ring && b < BUCKETS; b++) {
                        struct method_metrics *method, *next;

                        for (method = ring->buckets[b]; method; method = next) {
                                next = method->next;
                                free_method(method);
                        }
                }
                free(ring);
        }
        free(metrics);
        return NULL;
}

int quoit_metrics_attach(quoit_metrics *metrics, quoit_server *server)
{
        static const quoit_interceptor interceptor = { .on_start = on_start, .on_end = on_end };

        return quoit_server_intercept(server, &interceptor, metrics);
}
