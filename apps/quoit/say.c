/* SPDX-License-Identifier: MIT */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"

#define LINE_BYTES 4096

static void say_line(const char *format, va_list arguments)
{
        char line[LINE_BYTES];

        vsnprintf(line, sizeof(line), format, arguments);
        for (char *p = line; *p; p++)
                if ((unsigned char)*p < ' ' || *p == 0x7f)
                        *p = '?';
        fflush(stdout);
        fprintf(stderr, "quoit: %s\n", line);
}

void say(const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        say_line(format, arguments);
        va_end(arguments);
}

int say_failed(const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        say_line(format, arguments);
        va_end(arguments);
        return EXIT_FAILED;
}

int say_usage(const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        say_line(format, arguments);
        va_end(arguments);
        return EXIT_USAGE;
}

void say_value(const char *name, upb_StringView value)
{
        size_t size = strlen(name);
        bool is_bin = size > 4 && !strcmp(name + size - 4, "-bin");
        char *text = malloc(is_bin ? BASE64_ENCODED_BYTES(value.size) : value.size + 1);

        if (!text)
                return;
        if (is_bin)
                base64_encode(value.data, value.size, text);
        else
                snprintf(text, value.size + 1, "%.*s", (int)value.size, value.data);
        for (char *p = text; *p; p++)
                if ((unsigned char)*p < ' ' || *p == 0x7f)
                        *p = '?';
        fputs(text, stderr);
        free(text);
}
