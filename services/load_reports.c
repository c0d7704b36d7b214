/* SPDX-License-Identifier: MIT */
#include <quoit/load_reports.h>

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/hooks.h>
#include <quoit/interceptor.h>
#include <quoit/timestamp.h>

#include "xds/service/orca/v3/orca.quoit.h"

#define FIELD "endpoint-load-metrics-bin"
#define INTERVAL_MS_MIN 30000
#define NS_PER_MS 1000000

struct quoit_load_reports {
        uint32_t interval_ms_min;
        pthread_mutex_t mutex; /* of all that follows */
        char *bytes; /* an OrcaLoadReport; NULL: an empty one */
        size_t size;
};

/* A stream of StreamCoreMetrics, in its call. */
struct stream {
        quoit_load_reports *reports;
        uint32_t interval_ms;
};

/* ---- the report ---- */

/* As it is now, in @arena. False: no memory, of which an @arena of NULL is a sign. */
static bool copy_report(quoit_load_reports *reports, upb_Arena *arena, upb_StringView *ret_bytes)
{
        char *bytes;
        size_t size;

        if (!arena)
                return false;
        pthread_mutex_lock(&reports->mutex);
        size = reports->size;
        bytes = upb_Arena_Malloc(arena, size + 1);
        if (bytes && size > 0)
                memcpy(bytes, reports->bytes, size);
        pthread_mutex_unlock(&reports->mutex);
        *ret_bytes = upb_StringView_FromDataAndSize(bytes, size);
        return bytes != NULL;
}

static void set_report(quoit_load_reports *reports, char *bytes, size_t size)
{
        char *old;

        pthread_mutex_lock(&reports->mutex);
        old = reports->bytes;
        reports->bytes = bytes;
        reports->size = size;
        pthread_mutex_unlock(&reports->mutex);
        free(old);
}

/* ---- with calls ---- */

/* A call goes on without one if there is no memory. */
static void on_start(quoit_call *call, void *user)
{
        upb_StringView bytes;

        if (copy_report(user, quoit_call_arena(call), &bytes) && bytes.size > 0)
                (void)quoit_call_add_trailer(call, FIELD, bytes);
}

/* ---- out of band ---- */

static bool send_report(quoit_call *call, quoit_load_reports *reports)
{
        upb_Arena *arena = quoit_call_scratch(call);
        const xds_data_orca_v3_OrcaLoadReport *message;
        upb_StringView bytes;

        if (!copy_report(reports, arena, &bytes))
                return false;
        message = xds_data_orca_v3_OrcaLoadReport_parse(bytes.data, bytes.size, arena);
        return message &&
               xds_service_orca_v3_OpenRcaService_StreamCoreMetrics_send(call, message) == 0;
}

static void end_stream(quoit_call *call, void *unused)
{
        (void)unused;
        quoit_call_finish(call, QUOIT_UNAVAILABLE, "the server is stopping");
}

/* A report, and the next one after a while. Who reads slowly misses some. */
static void report(quoit_call *call, void *state)
{
        const struct stream *stream = state;

        if (quoit_call_cancelled(call))
                quoit_call_finish(call, QUOIT_CANCELLED, NULL);
        else if ((quoit_call_writable(call) && !send_report(call, stream->reports)) ||
                 quoit_call_after(call, stream->interval_ms, report, state) < 0)
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
}

/* As @request wishes, if that is not too often. */
static uint32_t interval_of(
        const quoit_load_reports *reports, const xds_service_orca_v3_OrcaLoadReportRequest *request)
{
        const google_protobuf_Duration *wish =
                xds_service_orca_v3_OrcaLoadReportRequest_report_interval(request);
        int64_t wish_ns = 0;

        if (!wish || quoit_duration_to_ns(google_protobuf_Duration_seconds(wish),
                             google_protobuf_Duration_nanos(wish), &wish_ns) < 0)
                return reports->interval_ms_min;
        if (wish_ns / NS_PER_MS >= UINT32_MAX)
                return UINT32_MAX;
        return wish_ns / NS_PER_MS > reports->interval_ms_min ? (uint32_t)(wish_ns / NS_PER_MS)
                                                              : reports->interval_ms_min;
}

static void on_stream(
        quoit_call *call, const xds_service_orca_v3_OrcaLoadReportRequest *request, void *user)
{
        quoit_load_reports *reports = user;
        struct stream *stream = quoit_call_alloc(call, sizeof(*stream));

        if (!stream || quoit_call_at_stop(call, end_stream, NULL) < 0) {
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return;
        }
        *stream =
                (struct stream){ .reports = reports, .interval_ms = interval_of(reports, request) };
        report(call, stream);
}

/* ---- functions for the program ---- */

static bool is_good(double value, double max)
{
        return value >= 0 && value <= max && isfinite(value);
}

static bool has_good_values(const quoit_load *load)
{
        for (size_t i = 0; i < load->utilization_count; i++) {
                if (!is_good(load->utilizations[i].value, 1))
                        return false;
        }
        return is_good(load->cpu_utilization, HUGE_VAL) && is_good(load->memory_utilization, 1) &&
               is_good(load->application_utilization, HUGE_VAL) &&
               is_good(load->requests_per_second, HUGE_VAL) &&
               is_good(load->errors_per_second, HUGE_VAL);
}

/* NULL: no memory. */
static xds_data_orca_v3_OrcaLoadReport *make_report(const quoit_load *load, upb_Arena *arena)
{
        xds_data_orca_v3_OrcaLoadReport *made = xds_data_orca_v3_OrcaLoadReport_new(arena);

        if (!made)
                return NULL;
        xds_data_orca_v3_OrcaLoadReport_set_cpu_utilization(made, load->cpu_utilization);
        xds_data_orca_v3_OrcaLoadReport_set_mem_utilization(made, load->memory_utilization);
        xds_data_orca_v3_OrcaLoadReport_set_application_utilization(
                made, load->application_utilization);
        xds_data_orca_v3_OrcaLoadReport_set_rps_fractional(made, load->requests_per_second);
        xds_data_orca_v3_OrcaLoadReport_set_eps(made, load->errors_per_second);
        for (size_t i = 0; i < load->utilization_count; i++) {
                const quoit_load_value *value = load->utilizations + i;

                if (!xds_data_orca_v3_OrcaLoadReport_utilization_set(
                            made, upb_StringView_FromString(value->name), value->value, arena))
                        return NULL;
        }
        return made;
}

/* With an arena of its own for what is needed meanwhile. */
static int take(quoit_load_reports *reports, const quoit_load *load, upb_Arena *arena)
{
        const xds_data_orca_v3_OrcaLoadReport *made = make_report(load, arena);
        const char *bytes;
        size_t size;
        char *copy;

        if (!made)
                return -ENOMEM;
        bytes = xds_data_orca_v3_OrcaLoadReport_serialize(made, arena, &size);
        if (!bytes)
                return -EINVAL; /* a name is not UTF-8 */
        copy = malloc(size + 1);
        if (!copy)
                return -ENOMEM;
        memcpy(copy, bytes, size);
        set_report(reports, copy, size);
        return 0;
}

int quoit_load_reports_set(quoit_load_reports *reports, const quoit_load *load)
{
        upb_Arena *arena;
        int r;

        if (!has_good_values(load))
                return -EINVAL;
        arena = upb_Arena_New();
        if (!arena)
                return -ENOMEM;
        r = take(reports, load, arena);
        upb_Arena_Free(arena);
        return r;
}

/* ---- life ---- */

static void on_free(void *user)
{
        quoit_load_reports *reports = user;

        pthread_mutex_destroy(&reports->mutex);
        free(reports->bytes);
        free(reports);
}

int quoit_load_reports_register(quoit_server *server, const quoit_load_reports_options *options,
        quoit_load_reports **ret_reports)
{
        static const xds_service_orca_v3_OpenRcaService_service service = {
                .StreamCoreMetrics = on_stream,
        };
        static const quoit_server_hooks hooks = { .on_free = on_free };
        static const quoit_interceptor interceptor = { .on_start = on_start };
        quoit_load_reports *reports = calloc(1, sizeof(*reports));
        int r;

        if (!reports)
                return -ENOMEM;
        pthread_mutex_init(&reports->mutex, NULL);
        reports->interval_ms_min = options && options->interval_ms_min > 0
                                           ? options->interval_ms_min
                                           : INTERVAL_MS_MIN;
        r = quoit_server_hook(server, &hooks, reports);
        if (r < 0) {
                on_free(reports);
                return r;
        }
        if (options && options->with_calls)
                r = quoit_server_intercept(server, &interceptor, reports);
        if (r == 0)
                r = xds_service_orca_v3_OpenRcaService_register(server, &service, reports);
        if (r == 0)
                *ret_reports = reports;
        return r;
}
