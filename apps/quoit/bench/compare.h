/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "upb/mem/arena.h"

/* Prints how the report in @path_b, of --json, differs from that in @path_a. An exit status, when all was said. */
int compare_reports(const char *path_a, const char *path_b, bool as_json, upb_Arena *arena);
