/* SPDX-License-Identifier: MIT */
#include "transport/pages.h"

#include <assert.h>

#include "core/mapping.h"
#include "core/poison.h"

/* Where a page is larger than this, frame buffers share theirs with less, and all else holds. */
#define PAGE_BYTES ((size_t)4096)
#define REGION_BYTES ((size_t)2 << 20) /* and so are they aligned */
#define REGION_SLOTS ((size_t)102)
#define WORD_BITS ((size_t)64)
#define WORDS ((REGION_SLOTS + WORD_BITS - 1) / WORD_BITS)

#define REST_BYTES_MIN ((size_t)256) /* less is not kept: it would hide larger ones */

struct pages_slot {
        union {
                struct pages_front front;
                unsigned char front_bytes[PAGES_FRONT_BYTES];
        };
        unsigned char frame[PAGES_FRAME_BYTES];
};
static_assert(sizeof(struct pages_slot) % PAGE_BYTES == 0, "every front begins a page");
static_assert(PAGES_FRONT_BYTES < PAGE_BYTES, "and every frame's head is in it");

/* One bit a slot. */
struct slot_set {
        uint64_t words[WORDS];
};

struct pages_region {
        struct pages_region *next;
        struct slot_set fronts; /* in use */
        struct slot_set frames; /* in use */
        struct slot_set touched; /* may be resident though they are not in use */
        _Alignas(PAGE_BYTES) struct pages_slot slots[REGION_SLOTS];
};
static_assert(sizeof(struct pages_region) <= REGION_BYTES, "it is aligned to that");

static struct pages_region *region_of(const void *bytes)
{
        return (struct pages_region *)((uintptr_t)bytes & ~(uintptr_t)(REGION_BYTES - 1));
}

static size_t index_of(const void *bytes)
{
        const struct pages_region *region = region_of(bytes);

        return (size_t)((const unsigned char *)bytes - (const unsigned char *)region->slots) /
               sizeof(*region->slots);
}

static struct pages_front *front_of(const void *cut)
{
        return (struct pages_front *)((uintptr_t)cut & ~(uintptr_t)(PAGE_BYTES - 1));
}

/* ---- sets of slots ---- */

static bool set_has(const struct slot_set *set, size_t slot)
{
        return set->words[slot / WORD_BITS] >> slot % WORD_BITS & 1;
}

static void set_add(struct slot_set *set, size_t slot)
{
        set->words[slot / WORD_BITS] |= (uint64_t)1 << slot % WORD_BITS;
}

static void set_remove(struct slot_set *set, size_t slot)
{
        set->words[slot / WORD_BITS] &= ~((uint64_t)1 << slot % WORD_BITS);
}

static bool region_is_free(const struct pages_region *region)
{
        uint64_t used = 0;

        for (size_t i = 0; i < WORDS; i++)
                used |= region->fronts.words[i] | region->frames.words[i];
        return used == 0;
}

/* ---- regions ---- */

void pages_init(struct pages *pages)
{
        *pages = (struct pages){};
}

static void region_unmap(struct pages_region *region)
{
        unpoison(region, sizeof(*region)); /* what its owner had free */
        mapping_free(region, REGION_BYTES);
}

void pages_deinit(struct pages *pages)
{
        struct pages_region *region;

        while ((region = pages->regions)) {
                pages->regions = region->next;
                region_unmap(region);
        }
        *pages = (struct pages){};
}

static struct pages_region *region_new(struct pages *pages)
{
        struct pages_region *region = mapping_new(REGION_BYTES, REGION_BYTES);

        if (!region)
                return NULL;
        if (pages->last)
                pages->last->next = region;
        else
                pages->regions = region;
        pages->last = region;
        return region;
}

/* The first slot that has one thing free and the other in use, or both free. REGION_SLOTS: there is none. */
static size_t slot_find(
        const struct slot_set *wanted, const struct slot_set *other, bool other_is_used)
{
        for (size_t i = 0; i < WORDS; i++) {
                uint64_t others = other_is_used ? other->words[i] : ~other->words[i];
                uint64_t found = ~wanted->words[i] & others;

                if (found) {
                        size_t slot = i * WORD_BITS + (size_t)__builtin_ctzll(found);

                        return slot < REGION_SLOTS ? slot : REGION_SLOTS;
                }
        }
        return REGION_SLOTS;
}

enum part { PART_FRONT, PART_FRAME };

/* Where that part is free: best where the other one is in use, so that the page is resident already. */
static size_t region_find(const struct pages_region *region, enum part part)
{
        const struct slot_set *wanted = part == PART_FRAME ? &region->frames : &region->fronts;
        const struct slot_set *other = part == PART_FRAME ? &region->fronts : &region->frames;
        size_t slot = slot_find(wanted, other, true);

        return slot < REGION_SLOTS ? slot : slot_find(wanted, other, false);
}

static struct pages_slot *slot_take(struct pages *pages, enum part part)
{
        struct pages_region *region = pages->open[part] ? pages->open[part] : pages->regions;
        size_t slot = REGION_SLOTS;

        while (region && (slot = region_find(region, part)) == REGION_SLOTS)
                region = region->next;
        if (!region) {
                region = region_new(pages);
                slot = 0;
        }
        if (!region)
                return NULL;
        pages->open[part] = region;
        set_add(part == PART_FRAME ? &region->frames : &region->fronts, slot);
        return region->slots + slot;
}

/* ---- out ---- */

static struct pages_front *front_take(struct pages *pages)
{
        struct pages_slot *slot = slot_take(pages, PART_FRONT);

        if (!slot)
                return NULL;
        pages->fronts++;
        slot->front = (struct pages_front){ 0 };
        return &slot->front;
}

void *pages_cut_frame(struct pages *pages)
{
        struct pages_slot *slot = slot_take(pages, PART_FRAME);

        if (!slot)
                return NULL;
        pages->frames++;
        return slot->frame;
}

static void rest_push(struct pages *pages, struct pages_area rest)
{
        struct pages_piece *piece = (struct pages_piece *)rest.next;

        *piece = (struct pages_piece){ .next = pages->rests, .size = rest.left };
        pages->rests = piece;
}

static struct pages_area rest_pop(struct pages *pages)
{
        struct pages_piece *piece = pages->rests;
        struct pages_area rest = { .next = (unsigned char *)piece, .left = piece->size };

        pages->rests = piece->next;
        return rest;
}

/* The area that has the least left of those with @size; NULL when none has. */
static struct pages_area *area_best(struct pages *pages, size_t size)
{
        struct pages_area *best = NULL;

        for (size_t i = 0; i < PAGES_AREAS; i++) {
                struct pages_area *area = pages->areas + i;

                if (area->left >= size && (!best || area->left < best->left))
                        best = area;
        }
        return best;
}

/* One with room for @size in the place of the one that has the least left. */
static struct pages_area *area_new(struct pages *pages, size_t size)
{
        struct pages_area *area = area_best(pages, 0);
        struct pages_area fresh;

        if (pages->rests && pages->rests->size >= size) {
                fresh = rest_pop(pages);
        } else {
                struct pages_front *front = front_take(pages);

                if (!front)
                        return NULL;
                fresh.left = PAGES_CUT_BYTES_MAX;
                fresh.next = (unsigned char *)(front + 1);
        }
        if (area->left >= REST_BYTES_MIN)
                rest_push(pages, *area);
        *area = fresh;
        return area;
}

void *pages_cut(struct pages *pages, size_t size)
{
        struct pages_area *area = area_best(pages, size);
        void *cut;

        assert(size <= PAGES_CUT_BYTES_MAX);
        if (!area)
                area = area_new(pages, size);
        if (!area)
                return NULL;
        cut = area->next;
        area->next += size;
        area->left -= size;
        front_of(cut)->cut_bytes += (uint16_t)size;
        return cut;
}

/* ---- and back ---- */

void pages_free_frame(struct pages *pages, void *frame)
{
        struct pages_region *region = region_of(frame);
        size_t slot = index_of(frame);

        assert(set_has(&region->frames, slot));
        unpoison(frame, PAGES_FRAME_BYTES);
        set_remove(&region->frames, slot);
        set_add(&region->touched, slot);
        pages->is_touched = true;
        pages->open[PART_FRAME] = NULL;
        pages->frames--;
}

void pages_count_idle(void *cut, size_t size)
{
        front_of(cut)->idle_bytes += (uint16_t)size;
}

static bool front_is_idle(const struct pages_front *front)
{
        return front->idle_bytes == front->cut_bytes;
}

bool pages_is_idle(void *cut)
{
        return front_is_idle(front_of(cut));
}

/* What idle fronts had left is not cut any more. */
static void forget_rests(struct pages *pages)
{
        struct pages_piece **place = &pages->rests;
        struct pages_piece *piece;

        for (size_t i = 0; i < PAGES_AREAS; i++) {
                struct pages_area *area = pages->areas + i;

                if (area->next && pages_is_idle(area->next))
                        *area = (struct pages_area){ 0 };
        }
        while ((piece = *place)) {
                if (pages_is_idle(piece))
                        *place = piece->next;
                else
                        place = &piece->next;
        }
}

static size_t free_fronts(struct pages_region *region)
{
        size_t count = 0;

        for (size_t slot = 0; slot < REGION_SLOTS; slot++) {
                struct pages_slot *at = region->slots + slot;

                if (!set_has(&region->fronts, slot))
                        continue;
                if (!front_is_idle(&at->front)) {
                        at->front.idle_bytes = 0;
                        continue;
                }
                set_remove(&region->fronts, slot);
                set_add(&region->touched, slot);
                unpoison(at->front_bytes, sizeof(at->front_bytes));
                count++;
        }
        return count;
}

void pages_free_idle(struct pages *pages)
{
        size_t count = 0;

        forget_rests(pages);
        for (struct pages_region *region = pages->regions; region; region = region->next)
                count += free_fronts(region);
        if (count == 0)
                return;
        pages->fronts -= count;
        pages->is_touched = true;
        pages->open[PART_FRONT] = NULL;
}

/* Of a slot that is not in use all, of one that has its front in use what lies behind its page. */
static void region_give_back(struct pages_region *region)
{
        for (size_t slot = 0; slot < REGION_SLOTS; slot++) {
                struct pages_slot *at = region->slots + slot;
                unsigned char *first = (unsigned char *)at;

                if (!set_has(&region->touched, slot) || set_has(&region->frames, slot))
                        continue;
                if (set_has(&region->fronts, slot))
                        first += PAGE_BYTES;
                mapping_forget(first, (size_t)((unsigned char *)(at + 1) - first));
        }
        region->touched = (struct slot_set){ 0 };
}

void pages_give_back(struct pages *pages)
{
        struct pages_region **place = &pages->regions;
        struct pages_region *region;

        if (!pages->is_touched)
                return;
        pages->is_touched = false;
        pages->open[PART_FRONT] = pages->open[PART_FRAME] = NULL;
        pages->last = NULL;
        while ((region = *place)) {
                if (region_is_free(region)) {
                        *place = region->next;
                        region_unmap(region);
                } else {
                        region_give_back(region);
                        pages->last = region;
                        place = &region->next;
                }
        }
}
