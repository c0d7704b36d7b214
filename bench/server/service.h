/* SPDX-License-Identifier: MIT */
#pragma once

#include "bench.quoit.h"

/* bench.Bench, without use for a `user`. pause blocks: it wants to be offloaded. */
extern const bench_Bench_service bench_service;
