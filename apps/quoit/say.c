/* SPDX-License-Identifier: MIT */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>

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
