/* SPDX-License-Identifier: MIT */
#include "services/series.h"

#include <stdlib.h>

void series_record(struct series *series, uint64_t duration_ns, uint64_t sent_bytes,
        uint64_t received_bytes, const quoit_trace *trace)
{
        size_t bucket = histogram_record(&series->duration_ns, &histogram_durations, duration_ns);

        if (trace)
                exemplars_note(&series->exemplars, bucket, duration_ns, trace);
        histogram_record(&series->sent_bytes, &histogram_sizes, sent_bytes);
        histogram_record(&series->received_bytes, &histogram_sizes, received_bytes);
}

void series_merge(struct series *series, const struct series *from)
{
        struct exemplars *to = atomic_load(&series->exemplars);
        struct exemplars *exemplars = atomic_load(&from->exemplars);

        if (to && exemplars)
                exemplars_merge(to, exemplars);
        histogram_merge(&series->duration_ns, &from->duration_ns);
        histogram_merge(&series->sent_bytes, &from->sent_bytes);
        histogram_merge(&series->received_bytes, &from->received_bytes);
}

void series_show(const struct series *series, struct series_shown *ret_shown)
{
        const struct exemplars *exemplars = atomic_load(&series->exemplars);

        ret_shown->duration_s =
                histogram_show(&series->duration_ns, &histogram_durations, ret_shown->counts[0]);
        if (exemplars && exemplars_show(exemplars, &histogram_durations, ret_shown->exemplars))
                ret_shown->duration_s.exemplars = ret_shown->exemplars;
        ret_shown->sent_bytes =
                histogram_show(&series->sent_bytes, &histogram_sizes, ret_shown->counts[1]);
        ret_shown->received_bytes =
                histogram_show(&series->received_bytes, &histogram_sizes, ret_shown->counts[2]);
}

void series_deinit(struct series *series)
{
        free(series->exemplars);
}
