/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/*
 * Whether libquoit has the generated code of the file @name. Then its header is also searched as <quoit/...>, after the user's
 * own, and its names never get a prefix.
 */
bool shipped_file(const char *name);
