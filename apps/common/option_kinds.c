/* SPDX-License-Identifier: MIT */
#include "option_kinds.h"

#include <string.h>

#include "engine.h"
#include "program.h"
#include "values.h"

void *option_place(struct options *options, const struct option_value *value)
{
        return (char *)options + value->option->offset;
}

void option_set_text(struct options *options, const struct option_value *value)
{
        *(const char **)option_place(options, value) = value->text;
}

void option_set_number(struct options *options, const struct option_value *value)
{
        *(unsigned *)option_place(options, value) =
                value_number(value->what, value->text, value->option->min, value->option->max);
}

void option_set_time(struct options *options, const struct option_value *value)
{
        *(unsigned *)option_place(options, value) =
                value_time(value->what, value->text, value->option->min);
}

void option_set_port(struct options *options, const struct option_value *value)
{
        *(int *)option_place(options, value) =
                (int)value_number(value->what, value->text, 0, 65535);
}

void option_set_switch(struct options *options, const struct option_value *value)
{
        *(bool *)option_place(options, value) = value->is_on;
}

void option_set_inverse(struct options *options, const struct option_value *value)
{
        *(bool *)option_place(options, value) = !value->is_on;
}

void option_set_engine(struct options *options, const struct option_value *value)
{
        *(quoit_engine *)option_place(options, value) = engine_parse(value->what, value->text);
}

void option_add_text(struct options *options, const struct option_value *value)
{
        struct option_list *list = option_place(options, value);
        unsigned max = value->option->max ? value->option->max : OPTION_LIST_MAX;

        if (list->count == max)
                program_usage_error(
                        "%s: '%s' is one too many, %u can be had", value->what, value->text, max);
        list->texts[list->count++] = value->text;
}

unsigned option_choose(const struct option_value *value, const char *const *words, const char *list)
{
        for (unsigned i = 0; words[i]; i++)
                if (strcmp(value->text, words[i]) == 0)
                        return i;
        program_usage_error("%s: '%s' is neither %s", value->what, value->text, list);
}

/* ---- those of every program ---- */

/* Its text was used before: settings.c. */
static void set_nothing(struct options *options, const struct option_value *value)
{
        (void)options;
        (void)value;
}

static void print_help(struct options *options, const struct option_value *value)
{
        (void)options;
        (void)value;
        option_help();
}

static void print_version(struct options *options, const struct option_value *value)
{
        (void)options;
        (void)value;
        program_print_version();
}

const struct option_entry option_general[] = {
        { "config", "FILE",
                "NAME VALUE or NAME=VALUE on each line, the names of these options without --; a "
                "line that begins with # is a comment",
                .set = set_nothing },

        { .about = "Others:" },
        { "help", NULL, "this text; or -h", print_help, .kind = OPTION_AT_ONCE, .is_action = true },
        { "version", NULL, "the version", print_version, .kind = OPTION_AT_ONCE,
                .is_action = true },
        { 0 },
};
