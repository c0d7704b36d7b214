/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_line.h"
#include "config_file.h"
#include "host_port.h"
#include "program.h"
#include "values.h"

#define OPTIONS_MAX 128
#define FIRST_NUMBER 256 /* of what getopt_long() returns for the table's entries */

/* What was said at one place of one option. */
struct setting {
        const struct option_entry *option; /* NULL: it was forgotten */
        enum place place;
        bool is_foreign; /* it is not meant for this program */
        const char
                *what; /* what a problem is named by: "--port", "BACKEND_PORT", "FILE:LINE: port" */
        const char *text; /* NULL: none was given, for a switch */
};

static struct setting *settings; /* with its strings it stays for as long as the program runs */
static size_t count;

static struct setting *add(
        const struct option_entry *option, enum place place, const char *what, const char *text)
{
        struct setting *more = reallocarray(settings, count + 1, sizeof(*settings));

        if (!more)
                program_usage_error("%s: out of memory", what);
        settings = more;
        settings[count] = (struct setting){ option, place, false, what, text };
        return &settings[count++];
}

/* On the heap. */
static char *copy(const char *text)
{
        char *made = strdup(text);

        if (!made)
                program_usage_error("%s: out of memory", text);
        return made;
}

/* ---- the command line ---- */

/* The table as getopt_long() has it; its entries have their numbers there. */
static void list_for_getopt(struct option known[OPTIONS_MAX])
{
        unsigned to = 0;

        for (int i = 0; option_table[i].name || option_table[i].about; i++) {
                const struct option_entry *entry = &option_table[i];

                if (!entry->name)
                        continue;
                if (to == OPTIONS_MAX - 1)
                        abort();
                known[to++] = (struct option){ .name = entry->name,
                        .has_arg = entry->value ? required_argument : no_argument,
                        .val = FIRST_NUMBER + i };
        }
        known[to] = (struct option){ 0 };
}

static void take_option(const struct option_entry *option)
{
        const char *what = option_word(option);

        if (option->kind == OPTION_AT_ONCE)
                option->set(NULL, &(struct option_value){ .option = option, .what = what });
        add(option, PLACE_COMMAND_LINE, what, optarg);
}

static void collect_command_line(int argc, char **argv)
{
        struct option known[OPTIONS_MAX];
        int number;

        list_for_getopt(known);
        while ((number = command_line_next(argc, argv, known, NULL)) != -1) {
                if (number == 'h')
                        option_help();
                take_option(&option_table[number - FIRST_NUMBER]);
        }
}

/* ---- the environment ---- */

static void take_variable(const struct option_entry *option, const char *variable, const char *text)
{
        const char *what = copy(variable);
        char *rest = copy(text), *part;

        if (option->kind != OPTION_ONE) {
                while ((part = strsep(&rest, ",")))
                        add(option, PLACE_ENVIRONMENT, what, part);
                return;
        }
        add(option, PLACE_ENVIRONMENT, what, rest)->is_foreign =
                option->may_be_foreign && host_port_is_foreign(text);
}

static void collect_environment(void)
{
        for (const struct option_entry *option = option_table; option->name || option->about;
                option++) {
                const char *variable = option->name ? option_variable(option) : NULL;
                const char *text = variable ? getenv(variable) : NULL;

                if (text && *text)
                        take_variable(option, variable, text);
        }
}

/* ---- the file ---- */

static void take_line(const char *where, const char *name, const char *text)
{
        const struct option_entry *option = option_find(name);
        char *what;

        if (!option)
                program_usage_error("%s: unknown option '%s'", where, name);
        if (!option_variable(option) || strcmp(name, "config") == 0)
                program_usage_error("%s: %s cannot be set in a file", where, name);
        if (option->value && !text)
                program_usage_error("%s: %s needs a value", where, name);
        if (asprintf(&what, "%s: %s", where, name) < 0)
                program_usage_error("%s: out of memory", where);
        add(option, PLACE_FILE, what, text ? copy(text) : NULL);
}

static void collect_file(void)
{
        const char *path = NULL;

        for (size_t i = count; i-- > 0;) {
                bool is_config = strcmp(settings[i].option->name, "config") == 0;

                if (is_config && (!path || settings[i].place == PLACE_COMMAND_LINE))
                        path = settings[i].text;
        }
        if (path)
                config_file_read(path, take_line);
}

void settings_collect(int argc, char **argv)
{
        collect_command_line(argc, argv);
        collect_environment();
        collect_file();
}

/* ---- using them ---- */

static enum place last_place(const struct option_entry *option)
{
        enum place last = PLACE_NONE;

        for (size_t i = 0; i < count; i++)
                if (settings[i].option == option && !settings[i].is_foreign &&
                        settings[i].place > last)
                        last = settings[i].place;
        return last;
}

enum place settings_place(const char *name)
{
        return last_place(option_find(name));
}

void settings_forget(const char *name)
{
        const struct option_entry *option = option_find(name);

        for (size_t i = 0; i < count; i++)
                if (settings[i].option == option)
                        settings[i].option = NULL;
}

/* Of a switch; the others have no use for it. */
static bool is_on(const struct setting *setting)
{
        return !setting->text || setting->option->value || value_bool(setting->what, setting->text);
}

static void apply(struct options *options, const struct setting *setting)
{
        const struct option_entry *option = setting->option;

        if (setting->is_foreign)
                program_say(QUOIT_LOG_WARNING,
                        "%s='%s' is ignored: it is the address of another service; use --%s",
                        setting->what, setting->text, option->name);
        else
                option->set(options, &(struct option_value){ .option = option,
                                             .what = setting->what,
                                             .text = setting->text,
                                             .is_on = is_on(setting) });
}

static bool counts(const struct setting *setting)
{
        return setting->option->kind == OPTION_PARTS ||
               last_place(setting->option) <= setting->place;
}

/* Those of @only; NULL: all. */
static void apply_all(struct options *options, const struct option_entry *only)
{
        for (enum place place = PLACE_FILE; place <= PLACE_COMMAND_LINE; place++) {
                for (size_t i = 0; i < count; i++) {
                        const struct setting *setting = &settings[i];

                        if (setting->option && setting->place == place &&
                                (!only || setting->option == only) && counts(setting))
                                apply(options, setting);
                }
        }
}

void settings_apply_first(struct options *options, const char *name)
{
        apply_all(options, option_find(name));
        settings_forget(name);
}

static enum place later_place(const char *first, const char *second)
{
        enum place one = settings_place(first), other = settings_place(second);

        return one > other ? one : other;
}

bool settings_is_later(const char *name, const char *first, const char *second)
{
        enum place place = settings_place(name);

        return place != PLACE_NONE && place >= later_place(first, second);
}

bool settings_choose_listen(void)
{
        enum place listen = settings_place("listen");
        bool is_later = settings_is_later("listen", "host", "port");

        if (listen != PLACE_NONE && listen != PLACE_ENVIRONMENT &&
                listen == later_place("host", "port"))
                program_usage_error("--listen replaces --host and --port; remove them");
        settings_forget(is_later ? "port" : "listen");
        return is_later;
}

void settings_apply(struct options *options)
{
        apply_all(options, NULL);
}
