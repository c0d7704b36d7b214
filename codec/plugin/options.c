/* SPDX-License-Identifier: MIT */
#include "codec/plugin/options.h"

#include <ctype.h>
#include <string.h>

#include "codec/plugin/shipped.h"
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

/* ---- one option ------------------------------------------------------------------------------- */

/* Each takes @value, which is NULL where there is no "=". Returns an error, or NULL. */
typedef const char *options_take_fn(
        struct options *options, const char *value, size_t size, upb_Arena *arena);

static const char *options_take_messages_only(
        struct options *options, const char *value, size_t size, upb_Arena *arena)
{
        if (value)
                return memory_format(arena,
                        "protoc-gen-quoit: messages_only takes no value, but there is '%s'",
                        text_line(arena, value, size));
        options->services = options->stubs = false;
        return NULL;
}

/* There is no "on": everything is. */
static const char *options_take_off(
        bool *part, const char *name, const char *value, size_t size, upb_Arena *arena)
{
        if (!value || size != 3 || memcmp(value, "off", 3) != 0)
                return memory_format(arena, "protoc-gen-quoit: %s takes the value off, not '%s'",
                        name, text_line(arena, value ? value : "", size));
        *part = false;
        return NULL;
}

static const char *options_take_services(
        struct options *options, const char *value, size_t size, upb_Arena *arena)
{
        return options_take_off(&options->services, "services", value, size, arena);
}

static const char *options_take_stubs(
        struct options *options, const char *value, size_t size, upb_Arena *arena)
{
        return options_take_off(&options->stubs, "stubs", value, size, arena);
}

static const char *options_bad_prefix(
        const char *option, const char *value, size_t size, upb_Arena *arena)
{
        return memory_format(arena,
                "protoc-gen-quoit: %s'%s' cannot begin names in C: it takes a "
                "letter, then letters, digits and '_', %d characters at most",
                option, text_line(arena, value ? value : "", size), PREFIX_BYTES_MAX);
}

static const char *options_take_symbol_prefix(
        struct options *options, const char *value, size_t size, upb_Arena *arena)
{
        if (*options->symbol_prefix)
                return "protoc-gen-quoit: symbol_prefix is given twice";
        if (!value || !options_is_prefix(value, size))
                return options_bad_prefix("symbol_prefix=", value, size, arena);
        options->symbol_prefix = memory_copy(arena, value, size);
        return NULL;
}

/* It is written into #error lines, where a quote or a backslash would be more than text. */
static bool options_is_path(const char *text, size_t size)
{
        for (size_t i = 0, n; i < size; i += n) {
                bool printable;

                n = text_char(text + i, size - i, &printable);
                if (!printable || (n == 1 && strchr("\"\\?", text[i])))
                        return false;
        }
        return size;
}

/* PATH, or PATH:PREFIX. */
static const char *options_take_elsewhere(
        struct options *options, const char *value, size_t size, upb_Arena *arena)
{
        const char *colon = value ? memrchr(value, ':', size) : NULL;
        size_t path_size = colon ? (size_t)(colon - value) : size;
        const char *prefix = colon ? colon + 1 : "";
        size_t prefix_size = colon ? size - path_size - 1 : 0;
        struct elsewhere *elsewhere;

        if (!value || !options_is_path(value, path_size))
                return memory_format(arena,
                        "protoc-gen-quoit: elsewhere='%s' names no file, nor a folder with '/' at "
                        "its end",
                        text_line(arena, value ? value : "", size));
        if (colon && !options_is_prefix(prefix, prefix_size))
                return options_bad_prefix("the prefix of elsewhere=, ", prefix, prefix_size, arena);
        elsewhere = memory_alloc(arena, sizeof(*elsewhere));
        *elsewhere = (struct elsewhere){
                .path = memory_copy(arena, value, path_size),
                .prefix = memory_copy(arena, prefix, prefix_size),
                .next = options->elsewhere,
        };
        options->elsewhere = elsewhere;
        return NULL;
}

static const char *options_take(
        struct options *options, const char *text, size_t size, upb_Arena *arena)
{
        static const struct {
                const char *name;
                options_take_fn *take;
        } known[] = {
                { "elsewhere", options_take_elsewhere },
                { "messages_only", options_take_messages_only },
                { "services", options_take_services },
                { "stubs", options_take_stubs },
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
                "protoc-gen-quoit: unknown option '%s': there are messages_only, services=off, "
                "stubs=off, symbol_prefix=PREFIX and elsewhere=PATH",
                text_line(arena, text, size));
}

const char *options_parse(struct options *options, upb_StringView parameter, upb_Arena *arena)
{
        const char *problem = NULL;

        *options = (struct options){ .services = true, .stubs = true, .symbol_prefix = "" };
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

/* ---- asking ----------------------------------------------------------------------------------- */

const struct elsewhere *options_elsewhere(const struct options *options, const char *name)
{
        const struct elsewhere *best = NULL;

        for (const struct elsewhere *e = options->elsewhere; e; e = e->next) {
                size_t size = strlen(e->path);
                bool fits = e->path[size - 1] == '/' ? !strncmp(e->path, name, size)
                                                     : !strcmp(e->path, name);

                if (fits && (!best || size > strlen(best->path)))
                        best = e;
        }
        return best;
}

const char *options_prefix_of(const struct options *options, const char *name)
{
        const struct elsewhere *elsewhere = options_elsewhere(options, name);

        if (elsewhere)
                return elsewhere->prefix;
        return shipped_file(name) ? "" : options->symbol_prefix;
}

static const char *options_words_of_elsewhere(const struct elsewhere *e, upb_Arena *arena)
{
        if (!e)
                return "";
        return memory_format(arena, "%s,elsewhere=%s%s%s",
                options_words_of_elsewhere(e->next, arena), e->path, *e->prefix ? ":" : "",
                e->prefix);
}

const char *options_words(const struct options *options, upb_Arena *arena)
{
        bool neither = !options->services && !options->stubs;
        bool has_prefix = *options->symbol_prefix;
        const char *words = memory_format(arena, "%s%s%s%s%s", neither ? ",messages_only" : "",
                !neither && !options->services ? ",services=off" : "",
                !neither && !options->stubs ? ",stubs=off" : "",
                has_prefix ? memory_format(arena, ",symbol_prefix=%s", options->symbol_prefix) : "",
                options_words_of_elsewhere(options->elsewhere, arena));

        return *words ? memory_format(arena, " --quoit_opt=%s", words + 1) : "";
}
