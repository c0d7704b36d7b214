/* SPDX-License-Identifier: MIT */
#pragma once

#include "bench/load/load.h"

/* The results on stdout, for people or as one JSON object. Sorts the latencies. */
void report_text(struct load *load);
void report_json(struct load *load);
