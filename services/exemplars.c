/* SPDX-License-Identifier: MIT */
#include "services/exemplars.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ATTEMPTS 3 /* to read one that is being written */
#define NS_PER_S 1e9

/* What the words of a slot are. */
struct exemplar {
        uint64_t value;
        uint64_t unix_ns;
        uint8_t trace_id[16];
        uint8_t span_id[8];
};

static_assert(sizeof(struct exemplar) == EXEMPLAR_WORDS * sizeof(uint64_t), "words without a gap");

/* ---- a slot: a sequence lock ---- */

static void write_slot(struct exemplar_slot *slot, const struct exemplar *exemplar)
{
        unsigned version = atomic_load_explicit(&slot->version, memory_order_relaxed);
        uint64_t words[EXEMPLAR_WORDS];

        memcpy(words, exemplar, sizeof(words));
        atomic_store_explicit(&slot->version, version + 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_release);
        for (unsigned i = 0; i < EXEMPLAR_WORDS; i++)
                atomic_store_explicit(&slot->words[i], words[i], memory_order_relaxed);
        atomic_store_explicit(&slot->version, version + 2, memory_order_release);
}

/* False: there is none, or its writer is always ahead. */
static bool read_slot(const struct exemplar_slot *slot, struct exemplar *ret_exemplar)
{
        uint64_t words[EXEMPLAR_WORDS];

        for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
                unsigned version = atomic_load_explicit(&slot->version, memory_order_acquire);

                if (version == 0)
                        return false;
                for (unsigned i = 0; i < EXEMPLAR_WORDS; i++)
                        words[i] = atomic_load_explicit(&slot->words[i], memory_order_relaxed);
                atomic_thread_fence(memory_order_acquire);
                if (version % 2 == 0 &&
                        atomic_load_explicit(&slot->version, memory_order_relaxed) == version) {
                        memcpy(ret_exemplar, words, sizeof(words));
                        return true;
                }
        }
        return false;
}

/* ---- those of a histogram ---- */

static uint64_t now_unix_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void exemplars_note(
        struct exemplars *_Atomic *slot, size_t bucket, uint64_t value, const quoit_trace *trace)
{
        struct exemplars *exemplars = atomic_load_explicit(slot, memory_order_relaxed);
        struct exemplar exemplar = { .value = value, .unix_ns = now_unix_ns() };

        if (!exemplars) {
                exemplars = calloc(1, sizeof(*exemplars));
                if (!exemplars)
                        return;
                atomic_store(slot, exemplars);
        }
        memcpy(exemplar.trace_id, trace->trace_id, sizeof(exemplar.trace_id));
        memcpy(exemplar.span_id, trace->span_id, sizeof(exemplar.span_id));
        write_slot(&exemplars->of[bucket], &exemplar);
}

void exemplars_merge(struct exemplars *exemplars, const struct exemplars *from)
{
        struct exemplar newer, older;

        for (size_t i = 0; i < HISTOGRAM_COUNTS_MAX; i++) {
                if (read_slot(&from->of[i], &newer) &&
                        (!read_slot(&exemplars->of[i], &older) || older.unix_ns < newer.unix_ns))
                        write_slot(&exemplars->of[i], &newer);
        }
}

bool exemplars_show(const struct exemplars *exemplars, const struct histogram_scale *scale,
        quoit_exemplar ret_shown[HISTOGRAM_COUNTS_MAX])
{
        struct exemplar exemplar;
        bool any = false;

        for (size_t i = 0; i <= scale->bound_count; i++) {
                quoit_exemplar *shown = ret_shown + i;

                *shown = (quoit_exemplar){ 0 };
                if (!read_slot(&exemplars->of[i], &exemplar))
                        continue;
                any = true;
                memcpy(shown->trace_id, exemplar.trace_id, sizeof(shown->trace_id));
                memcpy(shown->span_id, exemplar.span_id, sizeof(shown->span_id));
                shown->value = (double)exemplar.value / scale->unit;
                shown->unix_s = (double)exemplar.unix_ns / NS_PER_S;
        }
        return any;
}
