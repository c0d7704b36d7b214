/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Calls with the same key go to the same address (gRPC's proposals A42, A61 and A76). An address is connected to when the first call
 * belongs to it; the calls of one that has failed go to the next on the ring. Its place is that of its text without the family, like
 * "127.0.0.1:50051", as other implementations of gRPC have it.
 */

#include "client/balancer.h"

extern const struct balancer_policy ring_hash;
