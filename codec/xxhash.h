/* SPDX-License-Identifier: MIT */
#pragma once

/* XXH64 with the seed 0 (the xxHash specification), by which gRPC's ring_hash places servers and calls. Not for secrets. Pure. */

#include <stddef.h>
#include <stdint.h>

uint64_t xxhash64(const void *data, size_t size);
