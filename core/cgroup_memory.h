/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/*
 * Of this process's cgroup and its parents, the one with the least memory left: its limit, and how much of it is left. Both are
 * UINT64_MAX where no limit is set, or none is visible. Memory that the kernel can reclaim (the page cache) counts as left.
 * Both versions of cgroups.
 */
void cgroup_memory_read(uint64_t *ret_limit_bytes, uint64_t *ret_free_bytes);

/* The lowest of all their limits. UINT64_MAX: there is none. */
uint64_t cgroup_memory_limit_bytes(void);
