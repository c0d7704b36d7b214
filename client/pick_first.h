/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * All calls go to one of a channel's addresses: gRPC's policy pick_first, as its proposal A61 has it. Attempts begin one after the other,
 * in the addresses' order, `attempt_delay_ms` apart or as soon as the one before has failed; the first that is READY is picked, and the
 * others are given up. When all have failed, each is tried again after its own pause.
 */

#include "client/balancer.h"

extern const struct balancer_policy pick_first;
