/* SPDX-License-Identifier: MIT */
#include "text_values.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "nearest.h"

#define WORD_BYTES 256 /* of a number, or a name of an enum */

void text_init(struct text *text, upb_StringView view, quoit_problem *problem)
{
        *text = (struct text){ view.data, view.data, view.data + view.size, problem };
}

int text_fail(struct text *text, const char *format, ...)
{
        unsigned line = 1, column = 1;
        va_list arguments;
        int used;

        for (const char *p = text->begin; p < text->at; p++) {
                column = *p == '\n' ? 1 : column + 1;
                line += *p == '\n';
        }
        used = snprintf(text->problem->text, sizeof(text->problem->text),
                "line %u, column %u: ", line, column);
        va_start(arguments, format);
        vsnprintf(text->problem->text + used, sizeof(text->problem->text) - (size_t)used, format,
                arguments);
        va_end(arguments);
        return -EINVAL;
}

/* ---- marks and names ---- */

static void skip(struct text *text)
{
        while (text->at < text->end) {
                if (*text->at == '#')
                        while (text->at < text->end && *text->at != '\n')
                                text->at++;
                else if (isspace((unsigned char)*text->at))
                        text->at++;
                else
                        break;
        }
}

bool text_is_over(struct text *text)
{
        skip(text);
        return text->at == text->end;
}

static char peek(struct text *text)
{
        return text_is_over(text) ? '\0' : *text->at;
}

bool text_accept(struct text *text, char mark)
{
        if (peek(text) != mark || text->at == text->end)
                return false;
        text->at++;
        return true;
}

void text_accept_separator(struct text *text)
{
        if (!text_accept(text, ','))
                text_accept(text, ';');
}

static bool is_of_name(char c)
{
        return isalnum((unsigned char)c) || c == '_';
}

upb_StringView text_name(struct text *text)
{
        const char *begin;

        skip(text);
        begin = text->at;
        if (text->at < text->end && !isdigit((unsigned char)*begin))
                while (text->at < text->end && is_of_name(*text->at))
                        text->at++;
        return upb_StringView_FromDataAndSize(begin, (size_t)(text->at - begin));
}

bool text_bracket(struct text *text, char *name, size_t size)
{
        size_t used = 0;

        while (!text_is_over(text) && *text->at != ']' && used + 1 < size)
                name[used++] = *text->at++;
        name[used] = '\0';
        return text_accept(text, ']');
}

/* ---- strings ---- */

static int digit(char c, unsigned base)
{
        int value = isdigit((unsigned char)c)    ? c - '0'
                    : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
                                                 : 99;

        return value < (int)base ? value : -1;
}

/* At most @most digits. False: there is none. */
static bool take_number(struct text *text, unsigned base, unsigned most, uint32_t *ret_number)
{
        uint32_t number = 0;
        unsigned taken = 0;

        while (taken < most && text->at < text->end && digit(*text->at, base) >= 0) {
                number = number * base + (uint32_t)digit(*text->at++, base);
                taken++;
        }
        *ret_number = number;
        return taken > 0;
}

static size_t put_utf8(char *out, uint32_t point)
{
        if (point < 0x80) {
                out[0] = (char)point;
                return 1;
        }
        if (point < 0x800) {
                out[0] = (char)(0xc0 | point >> 6);
                out[1] = (char)(0x80 | (point & 63));
                return 2;
        }
        if (point < 0x10000) {
                out[0] = (char)(0xe0 | point >> 12);
                out[1] = (char)(0x80 | (point >> 6 & 63));
                out[2] = (char)(0x80 | (point & 63));
                return 3;
        }
        out[0] = (char)(0xf0 | point >> 18);
        out[1] = (char)(0x80 | (point >> 12 & 63));
        out[2] = (char)(0x80 | (point >> 6 & 63));
        out[3] = (char)(0x80 | (point & 63));
        return 4;
}

/* What stands behind a backslash: at most four bytes, and not more than it took to write. 0: it is no escape. */
static size_t take_escape(struct text *text, char *out)
{
        static const char letters[] = "abfnrtv\\'\"?", meanings[] = "\a\b\f\n\r\t\v\\'\"?";
        const char *letter;
        uint32_t number;

        if (text->at == text->end)
                return 0;
        if (digit(*text->at, 8) >= 0) {
                take_number(text, 8, 3, &number);
                *out = (char)number;
                return 1;
        }
        letter = *text->at ? strchr(letters, *text->at) : NULL;
        if (letter) {
                text->at++;
                *out = meanings[letter - letters];
                return 1;
        }
        switch (*text->at++) {
        case 'x':
        case 'X':
                *out = take_number(text, 16, 2, &number) ? (char)number : 0;
                return text->at[-1] != 'x' && text->at[-1] != 'X';
        case 'u':
                return take_number(text, 16, 4, &number) ? put_utf8(out, number) : 0;
        case 'U':
                return take_number(text, 16, 8, &number) && number <= 0x10ffff
                               ? put_utf8(out, number)
                               : 0;
        default:
                return 0;
        }
}

/* One quoted string behind @out. */
static int take_quoted(struct text *text, char *out, size_t *size)
{
        char quote = *text->at++;

        while (text->at < text->end && *text->at != quote && *text->at != '\n') {
                if (*text->at != '\\') {
                        out[(*size)++] = *text->at++;
                } else {
                        size_t taken;

                        text->at++;
                        taken = take_escape(text, out + *size);
                        if (taken == 0)
                                return text_fail(text, "no such escape");
                        *size += taken;
                }
        }
        if (text->at == text->end || *text->at != quote)
                return text_fail(text, "the string is not closed");
        text->at++;
        return 0;
}

/* Several that follow one another are one. */
static int take_string(struct text *text, upb_Arena *arena, upb_StringView *ret_string)
{
        size_t size = 0;
        char *out;
        int r = 0;

        if (peek(text) != '"' && peek(text) != '\'')
                return text_fail(text, "a string is expected, in quotes");
        out = upb_Arena_Malloc(arena, (size_t)(text->end - text->at) + 4);
        if (!out)
                return -ENOMEM;
        while (r == 0 && (peek(text) == '"' || peek(text) == '\''))
                r = take_quoted(text, out, &size);
        *ret_string = upb_StringView_FromDataAndSize(out, size);
        return r;
}

/* ---- numbers, words ---- */

/* "-12", "1.5e-3", "inf", "NAME" */
static void take_word(struct text *text, char word[WORD_BYTES])
{
        size_t used = 0;

        if (text_accept(text, '-'))
                word[used++] = '-';
        skip(text);
        while (text->at < text->end && used + 1 < WORD_BYTES &&
                (is_of_name(*text->at) || *text->at == '.' ||
                        ((*text->at == '+' || *text->at == '-') && used &&
                                tolower((unsigned char)word[used - 1]) == 'e' &&
                                strncasecmp(word, "0x", 2) != 0)))
                word[used++] = *text->at++;
        word[used] = '\0';
}

static int take_signed(struct text *text, int64_t min, int64_t max, int64_t *ret_value)
{
        const char *at = text->at;
        char word[WORD_BYTES], *end;
        long long value;

        take_word(text, word);
        errno = 0;
        value = strtoll(word, &end, 0);
        if (*word && !*end && !errno && value >= min && value <= max) {
                *ret_value = value;
                return 0;
        }
        text->at = at;
        return text_fail(
                text, "a number from %lld to %lld is expected", (long long)min, (long long)max);
}

static int take_unsigned(struct text *text, uint64_t max, uint64_t *ret_value)
{
        const char *at = text->at;
        char word[WORD_BYTES], *end;
        unsigned long long value;

        take_word(text, word);
        errno = 0;
        value = strtoull(word, &end, 0);
        if (isdigit((unsigned char)*word) && !*end && !errno && value <= max) {
                *ret_value = value;
                return 0;
        }
        text->at = at;
        return text_fail(text, "a number from 0 to %llu is expected", (unsigned long long)max);
}

static int take_double(struct text *text, double *ret_value)
{
        const char *at = text->at;
        char word[WORD_BYTES], *end;

        take_word(text, word);
        *ret_value = strtod(word, &end);
        if (*word && (!*end || (!strcasecmp(end, "f") && end > word)))
                return 0;
        text->at = at;
        return text_fail(text, "a number is expected");
}

static int take_bool(struct text *text, bool *ret_value)
{
        const char *at = text->at;
        char word[WORD_BYTES];

        take_word(text, word);
        *ret_value = !strcmp(word, "true") || !strcmp(word, "True") || !strcmp(word, "t") ||
                     !strcmp(word, "1");
        if (*ret_value || !strcmp(word, "false") || !strcmp(word, "False") || !strcmp(word, "f") ||
                !strcmp(word, "0"))
                return 0;
        text->at = at;
        return text_fail(text, "true or false is expected");
}

static int take_enum(struct text *text, const upb_EnumDef *type, int32_t *ret_value)
{
        const upb_EnumValueDef *value;
        char hint[NEAREST_HINT_BYTES];
        struct nearest nearest;
        const char *at;
        char word[WORD_BYTES];
        int64_t number;

        if (isdigit((unsigned char)peek(text)) || peek(text) == '-') {
                int r = take_signed(text, INT32_MIN, INT32_MAX, &number);

                *ret_value = r == 0 ? (int32_t)number : 0;
                return r;
        }
        at = text->at;
        take_word(text, word);
        value = upb_EnumDef_FindValueByName(type, word);
        if (value) {
                *ret_value = upb_EnumValueDef_Number(value);
                return 0;
        }
        text->at = at;
        nearest_init(&nearest, word);
        for (int i = 0; i < upb_EnumDef_ValueCount(type); i++)
                nearest_try(&nearest, upb_EnumValueDef_Name(upb_EnumDef_Value(type, i)));
        return text_fail(text, "no value %s in %s%s", word, upb_EnumDef_FullName(type),
                nearest_hint(&nearest, hint));
}

int text_value(
        struct text *text, const upb_FieldDef *field, upb_Arena *arena, upb_MessageValue *ret_value)
{
        int64_t number = 0;
        uint64_t natural = 0;
        double real = 0;
        int r;

        switch (upb_FieldDef_CType(field)) {
        case kUpb_CType_Bool:
                return take_bool(text, &ret_value->bool_val);
        case kUpb_CType_Int32:
                r = take_signed(text, INT32_MIN, INT32_MAX, &number);
                ret_value->int32_val = (int32_t)number;
                return r;
        case kUpb_CType_Int64:
                return take_signed(text, INT64_MIN, INT64_MAX, &ret_value->int64_val);
        case kUpb_CType_UInt32:
                r = take_unsigned(text, UINT32_MAX, &natural);
                ret_value->uint32_val = (uint32_t)natural;
                return r;
        case kUpb_CType_UInt64:
                return take_unsigned(text, UINT64_MAX, &ret_value->uint64_val);
        case kUpb_CType_Float:
                r = take_double(text, &real);
                ret_value->float_val = (float)real;
                return r;
        case kUpb_CType_Double:
                return take_double(text, &ret_value->double_val);
        case kUpb_CType_Enum:
                return take_enum(text, upb_FieldDef_EnumSubDef(field), &ret_value->int32_val);
        default:
                return take_string(text, arena, &ret_value->str_val);
        }
}
