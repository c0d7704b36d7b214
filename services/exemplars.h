/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The last sampled call in each bucket of a histogram: so a dashboard can lead from a slow bucket to a trace of it. One thread
 * writes, any reads. Zeroed memory has none.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/tracing.h>

#include "services/histogram.h"

#define EXEMPLAR_WORDS 5

struct exemplar_slot {
        atomic_uint version; /* 0: never written; odd: it is being written */
        atomic_ullong words[EXEMPLAR_WORDS];
};

struct exemplars {
        struct exemplar_slot of[HISTOGRAM_COUNTS_MAX];
};

/*
 * Notes that the call of @trace has just ended, with @value in the bucket @bucket. *@slot is made first if it is NULL; without
 * memory nothing is noted. By the only thread that writes.
 */
void exemplars_note(
        struct exemplars *_Atomic *slot, size_t bucket, uint64_t value, const quoit_trace *trace);

/*
 * Takes those of @from, which another thread may be writing, that are newer. One that is written at this very moment may be
 * missing.
 */
void exemplars_merge(struct exemplars *exemplars, const struct exemplars *from);

/* The public form, in @ret_shown: as many as there are counts. False: there are none at all. */
bool exemplars_show(const struct exemplars *exemplars, const struct histogram_scale *scale,
        quoit_exemplar ret_shown[HISTOGRAM_COUNTS_MAX]);
