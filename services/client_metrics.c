/* SPDX-License-Identifier: MIT */
#include <quoit/client_metrics.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/client_interceptor.h>

#include "services/series.h"
#include "services/trace_context.h"

#define BUCKETS 64

/*
 * Each channel has its own counters: a ring's are written only by its own thread, and read by any thread. Tables grow by publishing
 * complete entries, and nothing is freed before the end. A reader adds up the channels of one target.
 */

/* What ended in one status. */
struct outcomes {
        struct series attempts;
        struct histogram calls_ns;
        struct exemplars
                *_Atomic exemplars; /* of calls_ns, on the heap; NULL: no call was sampled */
};

/* Of calls that were sent more than once. */
struct repeats {
        struct histogram retries, transparent_retries, hedges;
        struct histogram delay_ns;
};

/* One method on one ring. */
struct ring_metrics {
        atomic_ullong started;
        struct outcomes *_Atomic outcomes[SERIES_STATUSES]; /* NULL: there were none yet */
        struct repeats *_Atomic repeats; /* NULL: likewise */
};

struct method_metrics {
        struct method_metrics *next; /* in the bucket */
        char *name; /* behind the rings */
        struct ring_metrics
                *_Atomic rings[]; /* as many as the channel has. NULL: it had no call there yet */
};

struct channel_metrics {
        struct channel_metrics *next;
        unsigned ring_count;
        atomic_uint method_count;
        struct method_metrics *_Atomic buckets[BUCKETS];
        char target[];
};

struct quoit_client_metrics {
        struct channel_metrics *_Atomic channels;
};

/* ---- methods ---- */

static struct method_metrics *_Atomic *bucket_of(struct channel_metrics *channel, const char *name)
{
        uint32_t hash = 2166136261u; /* FNV-1a */

        for (; *name; name++)
                hash = (hash ^ (unsigned char)*name) * 16777619u;
        return &channel->buckets[hash % BUCKETS];
}

static struct method_metrics *find_in(struct method_metrics *first, const char *name)
{
        while (first && strcmp(first->name, name) != 0)
                first = first->next;
        return first;
}

static struct method_metrics *method_new(const struct channel_metrics *channel, const char *name)
{
        size_t rings_bytes = channel->ring_count * sizeof(struct ring_metrics *);
        size_t name_bytes = strlen(name) + 1;
        struct method_metrics *method = calloc(1, sizeof(*method) + rings_bytes + name_bytes);

        if (!method)
                return NULL;
        method->name = (char *)method + sizeof(*method) + rings_bytes;
        memcpy(method->name, name, name_bytes);
        return method;
}

/* Rings can be here at the same time, for the same method too: the second one looks again. NULL: no memory. */
static struct method_metrics *find_or_add(struct channel_metrics *channel, const char *name)
{
        struct method_metrics *_Atomic *bucket = bucket_of(channel, name);
        struct method_metrics *first = atomic_load(bucket);
        struct method_metrics *found = find_in(first, name), *fresh;

        if (found)
                return found;
        fresh = method_new(channel, name);
        if (!fresh)
                return NULL;
        fresh->next = first;
        while (!atomic_compare_exchange_weak(bucket, &fresh->next, fresh)) {
                found = find_in(fresh->next, name);
                if (found) {
                        free(fresh);
                        return found;
                }
        }
        atomic_fetch_add(&channel->method_count, 1);
        return fresh;
}

static struct method_metrics *method_of(struct channel_metrics *channel, const quoit_method *called)
{
        const char *name = called->path + 1;
        struct method_metrics *method = find_in(atomic_load(bucket_of(channel, name)), name);

        if (method)
                return method;
        return find_or_add(channel,
                atomic_load(&channel->method_count) < QUOIT_CLIENT_METRICS_METHODS_MAX ? name
                                                                                       : "other");
}

/* Of @call's method, which was found when it started, on its ring. NULL: no memory. */
static struct ring_metrics *ring_of(struct channel_metrics *channel, const quoit_outcall *call)
{
        struct method_metrics *method = quoit_outcall_attachment(call, channel);
        struct ring_metrics *_Atomic *slot;
        struct ring_metrics *ring;

        if (!method)
                method = method_of(channel, quoit_outcall_method(call));
        if (!method)
                return NULL;
        slot = &method->rings[quoit_outcall_ring(call)];
        ring = atomic_load(slot);
        if (!ring) {
                ring = calloc(1, sizeof(*ring));
                atomic_store(slot, ring);
        }
        return ring;
}

/* ---- counting ---- */

static struct outcomes *outcomes_of(struct ring_metrics *ring, quoit_status status)
{
        struct outcomes *_Atomic *slot = &ring->outcomes[series_index(status)];
        struct outcomes *outcomes = atomic_load(slot);

        if (!outcomes) {
                outcomes = calloc(1, sizeof(*outcomes));
                atomic_store(slot, outcomes);
        }
        return outcomes;
}

static struct repeats *repeats_of(struct ring_metrics *ring)
{
        struct repeats *repeats = atomic_load(&ring->repeats);

        if (!repeats) {
                repeats = calloc(1, sizeof(*repeats));
                atomic_store(&ring->repeats, repeats);
        }
        return repeats;
}

static void on_start(quoit_outcall *call, void *user)
{
        struct method_metrics *method = method_of(user, quoit_outcall_method(call));

        if (method)
                (void)quoit_outcall_attach(call, user, method); /* else it is found again */
}

static void on_attempt(const quoit_outcall *call, const quoit_attempt *attempt, void *user)
{
        struct ring_metrics *ring = ring_of(user, call);

        (void)attempt;
        if (ring)
                histogram_add(&ring->started, 1);
}

static void on_attempt_end(const quoit_outcall *call, const quoit_attempt *attempt, void *user)
{
        struct ring_metrics *ring = ring_of(user, call);
        struct outcomes *outcomes = ring ? outcomes_of(ring, attempt->status) : NULL;

        if (outcomes)
                series_record(&outcomes->attempts, attempt->duration_ns, attempt->bytes_sent,
                        attempt->bytes_received, trace_sampled_outcall(call));
}

/* A96: "if there were none, 0 is not reported". */
static void record_any(
        struct histogram *histogram, const struct histogram_scale *scale, uint64_t value)
{
        if (value > 0)
                histogram_record(histogram, scale, value);
}

static void count_repeats(struct ring_metrics *ring, const quoit_outcall_summary *summary)
{
        struct repeats *repeats = repeats_of(ring);

        if (!repeats)
                return;
        record_any(&repeats->retries, &histogram_repeats, summary->retries);
        record_any(&repeats->transparent_retries, &histogram_transparent_repeats,
                summary->transparent_retries);
        record_any(&repeats->hedges, &histogram_repeats, summary->hedges);
        record_any(&repeats->delay_ns, &histogram_durations, summary->retry_delay_ns);
}

static void count_end(struct outcomes *outcomes, uint64_t duration_ns, const quoit_trace *trace)
{
        size_t bucket = histogram_record(&outcomes->calls_ns, &histogram_durations, duration_ns);

        if (trace)
                exemplars_note(&outcomes->exemplars, bucket, duration_ns, trace);
}

static void on_end(const quoit_outcall *call, const quoit_outcall_summary *summary, void *user)
{
        struct ring_metrics *ring = ring_of(user, call);
        struct outcomes *outcomes = ring ? outcomes_of(ring, summary->status) : NULL;

        if (outcomes)
                count_end(outcomes, summary->duration_ns, trace_sampled_outcall(call));
        if (ring && summary->retries + summary->transparent_retries + summary->hedges > 0)
                count_repeats(ring, summary);
}

/* ---- reading ---- */

/* What the channels of one target have counted of a method, or of its part with one status. */
struct sum {
        uint64_t started;
        struct outcomes outcomes;
        struct exemplars attempts, calls; /* what these lead to */
        struct repeats repeats;
        bool has_repeats;
};

static void add_outcomes(struct outcomes *sum, const struct outcomes *outcomes)
{
        struct exemplars *exemplars = outcomes ? atomic_load(&outcomes->exemplars) : NULL;

        if (!outcomes)
                return;
        if (exemplars)
                exemplars_merge(sum->exemplars, exemplars);
        series_merge(&sum->attempts, &outcomes->attempts);
        histogram_merge(&sum->calls_ns, &outcomes->calls_ns);
}

static void add_repeats(struct sum *sum, const struct repeats *repeats)
{
        if (!repeats)
                return;
        sum->has_repeats = true;
        histogram_merge(&sum->repeats.retries, &repeats->retries);
        histogram_merge(&sum->repeats.transparent_retries, &repeats->transparent_retries);
        histogram_merge(&sum->repeats.hedges, &repeats->hedges);
        histogram_merge(&sum->repeats.delay_ns, &repeats->delay_ns);
}

/* The method @name of the channels of @first's target, from that on. */
static void sum_up(
        struct channel_metrics *first, const char *name, unsigned status, struct sum *ret_sum)
{
        *ret_sum = (struct sum){ .outcomes = { .attempts.exemplars = &ret_sum->attempts,
                                         .exemplars = &ret_sum->calls } };
        for (struct channel_metrics *channel = first; channel; channel = channel->next) {
                const struct method_metrics *method =
                        strcmp(channel->target, first->target) == 0
                                ? find_in(atomic_load(bucket_of(channel, name)), name)
                                : NULL;

                for (unsigned i = 0; method && i < channel->ring_count; i++) {
                        struct ring_metrics *ring = atomic_load(&method->rings[i]);

                        if (!ring)
                                continue;
                        ret_sum->started += atomic_load(&ring->started);
                        add_outcomes(&ret_sum->outcomes, atomic_load(&ring->outcomes[status]));
                        add_repeats(ret_sum, atomic_load(&ring->repeats));
                }
        }
}

static void tell_outcomes(const char *target, const char *name, quoit_status status,
        const struct outcomes *outcomes, const quoit_client_metrics_reader *reader, void *user)
{
        uint64_t counts[HISTOGRAM_COUNTS_MAX];
        quoit_histogram calls = histogram_show(&outcomes->calls_ns, &histogram_durations, counts);
        quoit_exemplar exemplars[HISTOGRAM_COUNTS_MAX];
        struct series_shown shown;

        series_show(&outcomes->attempts, &shown);
        if (exemplars_show(outcomes->exemplars, &histogram_durations, exemplars))
                calls.exemplars = exemplars;
        if (reader->on_attempts && shown.duration_s.count > 0)
                reader->on_attempts(user, target, name, status, &shown.duration_s,
                        &shown.sent_bytes, &shown.received_bytes);
        if (reader->on_calls && calls.count > 0)
                reader->on_calls(user, target, name, status, &calls);
}

static void tell_repeats(const char *target, const char *name, const struct repeats *repeats,
        const quoit_client_metrics_reader *reader, void *user)
{
        uint64_t counts[4][HISTOGRAM_COUNTS_MAX];
        const quoit_histogram retries =
                histogram_show(&repeats->retries, &histogram_repeats, counts[0]);
        const quoit_histogram transparent = histogram_show(
                &repeats->transparent_retries, &histogram_transparent_repeats, counts[1]);
        const quoit_histogram hedges =
                histogram_show(&repeats->hedges, &histogram_repeats, counts[2]);
        const quoit_histogram delay =
                histogram_show(&repeats->delay_ns, &histogram_durations, counts[3]);

        reader->on_retries(user, target, name, &retries, &transparent, &hedges, &delay);
}

static void read_method(struct channel_metrics *first, const char *name,
        const quoit_client_metrics_reader *reader, void *user)
{
        struct sum sum;

        for (unsigned status = 0; status < SERIES_STATUSES; status++) {
                sum_up(first, name, status, &sum);
                if (status == 0 && reader->on_started)
                        reader->on_started(user, first->target, name, sum.started);
                if (status == 0 && reader->on_retries && sum.has_repeats)
                        tell_repeats(first->target, name, &sum.repeats, reader, user);
                tell_outcomes(
                        first->target, name, (quoit_status)status, &sum.outcomes, reader, user);
        }
}

/* The first channel of @channel's target in @from, before @channel, that has the method @name (NULL: any). NULL: there is none. */
static const struct channel_metrics *find_before(
        struct channel_metrics *from, const struct channel_metrics *channel, const char *name)
{
        for (; from != channel; from = from->next) {
                if (strcmp(from->target, channel->target) == 0 &&
                        (!name || find_in(atomic_load(bucket_of(from, name)), name)))
                        return from;
        }
        return NULL;
}

/* The methods of @channel that none before it in @from has, of the same target, with all that follow. */
static void read_channel(struct channel_metrics *from, struct channel_metrics *channel,
        const quoit_client_metrics_reader *reader, void *user)
{
        for (unsigned i = 0; i < BUCKETS; i++) {
                for (const struct method_metrics *method = atomic_load(&channel->buckets[i]);
                        method; method = method->next) {
                        if (!find_before(from, channel, method->name))
                                read_method(channel, method->name, reader, user);
                }
        }
}

void quoit_client_metrics_read(
        const quoit_client_metrics *metrics, const quoit_client_metrics_reader *reader, void *user)
{
        struct channel_metrics *from = atomic_load(&metrics->channels);

        for (struct channel_metrics *first = from; first; first = first->next) {
                if (find_before(from, first, NULL)) /* its target was told */
                        continue;
                for (struct channel_metrics *channel = first; channel; channel = channel->next) {
                        if (strcmp(channel->target, first->target) == 0)
                                read_channel(from, channel, reader, user);
                }
        }
}

/* ---- life ---- */

int quoit_client_metrics_new(quoit_client_metrics **ret_metrics)
{
        quoit_client_metrics *metrics = calloc(1, sizeof(*metrics));

        if (!metrics)
                return -ENOMEM;
        *ret_metrics = metrics;
        return 0;
}

static void free_outcomes(struct outcomes *outcomes)
{
        if (!outcomes)
                return;
        series_deinit(&outcomes->attempts);
        free(outcomes->exemplars);
        free(outcomes);
}

static void free_ring(struct ring_metrics *ring)
{
        if (!ring)
                return;
        for (unsigned status = 0; status < SERIES_STATUSES; status++)
                free_outcomes(ring->outcomes[status]);
        free(ring->repeats);
        free(ring);
}

static void free_channel(struct channel_metrics *channel)
{
        for (unsigned i = 0; i < BUCKETS; i++) {
                struct method_metrics *method, *next;

                for (method = channel->buckets[i]; method; method = next) {
                        next = method->next;
                        for (unsigned ring = 0; ring < channel->ring_count; ring++)
                                free_ring(method->rings[ring]);
                        free(method);
                }
        }
        free(channel);
}

quoit_client_metrics *quoit_client_metrics_free(quoit_client_metrics *metrics)
{
        struct channel_metrics *channel, *next;

        for (channel = metrics ? metrics->channels : NULL; channel; channel = next) {
                next = channel->next;
                free_channel(channel);
        }
        free(metrics);
        return NULL;
}

int quoit_client_metrics_attach(quoit_client_metrics *metrics, quoit_channel *channel)
{
        static const quoit_client_interceptor interceptor = { .on_start = on_start,
                .on_end = on_end,
                .on_attempt = on_attempt,
                .on_attempt_end = on_attempt_end };
        const char *target = quoit_channel_target(channel);
        size_t target_bytes = strlen(target) + 1;
        struct channel_metrics *made = calloc(1, sizeof(*made) + target_bytes);
        int r;

        if (!made)
                return -ENOMEM;
        made->ring_count = quoit_channel_rings(channel);
        memcpy(made->target, target, target_bytes);
        r = quoit_channel_intercept(channel, &interceptor, made);
        if (r < 0) {
                free(made);
                return r;
        }
        made->next = atomic_load(&metrics->channels);
        while (!atomic_compare_exchange_weak(&metrics->channels, &made->next, made))
                ;
        return 0;
}
