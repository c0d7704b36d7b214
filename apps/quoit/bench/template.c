/* SPDX-License-Identifier: MIT */
#include "template.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../nearest.h"

#define RAND_MAX_DEFAULT INT32_MAX
#define TEXT_BYTES_MAX ((uint64_t)64 << 20)
#define PROBLEM_BYTES 512
#define MS_PER_SECOND 1000
#define NS_PER_MS 1000000

enum piece_kind {
        PIECE_TEXT,
        PIECE_SEQ,
        PIECE_RAND,
        PIECE_LETTERS,
        PIECE_UUID,
        PIECE_TIME,
        PIECE_CELL,
};

struct piece {
        enum piece_kind kind;
        upb_StringView text; /* PIECE_TEXT */
        int64_t first;       /* PIECE_RAND: the least one */
        uint64_t
                range; /* PIECE_RAND: the most above it; PIECE_LETTERS: how many; PIECE_CELL: the column */
        bool is_quoted; /* within a string of JSON */
};

static const struct {
        const char *name;
        enum piece_kind kind;
        unsigned numbers; /* that follow it at most, each behind a colon */
} words[] = {
        { "seq", PIECE_SEQ, 0 },
        { "rand", PIECE_RAND, 2 },
        { "text", PIECE_LETTERS, 1 },
        { "uuid", PIECE_UUID, 0 },
        { "time", PIECE_TIME, 0 },
};
#define WORD_COUNT (sizeof(words) / sizeof(*words))

/* ---- parsing ---- */

struct parser {
        struct template *template;
        struct piece *pieces;
        size_t capacity;
        upb_Arena *arena;
        bool in_string; /* of JSON */
        bool is_escaped; /* the next byte, by a backslash */
        const char *problem;
};

static bool fail(struct parser *parser, const char *what, upb_StringView name, const char *hint)
{
        char *problem = upb_Arena_Malloc(parser->arena, PROBLEM_BYTES);
        int size = name.size < 64 ? (int)name.size : 64;

        if (problem)
                snprintf(problem, PROBLEM_BYTES, "{{%.*s}}: %s%s", size, name.data, what, hint);
        parser->problem = problem ? problem : "out of memory";
        return false;
}

static bool add(struct parser *parser, struct piece piece)
{
        size_t bytes = parser->capacity * sizeof(piece);

        if (parser->template->count == parser->capacity) {
                struct piece *pieces = upb_Arena_Realloc(
                        parser->arena, parser->pieces, bytes, 2 * bytes + sizeof(piece));

                if (!pieces) {
                        parser->problem = "out of memory";
                        return false;
                }
                parser->pieces = pieces;
                parser->capacity = 2 * parser->capacity + 1;
        }
        piece.is_quoted = parser->in_string;
        parser->pieces[parser->template->count++] = piece;
        return true;
}

static bool add_text(struct parser *parser, const char *text, size_t size)
{
        upb_StringView view = upb_StringView_FromDataAndSize(text, size);

        if (size > 0 && !add(parser, (struct piece){ .kind = PIECE_TEXT, .text = view }))
                return false;
        for (size_t i = 0; i < size; i++) {
                if (parser->is_escaped)
                        parser->is_escaped = false;
                else if (text[i] == '\\')
                        parser->is_escaped = parser->in_string;
                else if (text[i] == '"')
                        parser->in_string = !parser->in_string;
        }
        return true;
}

/* ":A:B" up to @end into @numbers. How many there are; -1: that is something else. */
static int parse_numbers(const char *text, const char *end, int64_t numbers[2])
{
        int count = 0;

        while (text < end) {
                char *behind;

                if (*text++ != ':' || count == 2 || text == end || strchr(" \t\n+", *text))
                        return -1;
                numbers[count++] = strtoll(text, &behind, 10);
                if (behind == text || behind > end)
                        return -1;
                text = behind;
        }
        return count;
}

static bool add_rand(struct parser *parser, upb_StringView name, int count, const int64_t *numbers)
{
        struct piece piece = { .kind = PIECE_RAND, .range = RAND_MAX_DEFAULT };

        if (count == 1)
                return fail(parser, "both ends are needed: {{rand:1:6}}", name, "");
        if (count == 2) {
                if (numbers[0] > numbers[1])
                        return fail(parser, "the first number is the least one", name, "");
                piece.first = numbers[0];
                piece.range = (uint64_t)numbers[1] - (uint64_t)numbers[0];
        }
        return add(parser, piece);
}

static bool add_word(struct parser *parser, size_t word, upb_StringView name, const char *rest)
{
        int64_t numbers[2] = { 0 };
        int count = parse_numbers(rest, name.data + name.size, numbers);
        enum piece_kind kind = words[word].kind;

        parser->template->differs_by_call = true;
        if (count < 0 || count > (int)words[word].numbers)
                return fail(parser,
                        "what follows the name is wrong; there are {{seq}}, {{rand}}, "
                        "{{rand:A:B}}, {{text:N}}, {{uuid}} and {{time}}",
                        name, "");
        if (kind == PIECE_RAND)
                return add_rand(parser, name, count, numbers);
        if (kind != PIECE_LETTERS)
                return add(parser, (struct piece){ .kind = kind });
        if (count == 0 || numbers[0] < 0 || (uint64_t)numbers[0] > TEXT_BYTES_MAX)
                return fail(parser, "how many letters? {{text:100}}", name, "");
        return add(parser, (struct piece){ .kind = kind, .range = (uint64_t)numbers[0] });
}

/* No word and no column has that name. */
static bool fail_name(struct parser *parser, upb_StringView name)
{
        char text[NEAREST_NAME_BYTES], hint[NEAREST_HINT_BYTES];
        const struct table *table = parser->template->table;
        struct nearest nearest;

        snprintf(text, sizeof(text), "%.*s", (int)name.size, name.data);
        nearest_init(&nearest, text);
        for (size_t i = 0; i < WORD_COUNT; i++)
                nearest_try(&nearest, words[i].name);
        for (size_t i = 0; table && i < table->column_count; i++) {
                char column[NEAREST_NAME_BYTES];

                snprintf(column, sizeof(column), "%.*s", (int)table->names[i].size,
                        table->names[i].data);
                nearest_try(&nearest, column);
        }
        return fail(parser,
                table ? "no such column, and no such word"
                      : "no such word, and there is no --data-csv with columns",
                name, nearest_hint(&nearest, hint));
}

/* What stands between {{ and }}. */
static bool add_named(struct parser *parser, upb_StringView name)
{
        const struct table *table = parser->template->table;
        const char *colon = memchr(name.data, ':', name.size);
        size_t size = colon ? (size_t)(colon - name.data) : name.size;

        /* a column first: whoever made the table has chosen its names */
        for (size_t i = 0; table && i < table->column_count; i++)
                if (upb_StringView_IsEqual(table->names[i], name)) {
                        parser->template->differs_by_row = true;
                        return add(parser, (struct piece){ .kind = PIECE_CELL, .range = i });
                }
        for (size_t i = 0; i < WORD_COUNT; i++)
                if (strlen(words[i].name) == size && !memcmp(words[i].name, name.data, size))
                        return add_word(parser, i, name, name.data + size);
        return fail_name(parser, name);
}

static upb_StringView trimmed(const char *text, const char *end)
{
        while (text < end && *text == ' ')
                text++;
        while (text < end && end[-1] == ' ')
                end--;
        return upb_StringView_FromDataAndSize(text, (size_t)(end - text));
}

const char *template_parse(upb_StringView text, const struct table *table, upb_Arena *arena,
        struct template *ret_template)
{
        struct template template = { .table = table };
        struct parser parser = { .template = &template, .arena = arena };
        const char *at = text.data, *end = text.data + text.size;

        while (at < end) {
                const char *open = memmem(at, (size_t)(end - at), "{{", 2);
                const char *close = open ? memmem(open, (size_t)(end - open), "}}", 2) : NULL;

                if (!close)
                        open = close = end;
                if (!add_text(&parser, at, (size_t)(open - at)))
                        return parser.problem;
                if (open < end && !add_named(&parser, trimmed(open + 2, close)))
                        return parser.problem;
                at = close < end ? close + 2 : end;
        }
        template.pieces = parser.pieces;
        *ret_template = template;
        return NULL;
}

/* ---- expanding ---- */

void buffer_deinit(struct buffer *buffer)
{
        free(buffer->data);
        *buffer = (struct buffer){ 0 };
}

/* Room for @size bytes behind what there is; NULL: no memory. The caller adds to @size of the buffer what it has written. */
static char *make_room(struct buffer *buffer, size_t size)
{
        size_t wanted = buffer->size + size, capacity = buffer->capacity;
        char *data;

        if (wanted > capacity) {
                capacity = wanted < 2 * capacity ? 2 * capacity : wanted;
                data = realloc(buffer->data, capacity);
                if (!data)
                        return NULL;
                buffer->data = data;
                buffer->capacity = capacity;
        }
        return buffer->data + buffer->size;
}

static bool put(struct buffer *buffer, const char *text, size_t size)
{
        char *room = make_room(buffer, size);

        if (!room)
                return false;
        if (size > 0)
                memcpy(room, text, size);
        buffer->size += size;
        return true;
}

static bool put_number(struct buffer *buffer, int64_t number)
{
        char digits[24];

        return put(buffer, digits, (size_t)snprintf(digits, sizeof(digits), "%" PRId64, number));
}

static bool put_letters(struct buffer *buffer, uint64_t count, struct chance *chance)
{
        static const char letters[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        char *room = make_room(buffer, count);
        uint64_t bits = 0;

        if (!room)
                return false;
        for (uint64_t i = 0; i < count; i++, bits >>= 6) {
                if (i % 10 == 0) /* of 64 bits 10 have 6 each */
                        bits = chance_next(chance);
                room[i] = letters[bits % 64];
        }
        buffer->size += count;
        return true;
}

static bool put_uuid(struct buffer *buffer, struct chance *chance)
{
        uint64_t high = chance_next(chance), low = chance_next(chance);
        char text[37];

        high = (high & ~UINT64_C(0xf000)) | 0x4000; /* version 4 */
        low = (low & (UINT64_MAX >> 2)) | UINT64_C(1) << 63; /* this variant of UUIDs */
        snprintf(text, sizeof(text), "%08x-%04x-%04x-%04x-%012" PRIx64, (unsigned)(high >> 32),
                (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xffff), (unsigned)(low >> 48),
                low & UINT64_C(0xffffffffffff));
        return put(buffer, text, sizeof(text) - 1);
}

static bool put_time(struct buffer *buffer)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return put_number(buffer, now.tv_sec * MS_PER_SECOND + now.tv_nsec / NS_PER_MS);
}

/* As a part of a string of JSON (RFC 8259 section 7). */
static bool put_escaped(struct buffer *buffer, upb_StringView text)
{
        char *room = make_room(buffer, 6 * text.size), *to = room;

        if (!room)
                return false;
        for (size_t i = 0; i < text.size; i++) {
                unsigned char c = (unsigned char)text.data[i];

                if (c < 0x20) {
                        to += sprintf(to, "\\u%04x", c);
                        continue;
                }
                if (c == '"' || c == '\\')
                        *to++ = '\\';
                *to++ = (char)c;
        }
        buffer->size += (size_t)(to - room);
        return true;
}

static bool put_cell(struct buffer *buffer, const struct template *template,
        const struct piece *piece, uint64_t seq)
{
        const struct table *table = template->table;
        upb_StringView cell = table_cell(table, seq % table->row_count, piece->range);

        return piece->is_quoted ? put_escaped(buffer, cell) : put(buffer, cell.data, cell.size);
}

static bool put_piece(struct buffer *buffer, const struct template *template,
        const struct piece *piece, const struct template_call *call)
{
        switch (piece->kind) {
        case PIECE_SEQ:
                return put_number(buffer, (int64_t)call->seq);
        case PIECE_RAND:
                return put_number(buffer, (int64_t)((uint64_t)piece->first +
                                                    chance_below(call->chance, piece->range)));
        case PIECE_LETTERS:
                return put_letters(buffer, piece->range, call->chance);
        case PIECE_UUID:
                return put_uuid(buffer, call->chance);
        case PIECE_TIME:
                return put_time(buffer);
        case PIECE_CELL:
                return put_cell(buffer, template, piece, call->seq);
        case PIECE_TEXT:
                break;
        }
        return put(buffer, piece->text.data, piece->text.size);
}

bool template_expand(
        const struct template *template, const struct template_call *call, struct buffer *buffer)
{
        buffer->size = 0;
        for (size_t i = 0; i < template->count; i++)
                if (!put_piece(buffer, template, &template->pieces[i], call))
                        return false;
        return true;
}
