/* SPDX-License-Identifier: MIT */
#include "client/load_reports.h"

#include <quoit/message.h>
#include <quoit/service.h>

#include "client/channel.h"
#include "client/spread.h"
#include "core/clock.h"

/* ---- messages: as health_messages.h has them ---- */

#define VARINT_BYTES_MAX 10

/* OrcaLoadReportRequest: its `report_interval`, a google.protobuf.Duration, as the bytes of that. */
static const upb_MiniTableField interval = { 1, 8, 0, 65535, kUpb_FieldType_Bytes,
        (int)kUpb_FieldMode_Scalar | (int)kUpb_FieldRep_StringView << kUpb_FieldRep_Shift };

static const upb_MiniTable request = {
        &interval,
        24,
        1,
        kUpb_ExtMode_NonExtendable,
        1,
        QUOIT_FASTTABLE_MASK(255),
        0,
};

/* OrcaLoadReport is read from its bytes: codec/load_report.h. */
static const upb_MiniTable response = {
        NULL,
        8,
        0,
        kUpb_ExtMode_NonExtendable,
        0,
        QUOIT_FASTTABLE_MASK(255),
        0,
};

static const quoit_method stream_core_metrics = {
        .path = "/xds.service.orca.v3.OpenRcaService/StreamCoreMetrics",
        .kind = QUOIT_SERVER_STREAMING,
        .request = &request,
        .reply = &response,
};

static size_t put_varint(char *out, uint64_t value)
{
        size_t size = 0;

        while (value > 0x7f) {
                out[size++] = (char)(value | 0x80);
                value >>= 7;
        }
        out[size++] = (char)value;
        return size;
}

/* A google.protobuf.Duration. */
static upb_StringView make_duration(upb_Arena *arena, uint64_t time_ns)
{
        char *bytes = upb_Arena_Malloc(arena, 2 * (1 + VARINT_BYTES_MAX));
        size_t size = 0;

        if (!bytes)
                return upb_StringView_FromDataAndSize(NULL, 0);
        bytes[size++] = 1 << 3;
        size += put_varint(bytes + size, time_ns / NS_PER_S);
        bytes[size++] = 2 << 3;
        size += put_varint(bytes + size, time_ns % NS_PER_S);
        return upb_StringView_FromDataAndSize(bytes, size);
}

static struct upb_Message *make_request(struct feed *feed, struct upb_Arena *arena)
{
        upb_Message *message = upb_Message_New(&request, arena);
        upb_StringView duration =
                make_duration(arena, feed->subchannel->channel->balancing.reporting_ns);

        if (!message || !duration.data)
                return NULL;
        upb_Message_SetBaseField(message, &interval, &duration);
        return message;
}

/* ---- reports ---- */

/* One that cannot be read is as none. */
static void on_bytes(struct feed *feed, const void *data, size_t size)
{
        struct subchannel *subchannel = feed->subchannel;
        const struct channel *channel = subchannel->channel;
        struct load_report report;

        if (load_report_parse(data, size, &report) == 0)
                load_weight_report(&subchannel->weight, &report, channel->balancing.error_penalty,
                        ring_now_ns(channel_ring(channel)));
}

void load_reports_begin(struct subchannel *subchannel)
{
        static const struct feed_kind kind = {
                .method = &stream_core_metrics,
                .make_request = make_request,
                .on_bytes = on_bytes,
        };
        const struct balancing *balancing = &subchannel->channel->balancing;

        if (balancing->policy == &weighted_round_robin.policy && balancing->reporting_ns > 0)
                feed_begin(&subchannel->load_reports, &kind, subchannel);
}

void load_reports_restart(struct subchannel *subchannel)
{
        feed_end(&subchannel->load_reports);
        if (subchannel->state == SUBCHANNEL_READY)
                load_reports_begin(subchannel);
}
