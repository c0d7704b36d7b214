/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <errno.h>
#include <time.h>

#include <quoit/json.h>
#include <quoit/version.h>

#include "plan.h"
#include "run.h"

#define NS_PER_SECOND 1e9
#define NS_PER_US 1e3
#define BEGAN_BYTES 32

static upb_StringView string(const char *text)
{
        return upb_StringView_FromString(text ? text : "");
}

/* ---- what was wanted ---- */

static const char *kind_name(quoit_method_kind kind)
{
        static const char *const names[] = {
                [QUOIT_UNARY] = "unary",
                [QUOIT_SERVER_STREAMING] = "server_streaming",
                [QUOIT_CLIENT_STREAMING] = "client_streaming",
                [QUOIT_BIDI] = "bidi",
        };

        return names[kind];
}

static bool add_settings(quoit_bench_Report *report, const struct report_origin *origin,
        const struct plan *plan, upb_Arena *arena)
{
        quoit_bench_Settings *settings = quoit_bench_Report_mutable_settings(report, arena);

        if (!settings)
                return false;
        quoit_bench_Settings_set_connections(settings, plan->connections);
        quoit_bench_Settings_set_threads(settings, plan->threads);
        quoit_bench_Settings_set_concurrency(settings, plan->concurrency);
        quoit_bench_Settings_set_rate(settings, string(origin->rate));
        quoit_bench_Settings_set_poisson(settings, plan->by_chance);
        if (plan->duration_ns != PLAN_UNLIMITED)
                quoit_bench_Settings_set_duration_seconds(
                        settings, (double)plan->duration_ns / NS_PER_SECOND);
        if (plan->requests != PLAN_UNLIMITED)
                quoit_bench_Settings_set_requests(settings, (double)plan->requests);
        quoit_bench_Settings_set_warmup_seconds(settings, (double)plan->warmup_ns / NS_PER_SECOND);
        quoit_bench_Settings_set_messages(settings, plan->messages);
        quoit_bench_Settings_set_ping_pong(settings, plan->ping_pong);
        quoit_bench_Settings_set_tls(settings, origin->is_tls);
        return true;
}

static upb_StringView print_time(double seconds, upb_Arena *arena)
{
        char *text = upb_Arena_Malloc(arena, BEGAN_BYTES);
        time_t time = (time_t)seconds;
        struct tm utc;

        if (!text || !gmtime_r(&time, &utc))
                return string(NULL);
        return upb_StringView_FromDataAndSize(
                text, strftime(text, BEGAN_BYTES, "%Y-%m-%dT%H:%M:%SZ", &utc));
}

/* ---- latencies ---- */

/* Points of the distribution: the closer to 100 %, the closer to each other. */
static bool add_points(quoit_bench_Latency *latency, const struct hdr *hdr, upb_Arena *arena)
{
        double count = (double)hdr_count(hdr), target = 0;
        uint64_t value, bucket_count, below = 0;
        size_t cursor = 0;

        while (hdr_next(hdr, &cursor, &value, &bucket_count)) {
                double percent = 100 * (double)(below += bucket_count) / count;
                quoit_bench_Point *point;

                if (percent < target)
                        continue;
                while (target <= percent && below < hdr_count(hdr))
                        target += (100 - target) / 6;
                point = quoit_bench_Latency_add_points(latency, arena);
                if (!point)
                        return false;
                quoit_bench_Point_set_percent(point, percent);
                quoit_bench_Point_set_us(point, (double)value / NS_PER_US);
                quoit_bench_Point_set_calls(point, (double)below);
        }
        return true;
}

static bool add_bucket(quoit_bench_Latency *latency, double us, uint64_t calls, upb_Arena *arena)
{
        quoit_bench_Bucket *bucket =
                calls > 0 ? quoit_bench_Latency_add_buckets(latency, arena) : NULL;

        if (bucket) {
                quoit_bench_Bucket_set_us(bucket, us);
                quoit_bench_Bucket_set_calls(bucket, (double)calls);
        }
        return calls == 0 || bucket;
}

/* 1, 2, 5, 10, ... */
static double next_edge(double edge)
{
        double power = 1;

        while (power * 10 <= edge)
                power *= 10;
        return edge < 2 * power ? 2 * power : edge < 5 * power ? 5 * power : 10 * power;
}

static bool add_buckets(quoit_bench_Latency *latency, const struct hdr *hdr, upb_Arena *arena)
{
        uint64_t value, count, calls = 0;
        double edge = 1;
        size_t cursor = 0;

        while (hdr_next(hdr, &cursor, &value, &count)) {
                for (; (double)value / NS_PER_US > edge; edge = next_edge(edge)) {
                        if (!add_bucket(latency, edge, calls, arena))
                                return false;
                        calls = 0;
                }
                calls += count;
        }
        return add_bucket(latency, edge, calls, arena);
}

static bool fill_latency(quoit_bench_Latency *latency, const struct hdr *hdr, upb_Arena *arena)
{
        static const struct {
                double percent;
                void (*set)(quoit_bench_Latency *latency, double us);
        } percentiles[] = {
                { 50, quoit_bench_Latency_set_p50 },
                { 75, quoit_bench_Latency_set_p75 },
                { 90, quoit_bench_Latency_set_p90 },
                { 95, quoit_bench_Latency_set_p95 },
                { 99, quoit_bench_Latency_set_p99 },
                { 99.9, quoit_bench_Latency_set_p999 },
                { 99.99, quoit_bench_Latency_set_p9999 },
        };

        if (!latency)
                return false;
        quoit_bench_Latency_set_calls(latency, (double)hdr_count(hdr));
        quoit_bench_Latency_set_mean(latency, hdr_mean(hdr) / NS_PER_US);
        quoit_bench_Latency_set_deviation(latency, hdr_deviation(hdr) / NS_PER_US);
        quoit_bench_Latency_set_max(latency, (double)hdr_max(hdr) / NS_PER_US);
        for (size_t i = 0; i < sizeof(percentiles) / sizeof(*percentiles); i++)
                percentiles[i].set(
                        latency, (double)hdr_percentile(hdr, percentiles[i].percent) / NS_PER_US);
        return add_points(latency, hdr, arena) && add_buckets(latency, hdr, arena);
}

/* ---- what happened ---- */

static bool add_statuses(quoit_bench_Report *report, const struct tally *tally, upb_Arena *arena)
{
        for (unsigned i = 0; i < TALLY_STATUSES; i++) {
                quoit_bench_Status *status;

                if (tally->statuses[i] == 0)
                        continue;
                status = quoit_bench_Report_add_statuses(report, arena);
                if (!status)
                        return false;
                quoit_bench_Status_set_status(status, string(quoit_status_name(i)));
                quoit_bench_Status_set_code(status, i);
                quoit_bench_Status_set_calls(status, (double)tally->statuses[i]);
                quoit_bench_Status_set_message(status, string(tally->messages[i]));
        }
        return true;
}

static bool add_timeline(quoit_bench_Report *report, const struct plan *plan,
        const struct timeline *timeline, upb_Arena *arena)
{
        double seconds = (double)timeline->slot_ns / NS_PER_SECOND;
        double warmup = (double)plan->warmup_ns / NS_PER_SECOND;

        for (size_t i = 0, used = timeline_used(timeline); i < used; i++) {
                const struct slot *slot = &timeline->slots[i];
                quoit_bench_Interval *interval = quoit_bench_Report_add_timeline(report, arena);
                double begin = (double)i * seconds;

                if (!interval)
                        return false;
                quoit_bench_Interval_set_second(interval, begin);
                quoit_bench_Interval_set_seconds(interval, seconds);
                quoit_bench_Interval_set_ok(interval, (double)slot->ok);
                quoit_bench_Interval_set_failed(interval, (double)slot->failed);
                if (plan->profile)
                        quoit_bench_Interval_set_rate(interval,
                                profile_rate(plan->profile, warmup + begin + seconds / 2));
                quoit_bench_Interval_set_p50_us(
                        interval, (double)hdr_percentile(&slot->latency, 50) / NS_PER_US);
                quoit_bench_Interval_set_p99_us(
                        interval, (double)hdr_percentile(&slot->latency, 99) / NS_PER_US);
                quoit_bench_Interval_set_max_us(
                        interval, (double)hdr_max(&slot->latency) / NS_PER_US);
        }
        return true;
}

static void set_counts(quoit_bench_Report *report, const struct tally *tally)
{
        double seconds = (double)(tally->end_ns - tally->begin_ns) / NS_PER_SECOND;
        double ok = (double)tally->statuses[QUOIT_OK];

        quoit_bench_Report_set_seconds(report, seconds);
        quoit_bench_Report_set_calls(report, (double)tally->calls);
        quoit_bench_Report_set_failed(report, (double)tally->failed);
        quoit_bench_Report_set_calls_per_second(report, seconds > 0 ? ok / seconds : 0);
        quoit_bench_Report_set_unanswered(report, (double)tally->unfinished);
        quoit_bench_Report_set_requests(report, (double)tally->requests);
        quoit_bench_Report_set_replies(report, (double)tally->replies);
        quoit_bench_Report_set_request_bytes(report, (double)tally->request_bytes);
        quoit_bench_Report_set_reply_bytes(report, (double)tally->reply_bytes);
        quoit_bench_Report_set_warmup_calls(report, (double)tally->warmup_calls);
        quoit_bench_Report_set_cpu_seconds(report, (double)tally->cpu_ns / NS_PER_SECOND);
        quoit_bench_Report_set_late_us_max(report, (double)tally->late_ns / NS_PER_US);
}

quoit_bench_Report *report_make(const struct report_origin *origin, const struct plan *plan,
        const struct run_result *result, upb_Arena *arena)
{
        quoit_bench_Report *report = quoit_bench_Report_new(arena);
        const struct tally *tally = &result->tally;

        if (!report)
                return NULL;
        quoit_bench_Report_set_version(report, string(QUOIT_VERSION));
        quoit_bench_Report_set_target(report, string(origin->target));
        quoit_bench_Report_set_method(report, string(origin->method));
        quoit_bench_Report_set_kind(report, string(kind_name(plan->method.kind)));
        quoit_bench_Report_set_began(report, print_time(origin->began, arena));
        quoit_bench_Report_set_interrupted(report, result->is_interrupted);
        set_counts(report, tally);
        if (add_settings(report, origin, plan, arena) &&
                fill_latency(quoit_bench_Report_mutable_latency_us(report, arena), &tally->latency,
                        arena) &&
                fill_latency(quoit_bench_Report_mutable_failed_latency_us(report, arena),
                        &tally->failed_latency, arena) &&
                add_statuses(report, tally, arena) &&
                add_timeline(report, plan, &tally->timeline, arena))
                return report;
        return NULL;
}

/* ---- JSON ---- */

static int open_schema(quoit_schema **ret_schema, quoit_problem *ret_problem)
{
        static const quoit_file_descriptor *const files[] = {
                &internal_bench_report_proto_quoit_file,
        };

        return quoit_schema_new(files, 1, ret_schema, ret_problem);
}

static int print_json(const upb_Message *message, const upb_MiniTable *type, upb_Arena *arena,
        upb_StringView *ret_text, quoit_problem *ret_problem)
{
        quoit_schema *schema;
        int r = open_schema(&schema, ret_problem);

        if (r < 0)
                return r;
        r = quoit_json_print(schema, message, type, QUOIT_JSON_DEFAULTS | QUOIT_JSON_PROTO_NAMES,
                arena, ret_text, ret_problem);
        quoit_schema_free(schema);
        return r;
}

int report_print_json(const quoit_bench_Report *report, upb_Arena *arena, upb_StringView *ret_text,
        quoit_problem *ret_problem)
{
        return print_json(UPB_UPCAST(report), &quoit_quoit__bench__Report_msg_init, arena, ret_text,
                ret_problem);
}

int report_comparison_json(const quoit_bench_Comparison *comparison, upb_Arena *arena,
        upb_StringView *ret_text, quoit_problem *ret_problem)
{
        return print_json(UPB_UPCAST(comparison), &quoit_quoit__bench__Comparison_msg_init, arena,
                ret_text, ret_problem);
}

int report_parse_json(upb_StringView text, upb_Arena *arena, quoit_bench_Report **ret_report,
        quoit_problem *ret_problem)
{
        upb_Message *message;
        quoit_schema *schema;
        int r = open_schema(&schema, ret_problem);

        if (r < 0)
                return r;
        /* of a later version it may have more */
        r = quoit_json_parse(schema, text, &quoit_quoit__bench__Report_msg_init,
                QUOIT_JSON_IGNORE_UNKNOWN, arena, &message, ret_problem);
        quoit_schema_free(schema);
        if (r == 0)
                *ret_report = (quoit_bench_Report *)message;
        return r;
}
