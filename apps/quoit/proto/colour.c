/* SPDX-License-Identifier: MIT */
#include "colour.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static const char *const keywords[] = { "edition", "enum", "export", "extend", "extensions",
        "false", "group", "import", "inf", "local", "map", "max", "message", "nan", "oneof",
        "option", "optional", "package", "public", "repeated", "required", "reserved", "returns",
        "rpc", "service", "stream", "syntax", "to", "true", "weak", NULL };
static const char *const types[] = { "bool", "bytes", "double", "fixed32", "fixed64", "float",
        "int32", "int64", "sfixed32", "sfixed64", "sint32", "sint64", "string", "uint32", "uint64",
        NULL };

static bool is_one_of(const char *const *list, upb_StringView word)
{
        for (; *list; list++)
                if (upb_StringView_IsEqual(word, upb_StringView_FromString(*list)))
                        return true;
        return false;
}

/* A character of a name, with its package, or of a number: "google.protobuf.Any", "-1.5e3". */
static bool is_of_word(char c)
{
        return isalnum((unsigned char)c) || c == '_' || c == '.';
}

/* The size of what begins at @text: a comment, a string, a word, or a character. */
static size_t token_size(upb_StringView text)
{
        size_t size = 1;

        if (text.size >= 2 && !memcmp(text.data, "//", 2)) {
                const char *end = memchr(text.data, '\n', text.size);

                return end ? (size_t)(end - text.data) : text.size;
        }
        if (text.data[0] == '"') {
                while (size < text.size && text.data[size] != '"')
                        size += text.data[size] == '\\' ? 2 : 1;
                return size < text.size ? size + 1 : text.size;
        }
        if (is_of_word(text.data[0]))
                while (size < text.size && is_of_word(text.data[size]))
                        size++;
        return size;
}

/* What a keyword would be, too, but for where it stands: "string message = 1", "rpc stream(". */
static bool is_name(upb_StringView behind)
{
        size_t spaces = 0;

        while (spaces < behind.size && behind.data[spaces] == ' ')
                spaces++;
        if (spaces == behind.size)
                return false;
        return (behind.data[spaces] == '=' && spaces > 0) || behind.data[0] == '(';
}

static const char *colour_of(upb_StringView token, upb_StringView behind, const struct paint *paint)
{
        char first = token.data[0];

        if (first == '"')
                return paint->string;
        if (first == '/' && token.size > 1)
                return paint->dim;
        if (isdigit((unsigned char)first))
                return paint->number;
        if (is_one_of(types, token) && !is_name(behind))
                return paint->key;
        /* the first lines are assignments: syntax = "proto3" */
        if (is_one_of(keywords, token) &&
                (!is_name(behind) ||
                        is_one_of((const char *const[]){ "syntax", "edition", NULL }, token)))
                return paint->word;
        return "";
}

void proto_colour(FILE *out, upb_StringView text, const struct paint *paint)
{
        while (text.size > 0) {
                size_t size = token_size(text);
                upb_StringView token = { text.data, size };
                const char *colour;

                text.data += size;
                text.size -= size;
                colour = colour_of(token, text, paint);
                fputs(colour, out);
                fwrite(token.data, 1, token.size, out);
                fputs(*colour ? paint->end : "", out);
        }
}
