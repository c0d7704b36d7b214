/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The definitions of a set of .proto files, by name. The files are numbered; each file name is there once. It does not change
 * once it is made: any thread can use it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/message.h>

struct symbols;

#define SYMBOLS_NONE SIZE_MAX /* no such file */

/* Makes it from the @count @files and all that they import. NULL: out of memory, or descriptors that do not come from protoc. */
struct symbols *symbols_new(const quoit_file_descriptor *const *files, size_t count);

/* Takes NULL. */
void symbols_free(struct symbols *symbols);

size_t symbols_file_count(const struct symbols *symbols);
const quoit_file_descriptor *symbols_file(const struct symbols *symbols, size_t file);

/* The file called @name, "foo/bar.proto". */
size_t symbols_find_file(const struct symbols *symbols, upb_StringView name);

/*
 * The file that defines @symbol, a name with its package: of a message, field, oneof, enum, value (as in C++, in the scope of
 * its enum), extension, service or method.
 */
size_t symbols_find(const struct symbols *symbols, upb_StringView symbol);

/* The file with the extension @number of the message @type. */
size_t symbols_find_extension(const struct symbols *symbols, upb_StringView type, int32_t number);

/* Calls @fn(@user, number) for each extension of the message @type. */
void symbols_each_extension(const struct symbols *symbols, upb_StringView type,
        void (*fn)(void *user, int32_t number), void *user);
