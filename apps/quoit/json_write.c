/* SPDX-License-Identifier: MIT */
#include "json_write.h"

#include <string.h>
#include <utf8_range.h>

#define INDENT 2

struct writer {
        FILE *to;
        const struct paint *paint;
        bool is_pretty;
        int indent;
};

static void break_line(const struct writer *writer)
{
        if (writer->is_pretty)
                fprintf(writer->to, "\n%*s", writer->indent, "");
}

/* The size of the string at @text, with its quotes. */
static size_t string_size(const char *text, size_t size)
{
        size_t at = 1;

        while (at < size && text[at] != '"')
                at += text[at] == '\\' ? 2 : 1;
        return at < size ? at + 1 : size;
}

static size_t write_text(
        const struct writer *writer, const char *colour, const char *text, size_t size)
{
        fprintf(writer->to, "%s%.*s%s", colour, (int)size, text, *colour ? writer->paint->end : "");
        return size;
}

/* A string, which is a key if a colon follows. */
static size_t write_string(const struct writer *writer, const char *text, size_t size)
{
        size_t length = string_size(text, size);
        bool is_key = length < size && text[length] == ':';

        write_text(writer, is_key ? writer->paint->key : writer->paint->string, text, length);
        if (!is_key)
                return length;
        fputs(writer->is_pretty ? ": " : ":", writer->to);
        return length + 1;
}

static size_t write_scalar(const struct writer *writer, const char *text, size_t size)
{
        size_t length = 0;
        bool is_word = strchr("tfn", *text);

        while (length < size && !strchr(",]}", text[length]))
                length++;
        return write_text(
                writer, is_word ? writer->paint->word : writer->paint->number, text, length);
}

/* A bracket or a comma. Takes the closing one too of what is empty. */
static size_t write_mark(struct writer *writer, const char *text, size_t size)
{
        char c = *text;

        if ((c == '{' || c == '[') && size > 1 && (text[1] == '}' || text[1] == ']'))
                return fwrite(text, 1, 2, writer->to);
        if (c == '}' || c == ']') {
                writer->indent -= INDENT;
                break_line(writer);
        }
        fputc(c, writer->to);
        if (c == '{' || c == '[')
                writer->indent += INDENT;
        if (c != '}' && c != ']')
                break_line(writer);
        return 1;
}

void json_write(
        FILE *to, upb_StringView text, bool is_pretty, int indent, const struct paint *paint)
{
        struct writer writer = { to, paint, is_pretty, indent };
        size_t at = 0;

        if (!is_pretty && !*paint->end) {
                fwrite(text.data, 1, text.size, to);
                return;
        }
        while (at < text.size) {
                const char *p = text.data + at;
                size_t size = text.size - at;

                if (*p == '"')
                        at += write_string(&writer, p, size);
                else if (strchr("{}[],", *p))
                        at += write_mark(&writer, p, size);
                else
                        at += write_scalar(&writer, p, size);
        }
}

void json_write_string(FILE *to, upb_StringView text)
{
        bool is_utf8 = utf8_range_IsValid(text.data, text.size);

        fputc('"', to);
        for (size_t i = 0; i < text.size; i++) {
                unsigned char c = (unsigned char)text.data[i];

                if (c == '"' || c == '\\')
                        fprintf(to, "\\%c", c);
                else if (c < ' ' || c == 0x7f || (c >= 0x80 && !is_utf8))
                        fprintf(to, "\\u%04x", c);
                else
                        fputc(c, to);
        }
        fputc('"', to);
}
