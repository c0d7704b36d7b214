/* SPDX-License-Identifier: MIT */
#include "codec/plugin/options.h"

#include <ctype.h>
#include <string.h>

#include "codec/plugin/text.h"

/* Compilers distinguish names in C only by a limited number of characters. */
enum { PREFIX_BYTES_MAX = 64 };

static bool options_is_prefix(const char *text, size_t size)
{
        if (!size || size > PREFIX_BYTES_MAX || !isalpha((unsigned char)*text))
                return false;
        for (size_t i = 0; i < size; i++)
                if (!isalnum((unsigned char)text[i]) && text[i] != '_')
                        return false;
        return true;
}

/* Each takes @value, which is NULL where there is no "=". Returns an error, or NULL. */
static const char *options_take_messages_only(
        struct options *options, const char *value, size_t size, upb_Arena *arena)
{
        if (value)
                return memory_format(arena,
                        "protoc-gen-quoit: messages_only takes no value, but there is '%s'",
                        text_line(arena, value, size));
        options->messages_only = true;
        return NULL;
}

static const char *options_take_symbol_prefix(
        struct options *options, const char *value, size_t size, upb_Arena *arena)
{
        if (*options->symbol_prefix)
                return "protoc-gen-quoit: symbol_prefix is given twice";
        if (!value || !options_is_prefix(value, size))
                return memory_format(arena,
                        "protoc-gen-quoit: symbol_prefix='%s' cannot begin names in C: it takes a "
                        "letter, then letters, digits and '_', %d characters at most",
                        text_line(arena, value ? value : "", size), PREFIX_BYTES_MAX);
        options->symbol_prefix = memory_copy(arena, value, size);
        return NULL;
}

static const char *options_take(
        struct options *options, const char *text, size_t size, upb_Arena *arena)
{
        static const struct {
                const char *name;
                const char *(*take)(struct options *, const char *, size_t, upb_Arena *);
        } known[] = {
                { "messages_only", options_take_messages_only },
                { "symbol_prefix", options_take_symbol_prefix },
        };
        const char *equals = memchr(text, '=', size);
        size_t name_size = equals ? (size_t)(equals - text) : size;
        const char *value = equals ? equals + 1 : NULL;
        size_t value_size = equals ? size - name_size - 1 : 0;

        for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
                if (strlen(known[i].name) == name_size && !memcmp(known[i].name, text, name_size))
                        return known[i].take(options, value, value_size, arena);
        return memory_format(arena,
                "protoc-gen-quoit: unknown option '%s': there are messages_only and "
                "symbol_prefix=PREFIX",
                text_line(arena, text, size));
}

const char *options_parse(struct options *options, upb_StringView parameter, upb_Arena *arena)
{
        const char *problem = NULL;

        *options = (struct options){ .symbol_prefix = "" };
        while (parameter.size && !problem) {
                const char *comma = memchr(parameter.data, ',', parameter.size);
                size_t size = comma ? (size_t)(comma - parameter.data) : parameter.size;

                problem = options_take(options, parameter.data, size, arena);
                size += comma != NULL;
                parameter = upb_StringView_FromDataAndSize(
                        parameter.data + size, parameter.size - size);
        }
        return problem;
}

const char *options_words(const struct options *options, upb_Arena *arena)
{
        bool has_prefix = *options->symbol_prefix;

        if (!options->messages_only && !has_prefix)
                return "";
        return memory_format(arena, " --quoit_opt=%s%s%s%s",
                options->messages_only ? "messages_only" : "",
                options->messages_only && has_prefix ? "," : "", has_prefix ? "symbol_prefix=" : "",
                options->symbol_prefix);
}
