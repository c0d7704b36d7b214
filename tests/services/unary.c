/* SPDX-License-Identifier: MIT */
#include "test_server.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_MS 1000000l
#define NS_PER_S 1000000000ull

static void sleep_ms(unsigned ms)
{
        struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS };

        nanosleep(&time, NULL);
}

/* ---- watching calls ---- */

static void on_cancel(quoit_call *call, void *state)
{
        struct test_server *test = state;

        (void)call;
        atomic_fetch_add(&test->cancelled, 1);
}

static void on_done(quoit_call *call, void *state)
{
        struct test_server *test = state;

        (void)call;
        atomic_fetch_add(&test->done, 1);
        atomic_fetch_sub(&test->running, 1);
}

void watch(quoit_call *call, struct test_server *test)
{
        atomic_fetch_add(&test->running, 1);
        quoit_call_on_cancel(call, on_cancel, test);
        quoit_call_on_done(call, on_done, test);
}

/* ---- answers now ---- */

static void echo(quoit_call *call, const calls_Payload *request, void *user)
{
        watch(call, user);
        attach_to_reply(call);
        calls_Calls_Echo_reply(call, request);
}

static void status(quoit_call *call, const calls_StatusRequest *request, void *user)
{
        upb_StringView message = calls_StatusRequest_message(request);

        watch(call, user);
        if (calls_StatusRequest_headers_first(request))
                quoit_call_send_headers(call);
        quoit_call_finishf(call, (quoit_status)calls_StatusRequest_code(request), "%.*s",
                (int)message.size, message.data);
}

static void deadline(quoit_call *call, const calls_Empty *request, void *user)
{
        calls_DeadlineReply *reply = calls_DeadlineReply_new(quoit_call_arena(call));
        uint64_t deadline_ns = quoit_call_deadline_ns(call);
        struct timespec now;

        (void)request;
        watch(call, user);
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (deadline_ns != UINT64_MAX) {
                calls_DeadlineReply_set_is_set(reply, true);
                calls_DeadlineReply_set_left_ns(reply,
                        deadline_ns - ((uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec));
        }
        calls_Calls_Deadline_reply(call, reply);
}

static void big(quoit_call *call, const calls_Number *request, void *user)
{
        size_t size = (size_t)calls_Number_value(request);
        calls_Payload *reply = calls_Payload_new(quoit_call_arena(call));
        char *data = quoit_call_alloc(call, size);

        watch(call, user);
        if (!data) {
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "no memory");
                return;
        }
        calls_Payload_set_data(reply, upb_StringView_FromDataAndSize(data, size));
        calls_Calls_Big_reply(call, reply);
}

static void deep(quoit_call *call, const calls_Nest *request, void *user)
{
        (void)request;
        watch(call, user);
        calls_Calls_Deep_reply(call, calls_Empty_new(quoit_call_arena(call)));
}

static void forget(quoit_call *call, const calls_Empty *request, void *user)
{
        (void)request;
        watch(call, user);
}

static void stats(quoit_call *call, const calls_Empty *request, void *user)
{
        calls_StatsReply *reply = calls_StatsReply_new(quoit_call_arena(call));
        struct test_server *test = user;
        quoit_server_statistics statistics;

        (void)request;
        quoit_server_get_statistics(test->server, &statistics);
        calls_StatsReply_set_running(reply, atomic_load(&test->running));
        calls_StatsReply_set_cancelled(reply, atomic_load(&test->cancelled));
        calls_StatsReply_set_done(reply, atomic_load(&test->done));
        calls_StatsReply_set_stopped(reply, atomic_load(&test->stopped));
        calls_StatsReply_set_sent(reply, atomic_load(&test->sent));
        calls_StatsReply_set_connections_open(reply, (int64_t)statistics.connections_open);
        calls_StatsReply_set_calls_refused(reply, (int64_t)statistics.calls_refused);
        calls_StatsReply_set_connections_refused(reply, (int64_t)statistics.connections_refused);
        calls_StatsReply_set_calls_open(reply, (int64_t)statistics.calls_open);
        calls_Calls_Stats_reply(call, reply);
}

/* ---- answers later ---- */

struct delayed {
        quoit_call *call;
        unsigned ms;
};

static void answer_later(quoit_call *call, void *arg)
{
        calls_Payload *reply = calls_Payload_new(quoit_call_arena(call));

        calls_Payload_set_text(reply, upb_StringView_FromString("later"));
        calls_Calls_Later_reply(call, reply);
        free(arg);
}

static void *delay(void *arg)
{
        struct delayed *delayed = arg;

        sleep_ms(delayed->ms);
        /* the call is held: it is there, cancelled or not */
        if (quoit_call_post(delayed->call, answer_later, delayed) < 0)
                abort();
        return NULL;
}

static void later(quoit_call *call, const calls_Delay *request, void *user)
{
        struct delayed *delayed = malloc(sizeof(*delayed));
        pthread_t thread;

        watch(call, user);
        *delayed = (struct delayed){ .call = call, .ms = calls_Delay_ms(request) };
        quoit_call_hold(call);
        if (pthread_create(&thread, NULL, delay, delayed) != 0)
                abort();
        pthread_detach(thread);
}

static void answer_on_time(quoit_call *call, void *arg)
{
        struct test_server *test = arg;
        calls_Payload *reply = calls_Payload_new(quoit_call_arena(call));

        if (quoit_call_cancelled(call))
                atomic_fetch_add(&test->stopped, 1);
        calls_Payload_set_text(reply, upb_StringView_FromString("in time"));
        calls_Calls_After_reply(call, reply);
}

static void never(quoit_call *call, void *arg)
{
        (void)arg;
        /* the call was finished before; cancelled, its delays are over one by one, as the ring hears of them */
        if (!quoit_call_cancelled(call))
                abort();
}

static void after(quoit_call *call, const calls_Delay *request, void *user)
{
        watch(call, user);
        /* a worker asks for each by a mail, and may be held up in between: the ring counts from when it has the mail */
        if (quoit_call_after(call, calls_Delay_ms(request) + 1000, never, NULL) < 0 ||
                quoit_call_after(call, calls_Delay_ms(request), answer_on_time, user) < 0)
                answer_on_time(call, user); /* offloaded: cancelled meanwhile */
}

static void block(quoit_call *call, const calls_Delay *request, void *user)
{
        struct test_server *test = user;
        calls_Payload *reply = calls_Payload_new(quoit_call_arena(call));

        watch(call, test);
        for (unsigned ms = calls_Delay_ms(request); ms > 0; ms--) {
                sleep_ms(1);
                if (quoit_call_cancelled(call)) {
                        atomic_fetch_add(&test->stopped, 1);
                        break;
                }
        }
        calls_Payload_set_text(reply, upb_StringView_FromString("slept"));
        calls_Calls_Sleep_reply(call, reply);
}

static void end_wait(quoit_call *call, void *state)
{
        on_cancel(call, state);
        quoit_call_finish(call, QUOIT_CANCELLED, NULL);
}

static void wait_for_cancel(quoit_call *call, const calls_Empty *request, void *user)
{
        (void)request;
        watch(call, user);
        quoit_call_on_cancel(call, end_wait, user);
        quoit_call_hold(call);
}

/* ---- metadata ---- */

static void report_received(quoit_call *call, calls_MetadataReply *reply)
{
        upb_StringView name, value;
        size_t cursor = 0;

        while (quoit_call_metadata_next(call, &cursor, &name, &value)) {
                calls_Field *field =
                        calls_MetadataReply_add_received(reply, quoit_call_arena(call));

                calls_Field_set_name(field, name);
                calls_Field_set_value(field, value);
        }
        if (quoit_call_metadata(call, "x-first", &value))
                calls_MetadataReply_set_first(reply, value);
}

typedef int (*add_fn)(quoit_call *call, const char *name, upb_StringView value);

static void add_fields(quoit_call *call, calls_MetadataReply *reply,
        const calls_Field *const *fields, size_t count, add_fn add)
{
        for (size_t i = 0; i < count; i++) {
                upb_StringView name = quoit_call_format(call, "%.*s",
                        (int)calls_Field_name(fields[i]).size, calls_Field_name(fields[i]).data);

                calls_MetadataReply_add_results(reply,
                        add(call, name.data, calls_Field_value(fields[i])), quoit_call_arena(call));
        }
}

static void metadata(quoit_call *call, const calls_MetadataRequest *request, void *user)
{
        calls_MetadataReply *reply = calls_MetadataReply_new(quoit_call_arena(call));
        const calls_Field *const *fields;
        size_t size;

        watch(call, user);
        report_received(call, reply);
        fields = calls_MetadataRequest_headers(request, &size);
        add_fields(call, reply, fields, size, quoit_call_add_header);
        if (calls_MetadataRequest_headers_first(request)) {
                quoit_call_send_headers(call);
                calls_MetadataReply_add_results(reply,
                        quoit_call_add_header(call, "too-late", upb_StringView_FromString("")),
                        quoit_call_arena(call));
        }
        fields = calls_MetadataRequest_trailers(request, &size);
        add_fields(call, reply, fields, size, quoit_call_add_trailer);
        calls_MetadataReply_set_authority(reply, quoit_call_authority(call));
        calls_MetadataReply_set_path(reply, upb_StringView_FromString(quoit_call_path(call)));
        calls_MetadataReply_set_peer(reply, upb_StringView_FromString(quoit_call_peer(call)));
        calls_Calls_Metadata_reply(call, reply);
}

void unary_add(calls_Calls_service *service)
{
        service->Echo = echo;
        service->Later = later;
        service->After = after;
        service->Sleep = block;
        service->Wait = wait_for_cancel;
        service->Metadata = metadata;
        service->Status = status;
        service->Deadline = deadline;
        service->Big = big;
        service->Deep = deep;
        service->Forget = forget;
        service->Stats = stats;
}
