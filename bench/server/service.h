/* SPDX-License-Identifier: MIT */
#pragma once

#include "bench.quoit.h"

/* bench.Bench, without use for a `user`. */
extern const bench_Bench_service bench_service;
