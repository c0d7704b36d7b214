/* SPDX-License-Identifier: MIT */
#include "services/series.h"

void series_record(
        struct series *series, uint64_t duration_ns, uint64_t sent_bytes, uint64_t received_bytes)
{
        histogram_record(&series->duration_ns, &histogram_durations, duration_ns);
        histogram_record(&series->sent_bytes, &histogram_sizes, sent_bytes);
        histogram_record(&series->received_bytes, &histogram_sizes, received_bytes);
}

void series_merge(struct series *series, const struct series *from)
{
        histogram_merge(&series->duration_ns, &from->duration_ns);
        histogram_merge(&series->sent_bytes, &from->sent_bytes);
        histogram_merge(&series->received_bytes, &from->received_bytes);
}

void series_show(const struct series *series, struct series_shown *ret_shown)
{
        ret_shown->duration_s =
                histogram_show(&series->duration_ns, &histogram_durations, ret_shown->counts[0]);
        ret_shown->sent_bytes =
                histogram_show(&series->sent_bytes, &histogram_sizes, ret_shown->counts[1]);
        ret_shown->received_bytes =
                histogram_show(&series->received_bytes, &histogram_sizes, ret_shown->counts[2]);
}
