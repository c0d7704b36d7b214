/* SPDX-License-Identifier: MIT */
#include "client/json.h"

#include <errno.h>
#include <string.h>

#include "codec/number.h"
#include "codec/utf8.h"
#include "upb/mem/arena.h"

#define EXPONENT_MAX (1 << 20) /* a larger one changes nothing: no number has so many digits */

struct parser {
        const char *at, *end;
        upb_Arena *arena;
        unsigned depth;
        const char *what; /* is wrong; NULL: memory was short */
};

static bool fail(struct parser *parser, const char *what)
{
        parser->what = what;
        return false;
}

static struct json *make(struct parser *parser)
{
        struct json *json = upb_Arena_Malloc(parser->arena, sizeof(*json));

        if (json)
                memset(json, 0, sizeof(*json));
        return json;
}

/* The next byte; 0 at the end. A zero in the text is no token either. */
static char peek(const struct parser *parser)
{
        return parser->at < parser->end ? *parser->at : '\0';
}

static bool take(struct parser *parser, char c)
{
        if (peek(parser) != c)
                return false;
        parser->at++;
        return true;
}

static void skip_space(struct parser *parser)
{
        while (peek(parser) == ' ' || peek(parser) == '\t' || peek(parser) == '\n' ||
                peek(parser) == '\r')
                parser->at++;
}

/* ---- strings ---- */

/* The four digits behind "\u". */
static bool take_unit(struct parser *parser, uint32_t *ret_unit)
{
        uint32_t unit = 0;

        for (int i = 0; i < 4; i++) {
                int digit = number_hex_digit(peek(parser));

                if (digit < 0)
                        return fail(parser, "four hexadecimal digits belong behind \\u");
                unit = unit << 4 | (uint32_t)digit;
                parser->at++;
        }
        *ret_unit = unit;
        return true;
}

static char *put_utf8(char *out, uint32_t code)
{
        if (code < 0x80) {
                *out++ = (char)code;
        } else if (code < 0x800) {
                *out++ = (char)(0xc0 | code >> 6);
                *out++ = (char)(0x80 | (code & 0x3f));
        } else if (code < 0x10000) {
                *out++ = (char)(0xe0 | code >> 12);
                *out++ = (char)(0x80 | (code >> 6 & 0x3f));
                *out++ = (char)(0x80 | (code & 0x3f));
        } else {
                *out++ = (char)(0xf0 | code >> 18);
                *out++ = (char)(0x80 | (code >> 12 & 0x3f));
                *out++ = (char)(0x80 | (code >> 6 & 0x3f));
                *out++ = (char)(0x80 | (code & 0x3f));
        }
        return out;
}

/* Behind "\u": a character, or the first half of one and then the second. */
static bool take_code(struct parser *parser, char **out)
{
        uint32_t code, low;

        if (!take_unit(parser, &code))
                return false;
        if (code >= 0xd800 && code < 0xdc00) {
                if (!take(parser, '\\') || !take(parser, 'u'))
                        return fail(parser, "half a character");
                if (!take_unit(parser, &low))
                        return false;
                if (low < 0xdc00 || low >= 0xe000)
                        return fail(parser, "half a character");
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        } else if (code >= 0xdc00 && code < 0xe000) {
                return fail(parser, "half a character");
        }
        *out = put_utf8(*out, code);
        return true;
}

static bool take_escape(struct parser *parser, char **out)
{
        static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
        char name = peek(parser);
        const char *known = name ? strchr(names, name) : NULL;

        if (name == 'u') {
                parser->at++;
                return take_code(parser, out);
        }
        if (!known)
                return fail(parser, "an unknown escape");
        parser->at++;
        *(*out)++ = values[known - names];
        return true;
}

/* Behind the quote: the bytes up to the next one, into @out, which has room for all that is left. */
static bool take_characters(struct parser *parser, char **out)
{
        while (!take(parser, '"')) {
                if (parser->at == parser->end)
                        return fail(parser, "the string does not end");
                if ((unsigned char)*parser->at < ' ')
                        return fail(parser, "a control character in a string");
                if (!take(parser, '\\'))
                        *(*out)++ = *parser->at++;
                else if (!take_escape(parser, out))
                        return false;
        }
        return true;
}

/* How many bytes there are up to the quote that ends the string: it becomes no longer than it is written. */
static size_t written_size(const struct parser *parser)
{
        const char *at = parser->at;

        while (at < parser->end && *at != '"')
                at += *at == '\\' && at + 1 < parser->end ? 2 : 1;
        return (size_t)(at - parser->at);
}

static bool take_string(struct parser *parser, upb_StringView *ret_text)
{
        char *text, *end;

        if (!take(parser, '"'))
                return fail(parser, "a string is missing");
        text = end = upb_Arena_Malloc(parser->arena, written_size(parser) + 1);
        if (!text || !take_characters(parser, &end))
                return false;
        *ret_text = upb_StringView_FromDataAndSize(text, (size_t)(end - text));
        return true;
}

/* ---- numbers and words ---- */

static size_t take_digits(struct parser *parser)
{
        const char *begin = parser->at;

        while (peek(parser) >= '0' && peek(parser) <= '9')
                parser->at++;
        return (size_t)(parser->at - begin);
}

static bool take_number(struct parser *parser, struct json *json)
{
        const char *begin = parser->at;

        (void)take(parser, '-');
        if (!take(parser, '0') && take_digits(parser) == 0)
                return fail(parser, "a value is missing");
        if (take(parser, '.') && take_digits(parser) == 0)
                return fail(parser, "a number ends in a point");
        if (take(parser, 'e') || take(parser, 'E')) {
                if (!take(parser, '+'))
                        (void)take(parser, '-');
                if (take_digits(parser) == 0)
                        return fail(parser, "a number has no exponent behind its E");
        }
        json->type = JSON_NUMBER;
        json->text = upb_StringView_FromDataAndSize(begin, (size_t)(parser->at - begin));
        return true;
}

static bool take_word(struct parser *parser, const char *word)
{
        size_t size = strlen(word);

        if ((size_t)(parser->end - parser->at) < size || memcmp(parser->at, word, size) != 0)
                return false;
        parser->at += size;
        return true;
}

/* ---- arrays and objects ---- */

static bool take_value(struct parser *parser, struct json *json);

static const struct json *find_member(const struct json *object, upb_StringView name)
{
        const struct json *member = object->first;

        while (member && !upb_StringView_IsEqual(member->name, name))
                member = member->next;
        return member;
}

static bool take_name(struct parser *parser, const struct json *object, struct json *member)
{
        if (!take_string(parser, &member->name))
                return false;
        if (find_member(object, member->name))
                return fail(parser, "the object has this name already");
        skip_space(parser);
        return take(parser, ':') || fail(parser, "a colon is missing");
}

/* Up to @close, which belongs to what has been opened. */
static bool take_elements(struct parser *parser, struct json *json, char close)
{
        const struct json **last = &json->first;
        unsigned members = 0;

        skip_space(parser);
        if (take(parser, close))
                return true;
        do {
                struct json *element = make(parser);

                skip_space(parser);
                if (!element)
                        return false;
                if (close == '}' && members++ == JSON_MEMBERS_MAX)
                        return fail(parser, "the object has too many members");
                if (close == '}' && !take_name(parser, json, element))
                        return false;
                if (!take_value(parser, element))
                        return false;
                *last = element;
                last = &element->next;
                skip_space(parser);
        } while (take(parser, ','));
        return take(parser, close) ||
               fail(parser, "a comma, or the end of what was opened, is missing");
}

static bool take_container(struct parser *parser, struct json *json, char close)
{
        json->type = close == '}' ? JSON_OBJECT : JSON_ARRAY;
        if (parser->depth == JSON_DEPTH_MAX)
                return fail(parser, "nested too deeply");
        parser->depth++;
        if (!take_elements(parser, json, close))
                return false;
        parser->depth--;
        return true;
}

static bool take_value(struct parser *parser, struct json *json)
{
        skip_space(parser);
        if (take(parser, '{'))
                return take_container(parser, json, '}');
        if (take(parser, '['))
                return take_container(parser, json, ']');
        if (peek(parser) == '"') {
                json->type = JSON_STRING;
                return take_string(parser, &json->text);
        }
        if (take_word(parser, "null"))
                return true;
        json->is_true = take_word(parser, "true");
        if (json->is_true || take_word(parser, "false")) {
                json->type = JSON_BOOL;
                return true;
        }
        return take_number(parser, json);
}

/* ---- a text ---- */

static void find_place(const char *text, const char *at, struct json_problem *ret_problem)
{
        unsigned line = 1;
        const char *begin = text;

        for (const char *c = text; c < at; c++) {
                if (*c == '\n') {
                        line++;
                        begin = c + 1;
                }
        }
        ret_problem->line = line;
        ret_problem->column = (unsigned)(at - begin) + 1;
}

static bool take_text(struct parser *parser, struct json *json)
{
        if (!utf8_is_valid(parser->at, (size_t)(parser->end - parser->at)))
                return fail(parser, "the text is not UTF-8");
        if (!take_value(parser, json))
                return false;
        skip_space(parser);
        return parser->at == parser->end || fail(parser, "something stands behind the value");
}

int json_parse(upb_StringView text, struct upb_Arena *arena, const struct json **ret_json,
        struct json_problem *ret_problem)
{
        char *copy = upb_Arena_Malloc(arena, text.size); /* numbers refer to it */
        struct parser parser = { .at = copy, .end = copy + text.size, .arena = arena };
        struct json *json = make(&parser);

        if (!copy || !json)
                return -ENOMEM;
        memcpy(copy, text.data, text.size);
        if (take_text(&parser, json)) {
                *ret_json = json;
                return 0;
        }
        if (!parser.what)
                return -ENOMEM;
        ret_problem->what = parser.what;
        find_place(copy, parser.at, ret_problem);
        return -EINVAL;
}

/* ---- what is in it ---- */

const struct json *json_member(const struct json *object, const char *name)
{
        const struct json *member = find_member(object, upb_StringView_FromString(name));

        return member && member->type != JSON_NULL ? member : NULL;
}

/* A number as it is written: digits, of which so many stand before the point, once the exponent has moved it. */
struct decimal {
        const char *at, *end;
        long before;
};

static long exponent_of(const char *at, const char *end)
{
        bool is_negative = at < end && *at == '-';
        long exponent = 0;

        for (at += at < end && (*at == '-' || *at == '+'); at < end; at++) {
                if (exponent < EXPONENT_MAX)
                        exponent = exponent * 10 + (*at - '0');
        }
        return is_negative ? -exponent : exponent;
}

static struct decimal decimal_of(const struct json *json)
{
        const char *begin = json->text.data, *end = begin + json->text.size;
        const char *point = begin, *exponent = begin;

        while (point < end && *point >= '0' && *point <= '9')
                point++;
        for (exponent = point; exponent < end && *exponent != 'e' && *exponent != 'E';)
                exponent++;
        return (struct decimal){ .at = begin,
                .end = exponent,
                .before = (point - begin) + (exponent < end ? exponent_of(exponent + 1, end) : 0) };
}

/* The next digit; 0 behind the last. */
static unsigned next_digit(struct decimal *decimal)
{
        if (decimal->at < decimal->end && *decimal->at == '.')
                decimal->at++;
        return decimal->at < decimal->end ? (unsigned)(*decimal->at++ - '0') : 0;
}

static bool has_more(const struct decimal *decimal)
{
        for (const char *at = decimal->at; at < decimal->end; at++) {
                if (*at >= '1' && *at <= '9')
                        return true;
        }
        return false;
}

/* *@ret_whole: nothing was dropped. */
static int scale(const struct json *json, unsigned decimals, uint64_t max, uint64_t *ret_number,
        bool *ret_whole)
{
        struct decimal decimal;
        uint64_t number = 0;

        if (json->type != JSON_NUMBER)
                return -EINVAL;
        if (*json->text.data == '-')
                return -ERANGE;
        decimal = decimal_of(json);
        for (long left = decimal.before + (long)decimals; left > 0; left--) {
                unsigned digit;

                if (number == 0 && decimal.at == decimal.end)
                        break; /* zero, however large its exponent */
                digit = next_digit(&decimal);
                if (number > max / 10 || (number = number * 10 + digit) > max)
                        return -ERANGE;
        }
        *ret_number = number;
        *ret_whole = !has_more(&decimal);
        return 0;
}

int json_decimal(const struct json *json, unsigned decimals, uint64_t max, uint64_t *ret_number)
{
        bool is_whole;

        return scale(json, decimals, max, ret_number, &is_whole);
}

int json_whole(const struct json *json, uint64_t max, uint64_t *ret_number)
{
        uint64_t number;
        bool is_whole;
        int r = scale(json, 0, max, &number, &is_whole);

        if (r < 0)
                return r;
        if (!is_whole)
                return -EINVAL;
        *ret_number = number;
        return 0;
}
