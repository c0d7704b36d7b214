/* SPDX-License-Identifier: MIT */
#include "core/mapping.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

static atomic_size_t made;

size_t mappings_made(void)
{
        return atomic_load_explicit(&made, memory_order_relaxed);
}

static void unmap(unsigned char *first, unsigned char *last)
{
        if (last > first)
                (void)munmap(first, (size_t)(last - first));
}

/* The kernel aligns to pages: the excess on either side is unmapped. */
void *mapping_new(size_t size, size_t alignment)
{
        unsigned char *all, *first;

        all = mmap(NULL, size + alignment, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (all == MAP_FAILED)
                return NULL;
        atomic_fetch_add_explicit(&made, 1, memory_order_relaxed);
        first = all;
        if (alignment > 0)
                first += -(uintptr_t)all & (alignment - 1);
        unmap(all, first);
        unmap(first + size, all + size + alignment);
        /* A huge page would make all of it resident. A kernel without huge pages refuses, which does not matter. */
        (void)madvise(first, size, MADV_NOHUGEPAGE);
        return first;
}

void mapping_free(void *mapping, size_t size)
{
        if (mapping)
                (void)munmap(mapping, size);
}

void mapping_forget(void *first, size_t size)
{
        (void)madvise(first, size, MADV_DONTNEED);
}
