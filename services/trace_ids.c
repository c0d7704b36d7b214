/* SPDX-License-Identifier: MIT */
#include "services/trace_ids.h"

#include <string.h>
#include <sys/random.h>

/* The step and the mixing of SplitMix64 (Steele, Lea, Flood 2014): other counts have other numbers. */
#define STEP UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t x)
{
        x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
        x ^= x >> 31;
        return x ? x : 1; /* ids of zeros are none */
}

void trace_ids_init(struct trace_ids *ids)
{
        /* of so few bytes it gives all or, before the machine has any, none: then ids are unique in this process only */
        if (getrandom(ids->seeds, sizeof(ids->seeds), GRND_NONBLOCK) < 0)
                memset(ids->seeds, 0, sizeof(ids->seeds));
        atomic_init(&ids->next, 1);
}

void trace_ids_make(struct trace_ids *ids, const quoit_trace *parent, quoit_trace *ret_trace)
{
        uint64_t at = atomic_fetch_add_explicit(&ids->next, 1, memory_order_relaxed) * STEP;
        uint64_t span = mix(ids->seeds[0] + at);
        uint64_t trace[] = { mix(ids->seeds[1] + at), mix(ids->seeds[2] + at) };

        memcpy(ret_trace->trace_id, parent ? (const void *)parent->trace_id : trace,
                sizeof(ret_trace->trace_id));
        memcpy(ret_trace->span_id, &span, sizeof(span));
        ret_trace->flags = parent ? parent->flags & QUOIT_TRACE_RANDOM : QUOIT_TRACE_RANDOM;
}
