/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* The whole life of a server with some peers, chosen by @seed. sim_fail()s if a check fails. */
void run_seed(uint64_t seed);
