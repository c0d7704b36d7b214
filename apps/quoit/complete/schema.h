/* SPDX-License-Identifier: MIT */
#pragma once

#include "../source.h"
#include "walk.h"

/*
 * The schema of the server at @target: as the flags say, else what reflection said in the last minutes, else what it says now, within a
 * second or two. NULL: none. Free it by source_free(), before @walk.
 */
struct source *schema_open(struct walk *walk, const char *target);
