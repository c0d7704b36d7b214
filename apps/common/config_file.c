/* SPDX-License-Identifier: MIT */
#include "config_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

#define SPACE " \t\r\n\v\f"

static char *skip_space(char *text)
{
        return text + strspn(text, SPACE);
}

static void cut_space(char *text)
{
        size_t size = strlen(text);

        while (size > 0 && strchr(SPACE, text[size - 1]))
                text[--size] = '\0';
}

/* The value behind a name that ends at @end, where a zero is put; NULL: there is none. */
static char *take_value(char *end)
{
        char *value = skip_space(end);
        bool is_given = *value != '\0';

        if (*value == '=')
                value = skip_space(value + 1);
        *end = '\0';
        return is_given ? value : NULL;
}

static void read_line(const char *where, char *line,
        void (*on_line)(const char *where, const char *name, const char *text))
{
        char *name = skip_space(line), *value;

        if (*name == '\0' || *name == '#')
                return;
        cut_space(name);
        value = take_value(name + strcspn(name, "=" SPACE));
        on_line(where, name, value);
}

static void __attribute__((noreturn)) fail(const char *path)
{
        program_usage_error("--config: %s: %s", path, strerror(errno));
}

void config_file_read(
        const char *path, void (*on_line)(const char *where, const char *name, const char *text))
{
        FILE *file = fopen(path, "re");
        char *line = NULL, where[512];
        size_t room = 0;
        ssize_t size;

        if (!file)
                fail(path);
        for (unsigned number = 1; errno = 0, (size = getline(&line, &room, file)) >= 0; number++) {
                snprintf(where, sizeof(where), "%s:%u", path, number);
                if (strlen(line) != (size_t)size)
                        program_usage_error(
                                "%s: it has a zero byte: this is no file of options", where);
                read_line(where, line, on_line);
        }
        if (ferror(file))
                fail(path);
        free(line);
        fclose(file);
}
