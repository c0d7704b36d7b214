/* SPDX-License-Identifier: MIT */
#include "conformance.h"

#include <string.h>
#include <time.h>

#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull
#define MS_PER_S 1000

/* ---- what is told of the request ---- */

static uint64_t now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static bool is_binary(upb_StringView name)
{
        return name.size >= 4 && memcmp(name.data + name.size - 4, "-bin", 4) == 0;
}

/* The header of that name, which may have come before. */
static header *header_of(quoit_call *call, request_info *info, upb_StringView name)
{
        upb_Arena *arena = quoit_call_arena(call);
        size_t count;
        header **headers =
                CONFORMANCE(ConformancePayload_RequestInfo_mutable_request_headers)(info, &count);
        header *added;

        for (size_t i = 0; i < count; i++) {
                if (upb_StringView_IsEqual(CONFORMANCE(Header_name)(headers[i]), name))
                        return headers[i];
        }
        added = CONFORMANCE(ConformancePayload_RequestInfo_add_request_headers)(info, arena);
        CONFORMANCE(Header_set_name)(added, name);
        return added;
}

request_info *info_new(quoit_call *call)
{
        upb_Arena *arena = quoit_call_arena(call);
        request_info *info = CONFORMANCE(ConformancePayload_RequestInfo_new)(arena);
        uint64_t deadline_ns = quoit_call_deadline_ns(call);
        upb_StringView name, value;
        size_t cursor = 0;

        while (quoit_call_metadata_next(call, &cursor, &name, &value)) {
                if (!is_binary(
                            name)) /* they would have to be base64 again, and the suite has none */
                        CONFORMANCE(Header_add_value)(header_of(call, info, name), value, arena);
        }
        if (deadline_ns != UINT64_MAX)
                CONFORMANCE(ConformancePayload_RequestInfo_set_timeout_ms)(
                        info, ((int64_t)deadline_ns - (int64_t)now_ns()) / (int64_t)NS_PER_MS);
        return info;
}

static upb_StringView type_url(quoit_call *call, const char *name)
{
        static const char prefix[] = "type.googleapis.com/connectrpc.conformance.v1.";
        size_t size = strlen(prefix) + strlen(name);
        char *text = quoit_call_alloc(call, size + 1);

        strcpy(text, prefix);
        strcat(text, name);
        return upb_StringView_FromDataAndSize(text, size);
}

void info_add_request(
        quoit_call *call, request_info *info, const char *name, const char *bytes, size_t size)
{
        google_protobuf_Any *any = CONFORMANCE(ConformancePayload_RequestInfo_add_requests)(
                info, quoit_call_arena(call));

        google_protobuf_Any_set_type_url(any, type_url(call, name));
        google_protobuf_Any_set_value(any, upb_StringView_FromDataAndSize(bytes, size));
        /* answers are compressed as requests are, while the headers have not gone */
        (void)quoit_call_set_compression(call, quoit_call_request_compression(call));
}

payload *payload_new(quoit_call *call, upb_StringView data, request_info *info)
{
        payload *made = CONFORMANCE(ConformancePayload_new)(quoit_call_arena(call));

        CONFORMANCE(ConformancePayload_set_data)(made, data);
        if (info)
                CONFORMANCE(ConformancePayload_set_request_info)(made, info);
        return made;
}

/* ---- what the definitions have in common ---- */

/* In lower case, and with a NUL. */
static const char *name_of(quoit_call *call, const header *from)
{
        upb_StringView name = CONFORMANCE(Header_name)(from);
        char *text = quoit_call_alloc(call, name.size + 1);

        for (size_t i = 0; i < name.size; i++) {
                char c = name.data[i];

                text[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
        return text;
}

void add_fields(quoit_call *call, const header *const *headers, size_t count, add_field_fn add)
{
        for (size_t i = 0; i < count; i++) {
                const char *name = name_of(call, headers[i]);
                size_t value_count;
                const upb_StringView *values = CONFORMANCE(Header_value)(headers[i], &value_count);

                for (size_t j = 0; j < value_count; j++)
                        (void)add(call, name, values[j]);
        }
}

void delay(uint32_t ms)
{
        struct timespec time = {
                .tv_sec = ms / MS_PER_S,
                .tv_nsec = ms % MS_PER_S * (long)NS_PER_MS,
        };

        nanosleep(&time, NULL);
}

/*
 * A message of any type, as an empty one whose fields are all unknown: they go out as they came. It has the type URL with
 * it, NUL-terminated.
 */
static quoit_detail detail_of(quoit_call *call, const google_protobuf_Any *any)
{
        upb_Arena *arena = quoit_call_arena(call);
        upb_StringView value = google_protobuf_Any_value(any);
        upb_StringView url = google_protobuf_Any_type_url(any);
        char *type = quoit_call_alloc(call, url.size + 1);

        memcpy(type, url.data, url.size);
        return (quoit_detail){
                .type = type,
                .message = UPB_UPCAST(
                        CONFORMANCE(UnimplementedRequest_parse)(value.data, value.size, arena)),
                .table = &quoit_connectrpc__conformance__v1__UnimplementedRequest_msg_init,
        };
}

void finish(quoit_call *call, const error *wanted, const request_info *info)
{
        const google_protobuf_Any *const *anys;
        upb_StringView message;
        quoit_detail *details;
        size_t count;

        if (!wanted) {
                quoit_call_finish(call, QUOIT_OK, NULL);
                return;
        }
        anys = CONFORMANCE(Error_details)(wanted, &count);
        details = quoit_call_alloc(call, (count + 1) * sizeof(*details));
        for (size_t i = 0; i < count; i++)
                details[i] = detail_of(call, anys[i]);
        if (info)
                details[count++] = (quoit_detail){
                        .type = "connectrpc.conformance.v1.ConformancePayload.RequestInfo",
                        .message = UPB_UPCAST(info),
                        .table =
                                &quoit_connectrpc__conformance__v1__ConformancePayload__RequestInfo_msg_init,
                };
        message = CONFORMANCE(Error_message)(wanted);
        quoit_call_finish_details(call, (quoit_status)CONFORMANCE(Error_code)(wanted),
                quoit_call_format(call, "%.*s", (int)message.size, message.data).data, details,
                count);
}
