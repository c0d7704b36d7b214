/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ROOM 1024 /* at first */
#define FORMATTED_MAX 256

void text_init(struct text *text, upb_Arena *arena)
{
        *text = (struct text){ .arena = arena, .data = "", .failed = !arena };
}

static bool make_room(struct text *text, size_t size)
{
        size_t room = text->room ? text->room : ROOM;
        char *data;

        if (text->failed || text->size + size <= text->room)
                return !text->failed;
        while (room < text->size + size)
                room *= 2;
        data = upb_Arena_Realloc(text->arena, text->room ? text->data : NULL, text->room, room);
        text->failed = !data;
        if (!data)
                return false;
        text->data = data;
        text->room = room;
        return true;
}

void text_add(struct text *text, const char *bytes, size_t size)
{
        if (size == 0 || !make_room(text, size))
                return;
        memcpy(text->data + text->size, bytes, size);
        text->size += size;
}

void text_add_string(struct text *text, const char *string)
{
        text_add(text, string, strlen(string));
}

void text_addf(struct text *text, const char *format, ...)
{
        char formatted[FORMATTED_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(formatted, sizeof(formatted), format, arguments);
        va_end(arguments);
        text_add_string(text, formatted);
}

/* NULL: the byte stands for itself. */
static const char *escape(char byte)
{
        switch (byte) {
        case '&':
                return "&amp;";
        case '<':
                return "&lt;";
        case '>':
                return "&gt;";
        case '"':
                return "&quot;";
        case '\'':
                return "&#39;";
        case '\0':
                return "&#65533;"; /* HTML has no NUL */
        default:
                return NULL;
        }
}

void text_add_escaped(struct text *text, upb_StringView value)
{
        size_t done = 0;

        for (size_t i = 0; i < value.size; i++) {
                const char *escaped = escape(value.data[i]);

                if (!escaped)
                        continue;
                text_add(text, value.data + done, i - done);
                text_add_string(text, escaped);
                done = i + 1;
        }
        if (value.size > done)
                text_add(text, value.data + done, value.size - done);
}

static void add_slot(struct text *text, const struct slot *slots, const char *key, size_t key_size)
{
        for (; slots->key; slots++) {
                if (strlen(slots->key) != key_size || memcmp(slots->key, key, key_size) != 0)
                        continue;
                if (slots->is_html)
                        text_add(text, slots->value.data, slots->value.size);
                else
                        text_add_escaped(text, slots->value);
                return;
        }
}

void text_add_filled(struct text *text, const char *template, const struct slot *slots)
{
        const char *open, *close;

        while ((open = strstr(template, "{{")) && (close = strstr(open, "}}"))) {
                text_add(text, template, (size_t)(open - template));
                add_slot(text, slots, open + 2, (size_t)(close - open) - 2);
                template = close + 2;
        }
        text_add_string(text, template);
}
