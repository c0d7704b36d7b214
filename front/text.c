/* SPDX-License-Identifier: MIT */
#include "front/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/utf8.h"

void text_init(struct text *text)
{
        text->data = text->few;
        text->size = 0;
        text->capacity = sizeof(text->few);
        text->failed = false;
}

void text_deinit(struct text *text)
{
        if (text->data != text->few)
                free(text->data);
}

/* Room for @size more bytes; NULL: there is none. */
static char *room(struct text *text, size_t size)
{
        size_t capacity = text->capacity;
        char *data;

        if (text->failed)
                return NULL;
        if (size <= capacity - text->size)
                return text->data + text->size;
        while (capacity - text->size < size)
                capacity *= 2;
        data = text->data == text->few ? malloc(capacity) : realloc(text->data, capacity);
        if (!data) {
                text->failed = true;
                return NULL;
        }
        if (text->data == text->few)
                memcpy(data, text->few, text->size);
        text->data = data;
        text->capacity = capacity;
        return data + text->size;
}

void text_add(struct text *text, const void *bytes, size_t size)
{
        char *to = size > 0 ? room(text, size) : NULL;

        if (!to)
                return;
        memcpy(to, bytes, size);
        text->size += size;
}

void text_add_string(struct text *text, const char *string)
{
        text_add(text, string, strlen(string));
}

/* How many bytes at @bytes need no escape. */
static size_t plain_size(const char *bytes, size_t size)
{
        size_t i = 0;

        while (i < size) {
                unsigned char byte = (unsigned char)bytes[i];

                if (byte < 0x20 || byte >= 0x7f || strchr("\"\\<>&", byte))
                        break;
                i++;
        }
        return i;
}

static void add_escaped(struct text *text, uint32_t character)
{
        char escaped[16];
        int size;

        if (character == '"' || character == '\\')
                size = snprintf(escaped, sizeof(escaped), "\\%c", (int)character);
        else if (character == '\n')
                size = snprintf(escaped, sizeof(escaped), "\\n");
        else
                size = snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned)character);
        text_add(text, escaped, (size_t)size);
}

/* U+2028 and U+2029 end lines in JavaScript. */
static bool ends_line(const char *bytes, size_t size)
{
        return size >= 3 &&
               (memcmp(bytes, "\xe2\x80\xa8", 3) == 0 || memcmp(bytes, "\xe2\x80\xa9", 3) == 0);
}

/* Adds one character that is not ASCII, or U+FFFD for a byte that is none. Returns how many bytes it has. */
static size_t add_wide(struct text *text, const char *bytes, size_t size)
{
        if (ends_line(bytes, size)) {
                add_escaped(text, bytes[2] == '\xa8' ? 0x2028 : 0x2029);
                return 3;
        }
        for (size_t n = 2; n <= 4 && n <= size; n++) {
                if (utf8_is_valid(bytes, n)) {
                        text_add(text, bytes, n);
                        return n;
                }
        }
        text_add_string(text, "\xef\xbf\xbd");
        return 1;
}

void text_add_json(struct text *text, const char *bytes, size_t size)
{
        text_add_string(text, "\"");
        while (size > 0) {
                size_t n = plain_size(bytes, size);

                text_add(text, bytes, n);
                bytes += n;
                size -= n;
                if (size == 0)
                        break;
                n = 1;
                if ((unsigned char)*bytes >= 0x80)
                        n = add_wide(text, bytes, size);
                else
                        add_escaped(text, (unsigned char)*bytes);
                bytes += n;
                size -= n;
        }
        text_add_string(text, "\"");
}

void text_add_base64(struct text *text, const void *bytes, size_t size, bool padded)
{
        char *to = room(text, base64_encoded_size(size) + 2);

        if (!to)
                return;
        text->size += base64_encode(to, bytes, size);
        if (padded && size % 3 > 0)
                text_add(text, "==", 3 - size % 3);
}
