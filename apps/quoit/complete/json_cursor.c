/* SPDX-License-Identifier: MIT */
#include "json_cursor.h"

#include <stdbool.h>
#include <string.h>

/* What may come next in an object or an array. */
enum due { DUE_KEY, DUE_COLON, DUE_VALUE, DUE_COMMA };

struct frame {
        bool is_object;
        enum due due;
        char key[JSON_KEY_BYTES]; /* of an object: the last one */
};

struct scan {
        /* The first one is the document, which is treated as an array. */
        struct frame frames[JSON_DEPTH_MAX + 1];
        unsigned depth; /* of the innermost */
        bool is_lost;
};

static struct frame *innermost(struct scan *scan)
{
        return &scan->frames[scan->depth];
}

/* A string or a word, @text without quotes. */
static void end_scalar(struct scan *scan, const char *text, size_t size)
{
        struct frame *frame = innermost(scan);

        if (frame->due == DUE_KEY && size < sizeof(frame->key)) {
                memcpy(frame->key, text, size);
                frame->key[size] = '\0';
                frame->due = DUE_COLON;
        } else if (frame->due == DUE_VALUE) {
                frame->due = DUE_COMMA;
        } else {
                scan->is_lost = true;
        }
}

static void open(struct scan *scan, bool is_object)
{
        /* Messages of a stream follow each other. */
        bool may_open = innermost(scan)->due == DUE_VALUE || scan->depth == 0;

        if (!may_open || scan->depth == JSON_DEPTH_MAX) {
                scan->is_lost = true;
                return;
        }
        innermost(scan)->due = DUE_COMMA;
        scan->depth++;
        *innermost(scan) = (struct frame){
                .is_object = is_object,
                .due = is_object ? DUE_KEY : DUE_VALUE,
        };
}

static void take_sign(struct scan *scan, char sign)
{
        struct frame *frame = innermost(scan);

        switch (sign) {
        case '{':
        case '[':
                open(scan, sign == '{');
                return;
        case '}':
        case ']':
                if (scan->depth == 0)
                        scan->is_lost = true;
                else
                        scan->depth--;
                return;
        case ':':
                frame->due = DUE_VALUE;
                return;
        default:
                frame->due = frame->is_object ? DUE_KEY : DUE_VALUE;
        }
}

/* The end of the string or word that begins at @text; *@ret_is_open: it has none. */
static const char *end_of(const char *text, bool *ret_is_open)
{
        const char *end = text + 1;

        if (*text != '"') {
                end = text + strcspn(text, "{}[]:,\" \t\n");
                *ret_is_open = *end == '\0';
                return end;
        }
        while (*end && *end != '"')
                end += end[0] == '\\' && end[1] ? 2 : 1;
        *ret_is_open = *end == '\0';
        return *end ? end + 1 : end;
}

static void note(struct json_cursor *cursor, struct scan *scan, size_t begin)
{
        const struct frame *frame = innermost(scan);

        cursor->begin = begin;
        for (unsigned i = 1; i < scan->depth; i++)
                if (scan->frames[i].is_object)
                        strcpy(cursor->keys[cursor->depth++], scan->frames[i].key);
        if (scan->is_lost)
                return;
        if (frame->due == DUE_KEY)
                cursor->place = JSON_KEY;
        else if (frame->due == DUE_VALUE)
                cursor->place = JSON_VALUE;
        if (cursor->place == JSON_VALUE && frame->is_object)
                strcpy(cursor->key, frame->key);
        /* An array's values are of the member that it is of. */
        if (cursor->place == JSON_VALUE && !frame->is_object && cursor->depth > 0)
                strcpy(cursor->key, cursor->keys[--cursor->depth]);
}

void json_cursor_find(struct json_cursor *ret_cursor, const char *text)
{
        struct scan scan = { .frames[0].due = DUE_VALUE };
        const char *next = text;

        *ret_cursor = (struct json_cursor){ .place = JSON_ELSEWHERE };
        while (!scan.is_lost) {
                bool is_open;
                const char *end;

                next += strspn(next, " \t\n");
                if (!*next)
                        break;
                if (strchr("{}[]:,", *next)) {
                        take_sign(&scan, *next++);
                        continue;
                }
                end = end_of(next, &is_open);
                if (is_open)
                        break;
                end_scalar(&scan, next + (*next == '"'), (size_t)(end - next) - 2 * (*next == '"'));
                next = end;
        }
        note(ret_cursor, &scan, (size_t)(next - text));
}
