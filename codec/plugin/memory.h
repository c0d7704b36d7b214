/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include <quoit/message.h>

/*
 * Memory of the plugin: one upb arena for the whole run. The plugin is a short-lived program, so running out of memory ends it
 * with a line on stderr and exit status 1, and no other code has to handle it. So does taking more than MEMORY_BYTES_MAX.
 * Everything returned lives as long as the arena.
 */
#define MEMORY_BYTES_MAX ((size_t)4 << 30)

/* Ends the program if @p is NULL; returns it otherwise. For memory that upb allocates itself. */
void *memory_check(void *p);

upb_Arena *memory_arena_new(void);
void *memory_alloc(upb_Arena *arena, size_t size);

/* Copies @size bytes and puts a NUL behind them. */
char *memory_copy(upb_Arena *arena, const char *data, size_t size);

/* As sprintf(), into the arena. */
__attribute__((format(printf, 2, 3))) char *memory_format(
        upb_Arena *arena, const char *format, ...);
