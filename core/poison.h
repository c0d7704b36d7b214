/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* Marks memory of our own pools that must not be touched now, so that AddressSanitizer finds a use after free there too. */

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define POISON_ASAN
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define POISON_ASAN
#endif

#ifdef POISON_ASAN
#include <sanitizer/asan_interface.h>
#endif

static inline void poison(const void *memory, size_t size)
{
#ifdef POISON_ASAN
        __asan_poison_memory_region(memory, size);
#else
        (void)memory;
        (void)size;
#endif
}

static inline void unpoison(const void *memory, size_t size)
{
#ifdef POISON_ASAN
        __asan_unpoison_memory_region(memory, size);
#else
        (void)memory;
        (void)size;
#endif
}
