/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a set of .proto files defines, to be looked up by name. The files are numbered; no file comes twice, by its name.
 * Nothing changes once it is made: any thread may ask.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/message.h>

struct symbols;

#define SYMBOLS_NONE SIZE_MAX /* no such file */

/* Of the @count @files and all that they import. NULL: out of memory, or descriptors that protoc has not made. */
struct symbols *symbols_new(const quoit_file_descriptor *const *files, size_t count);

/* Takes NULL. */
void symbols_free(struct symbols *symbols);

size_t symbols_file_count(const struct symbols *symbols);
const quoit_file_descriptor *symbols_file(const struct symbols *symbols, size_t file);

/* The file called @name, "foo/bar.proto". */
size_t symbols_find_file(const struct symbols *symbols, upb_StringView name);

/*
 * The file that defines @symbol, a name with its package: of a message, field, oneof, enum, value (as in C++, beside its
 * enum), extension, service or method.
 */
size_t symbols_find(const struct symbols *symbols, upb_StringView symbol);

/* The file that extends the message @type by @number. */
size_t symbols_find_extension(const struct symbols *symbols, upb_StringView type, int32_t number);

/* Calls @fn(@user, number) for each extension of the message @type. */
void symbols_each_extension(const struct symbols *symbols, upb_StringView type,
        void (*fn)(void *user, int32_t number), void *user);
