/* SPDX-License-Identifier: MIT */
#include "timeline.h"

int timeline_init(struct timeline *timeline)
{
        *timeline = (struct timeline){ .slot_ns = TIMELINE_SLOT_NS };
        for (size_t i = 0; i < TIMELINE_SLOTS; i++) {
                int r = hdr_init(&timeline->slots[i].latency, HDR_COARSE);

                if (r < 0) {
                        timeline_deinit(timeline);
                        return r;
                }
        }
        return 0;
}

void timeline_deinit(struct timeline *timeline)
{
        for (size_t i = 0; i < TIMELINE_SLOTS; i++)
                hdr_deinit(&timeline->slots[i].latency);
}

static void slot_add(struct slot *slot, const struct slot *from)
{
        hdr_add(&slot->latency, &from->latency);
        HDR_RAISE(&slot->ok, from->ok);
        HDR_RAISE(&slot->failed, from->failed);
}

static void slot_clear(struct slot *slot)
{
        hdr_clear(&slot->latency);
        atomic_store_explicit(&slot->ok, 0, memory_order_relaxed);
        atomic_store_explicit(&slot->failed, 0, memory_order_relaxed);
}

/* Two slots become one, for all of them. */
static void lengthen(struct timeline *timeline)
{
        for (size_t i = 1; i < TIMELINE_SLOTS; i++) {
                struct slot *slot = &timeline->slots[i];

                slot_add(&timeline->slots[i / 2], slot);
                slot_clear(slot);
        }
        HDR_RAISE(&timeline->slot_ns, timeline->slot_ns);
}

struct slot *timeline_at(struct timeline *timeline, uint64_t ns)
{
        while (ns / timeline->slot_ns >= TIMELINE_SLOTS)
                lengthen(timeline);
        return &timeline->slots[ns / timeline->slot_ns];
}

void timeline_add(struct timeline *timeline, struct timeline *from)
{
        while (timeline->slot_ns < from->slot_ns)
                lengthen(timeline);
        while (from->slot_ns < timeline->slot_ns)
                lengthen(from);
        for (size_t i = 0; i < TIMELINE_SLOTS; i++)
                slot_add(&timeline->slots[i], &from->slots[i]);
}

size_t timeline_used(const struct timeline *timeline)
{
        size_t used = TIMELINE_SLOTS;

        while (used > 0 && timeline->slots[used - 1].ok + timeline->slots[used - 1].failed == 0)
                used--;
        return used;
}
