/* SPDX-License-Identifier: MIT */

/*
 * The product's own pools (core/slab.h, transport/memory.h), replaced by the linker: each block that is taken from them can fail, not
 * only the mappings that blocks are cut from.
 */

#include "core/engine/sim.h"
#include "core/slab.h"
#include "transport/memory.h"

void *__real_slab_alloc(struct slab *slab);
void *__wrap_slab_alloc(struct slab *slab);
void __real_memory_init(struct memory *memory);
void __wrap_memory_init(struct memory *memory);

static bool fails(void)
{
        return sim_fault(SIM_NO_MEMORY);
}

void *__wrap_slab_alloc(struct slab *slab)
{
        return fails() ? NULL : __real_slab_alloc(slab);
}

/* ---- nghttp2's ---- */

static nghttp2_mem real; /* all are alike */

static void *h2_malloc(size_t size, void *user)
{
        return fails() ? NULL : real.malloc(size, user);
}

static void *h2_calloc(size_t count, size_t size, void *user)
{
        return fails() ? NULL : real.calloc(count, size, user);
}

static void *h2_realloc(void *block, size_t size, void *user)
{
        return fails() ? NULL : real.realloc(block, size, user);
}

void __wrap_memory_init(struct memory *memory)
{
        __real_memory_init(memory);
        real = memory->h2;
        memory->h2.malloc = h2_malloc;
        memory->h2.calloc = h2_calloc;
        memory->h2.realloc = h2_realloc;
}
