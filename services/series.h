/* SPDX-License-Identifier: MIT */
#pragma once

/* What A66 counts of calls, or attempts, that ended in one status: by one thread, and read by any. Zeroed memory is an empty one. */

#include <stdbool.h>

#include <quoit/status.h>

#include "services/exemplars.h"
#include "services/histogram.h"

#define SERIES_STATUSES (QUOIT_UNAUTHENTICATED + 1)

struct series {
        struct histogram duration_ns;
        struct histogram sent_bytes;
        struct histogram received_bytes;
        struct exemplars
                *_Atomic exemplars; /* of durations, on the heap; NULL: no call was sampled */
};

/* Its three histograms as users see them, with their counts. */
struct series_shown {
        uint64_t counts[3][HISTOGRAM_COUNTS_MAX];
        quoit_exemplar exemplars[HISTOGRAM_COUNTS_MAX];
        quoit_histogram duration_s, sent_bytes, received_bytes;
};

/* Where a status has its place: UNKNOWN stands for those that are none. */
static inline unsigned series_index(quoit_status status)
{
        return (unsigned)status < SERIES_STATUSES ? (unsigned)status : QUOIT_UNKNOWN;
}

/* By the only thread that writes. @trace: of the call, where it is sampled, else NULL. */
void series_record(struct series *series, uint64_t duration_ns, uint64_t sent_bytes,
        uint64_t received_bytes, const quoit_trace *trace);

/* Adds what @from has counted, which another thread may be writing; its exemplars too, if @series has room for some. */
void series_merge(struct series *series, const struct series *from);

void series_show(const struct series *series, struct series_shown *ret_shown);

/* Frees what it has on the heap. */
void series_deinit(struct series *series);
