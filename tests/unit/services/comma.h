/* SPDX-License-Identifier: MIT */
#pragma once

/* A program whose locale has a comma where "C" has a point. */

#include <stdbool.h>

/* From here on it is so. False, and it has said so: this machine cannot make such a locale. */
bool comma_set(void);
