/* SPDX-License-Identifier: MIT */
#pragma once

/* Files in $XDG_CACHE_HOME/quoit, else ~/.cache/quoit: what can be had again. Only its owner can read it, as it names servers. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CACHE_PATH_BYTES = 1024 };

/* The path of the file @name there. False: there is no such folder in sight ($HOME is not set), or it is too long. */
bool cache_path(const char *name, char ret_path[CACHE_PATH_BYTES]);

/* How old it is, in seconds; UINT64_MAX: it is not there. */
uint64_t cache_age(const char *path);

/* Puts @size bytes into the file in place of what it has, at once or not at all. 0, or a negative errno. */
int cache_write(const char *path, const void *bytes, size_t size);

/* Removes files that are older than that. */
void cache_sweep(uint64_t seconds);
