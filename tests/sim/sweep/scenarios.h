/* SPDX-License-Identifier: MIT */
#pragma once

#include "stage.h"

/* The table of all of them. */
extern const struct scenario scenarios[];
extern const unsigned scenario_count;
