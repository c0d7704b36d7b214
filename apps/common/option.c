/* SPDX-License-Identifier: MIT */
#include "option.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"
#include "wrap.h"

#define ABOUT_COLUMN 29
#define VARIABLE_BYTES 64

const struct option_entry *option_table;

static bool is_end(const struct option_entry *entry)
{
        return !entry->name && !entry->about;
}

void option_make_table(const struct option_group *groups)
{
        struct option_entry *table = NULL;
        size_t count = 0;

        for (; groups->entries; groups++) {
                for (const struct option_entry *entry = groups->entries; !is_end(entry); entry++) {
                        table = reallocarray(table, count + 2, sizeof(*table));
                        if (!table)
                                program_usage_error("out of memory");
                        table[count] = *entry;
                        table[count++].offset += groups->offset;
                        table[count] = (struct option_entry){ 0 };
                }
        }
        option_table = table;
}

const struct option_entry *option_find(const char *name)
{
        for (const struct option_entry *option = option_table; !is_end(option); option++)
                if (option->name && strcmp(option->name, name) == 0)
                        return option;
        return NULL;
}

const char *option_variable(const struct option_entry *option)
{
        static char name[VARIABLE_BYTES];

        if (option->variable || option->is_action)
                return option->variable;
        snprintf(name, sizeof(name), "%s_%s", program_get_name(), option->name);
        for (char *at = name; *at; at++)
                *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
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
        fprintf(out, "usage: %s [OPTION...]\n", program_get_name());
        for (const struct option_entry *option = option_table; !is_end(option); option++) {
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
