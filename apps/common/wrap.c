/* SPDX-License-Identifier: MIT */
#include "wrap.h"

#include <string.h>

#define WIDTH 96

static size_t indent_to(FILE *out, size_t indent, size_t column)
{
        if (column < indent)
                fprintf(out, "%*s", (int)(indent - column), "");
        return column < indent ? indent : column;
}

void wrap_print(FILE *out, const char *text, size_t indent, size_t column)
{
        column = indent_to(out, indent, column);
        while (*text) {
                size_t size = strcspn(text, " ");

                if (column > indent && column + 1 + size > WIDTH) {
                        fputc('\n', out);
                        column = indent_to(out, indent, 0);
                }
                column +=
                        (size_t)fprintf(out, "%s%.*s", column > indent ? " " : "", (int)size, text);
                text += size + (text[size] == ' ');
        }
        fputc('\n', out);
}
