/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* A server's whole life with some peers, all of it chosen by @seed. sim_fail()s if something is wrong. */
void run_seed(uint64_t seed);
