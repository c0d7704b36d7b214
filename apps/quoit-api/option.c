/* SPDX-License-Identifier: MIT */
#include "option.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/program.h"
#include "wrap.h"

#define PREFIX "QUOIT_API_"
#define ABOUT_COLUMN 29

const struct option_entry *option_find(const char *name)
{
        for (const struct option_entry *option = option_table; option->name || option->about;
                option++)
                if (option->name && strcmp(option->name, name) == 0)
                        return option;
        return NULL;
}

const char *option_variable(const struct option_entry *option)
{
        static char name[64];
        size_t size = strlen(PREFIX);

        if (option->variable || option->is_action)
                return option->variable;
        memcpy(name, PREFIX, size);
        for (const char *from = option->name; *from && size < sizeof(name) - 1; from++)
                name[size++] = *from == '-' ? '_' : (char)toupper((unsigned char)*from);
        name[size] = '\0';
        return name;
}

const char *option_word(const struct option_entry *option)
{
        char *word;

        if (asprintf(&word, "--%s", option->name) < 0)
                program_usage_error("out of memory");
        return word;
}

static void print_option(FILE *out, const struct option_entry *option)
{
        int column = fprintf(out, "  --%s%s%s", option->name, option->value ? " " : "",
                option->value ? option->value : "");

        if (column + 2 > ABOUT_COLUMN) {
                fputc('\n', out);
                column = 0;
        }
        wrap_print(out, option->about, ABOUT_COLUMN, (size_t)column);
}

void option_help(void)
{
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                program_usage_error("out of memory");
        fputs("usage: quoit-api [OPTION...]\n", out);
        for (const struct option_entry *option = option_table; option->name || option->about;
                option++) {
                if (option->name) {
                        print_option(out, option);
                } else {
                        fputc('\n', out);
                        wrap_print(out, option->about, 0, 0);
                }
        }
        fclose(out);
        program_print(text);
}
