/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/*
 * The cgroup of this process, or one that it is in, that has the least memory left: its limit, and what is left of that. Both are
 * UINT64_MAX where there is no limit, or none that can be seen from here. What the kernel takes back by itself (the
 * cache of files) counts as left. Both versions of cgroups.
 */
void cgroup_memory_read(uint64_t *ret_limit_bytes, uint64_t *ret_free_bytes);

/* The lowest of all their limits. UINT64_MAX: there is none. */
uint64_t cgroup_memory_limit_bytes(void);
