/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What happened when: calls and their latencies by the time at which they ended, in slots of the same length. A run that is longer than
 * all slots makes each twice as long, so memory does not grow with its time. One thread writes, others may read.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "hdr.h"

#define TIMELINE_SLOTS 240                           /* even */
#define TIMELINE_SLOT_NS (UINT64_C(100) * 1000 * 1000) /* at first: all slots are 24 s */

struct slot {
        struct hdr latency;      /* in ns, HDR_COARSE */
        _Atomic uint64_t ok;     /* calls that ended with OK */
        _Atomic uint64_t failed; /* calls that ended otherwise */
};

struct timeline {
        struct slot slots[TIMELINE_SLOTS];
        _Atomic uint64_t slot_ns; /* the length of each */
};

/* 0 or -ENOMEM. */
int timeline_init(struct timeline *timeline);
void timeline_deinit(struct timeline *timeline);

/* The slot of a time since the begin. */
struct slot *timeline_at(struct timeline *timeline, uint64_t ns);

/* Adds all of @from; its slots may become longer too. */
void timeline_add(struct timeline *timeline, struct timeline *from);

/* How many slots there are, up to the last one that has something. */
size_t timeline_used(const struct timeline *timeline);
