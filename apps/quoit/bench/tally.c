/* SPDX-License-Identifier: MIT */
#include "tally.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int tally_init(struct tally *tally)
{
        *tally = (struct tally){ .begin_ns = UINT64_MAX };
        if (hdr_init(&tally->latency, HDR_FINE) == 0 &&
                hdr_init(&tally->failed_latency, HDR_FINE) == 0 &&
                timeline_init(&tally->timeline) == 0)
                return 0;
        tally_deinit(tally);
        return -ENOMEM;
}

void tally_deinit(struct tally *tally)
{
        hdr_deinit(&tally->latency);
        hdr_deinit(&tally->failed_latency);
        timeline_deinit(&tally->timeline);
}

static void record_status(struct tally *tally, const struct tally_call *call)
{
        unsigned status = call->status < TALLY_STATUSES ? call->status : QUOIT_UNKNOWN;
        char *message = tally->messages[status];

        tally->statuses[status]++;
        if (*message == '\0' && call->message)
                snprintf(message, TALLY_MESSAGE_BYTES, "%s", call->message);
}

void tally_record(struct tally *tally, const struct tally_call *call)
{
        uint64_t latency = call->end_ns > call->due_ns ? call->end_ns - call->due_ns : 0;
        uint64_t at = call->end_ns > tally->begin_ns ? call->end_ns - tally->begin_ns : 0;
        struct slot *slot = timeline_at(&tally->timeline, at);
        bool counts = call->status == QUOIT_OK || call->status == QUOIT_DEADLINE_EXCEEDED ||
                      call->is_given_up;

        hdr_record(counts ? &tally->latency : &tally->failed_latency, latency);
        if (counts)
                hdr_record(&slot->latency, latency);
        HDR_RAISE(call->status == QUOIT_OK ? &slot->ok : &slot->failed, 1);
        record_status(tally, call);
        HDR_RAISE(&tally->calls, 1);
        HDR_RAISE(&tally->failed, call->status != QUOIT_OK);
        tally->unfinished += call->is_given_up;
        if (call->end_ns > tally->end_ns)
                tally->end_ns = call->end_ns;
}

void tally_add(struct tally *tally, struct tally *from)
{
        hdr_add(&tally->latency, &from->latency);
        hdr_add(&tally->failed_latency, &from->failed_latency);
        timeline_add(&tally->timeline, &from->timeline);
        for (size_t i = 0; i < TALLY_STATUSES; i++) {
                tally->statuses[i] += from->statuses[i];
                if (tally->messages[i][0] == '\0')
                        memcpy(tally->messages[i], from->messages[i], TALLY_MESSAGE_BYTES);
        }
        HDR_RAISE(&tally->calls, from->calls);
        HDR_RAISE(&tally->failed, from->failed);
        tally->warmup_calls += from->warmup_calls;
        tally->unfinished += from->unfinished;
        tally->requests += from->requests;
        tally->replies += from->replies;
        tally->request_bytes += from->request_bytes;
        tally->reply_bytes += from->reply_bytes;
        tally->cpu_ns += from->cpu_ns;
        if (from->begin_ns < tally->begin_ns)
                tally->begin_ns = from->begin_ns;
        if (from->end_ns > tally->end_ns)
                tally->end_ns = from->end_ns;
        if (from->late_ns > tally->late_ns)
                tally->late_ns = from->late_ns;
}
