/* SPDX-License-Identifier: MIT */
#include "flags.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "nearest.h"
#include "say.h"
#include "strings.h"

#define FLAGS_MAX 128
#define HELP_COLUMN 30 /* where a flag is explained, from 1 on */
#define HELP_COLUMNS 80
#define HELP_FLAG 1 /* what getopt returns for --help; flags follow */

/* What getopt_long_only() needs, made of a command's groups. */
struct table {
        struct option options[FLAGS_MAX + 2];
        char letters[2 * FLAGS_MAX + 8];
        const struct flag *flags[FLAGS_MAX];
        void *into[FLAGS_MAX]; /* the struct of its group */
        int count;
};

static void add_flag(struct table *table, const struct flag *flag, void *into)
{
        int has_value = flag->argument ? required_argument : optional_argument;
        size_t end = strlen(table->letters);

        if (table->count == FLAGS_MAX)
                return;
        table->options[table->count] =
                (struct option){ flag->name, has_value, NULL, HELP_FLAG + 1 + table->count };
        table->flags[table->count] = flag;
        table->into[table->count++] = into;
        if (!flag->letter)
                return;
        table->letters[end++] = flag->letter;
        if (flag->argument)
                table->letters[end++] = ':';
        table->letters[end] = '\0';
}

static void make_table(struct table *table, const struct command *command, void *options)
{
        *table = (struct table){ .letters = ":h" };
        for (const struct flag_group *group = command->groups; group && group->title; group++)
                for (const struct flag *flag = group->flags; flag->name; flag++)
                        add_flag(table, flag, (char *)options + group->offset);
        table->options[table->count] = (struct option){ "help", no_argument, NULL, HELP_FLAG };
}

/* By what getopt returned. */
static int find_flag(const struct table *table, int found)
{
        if (found > HELP_FLAG && found <= HELP_FLAG + table->count)
                return found - HELP_FLAG - 1;
        for (int i = 0; i < table->count; i++)
                if (table->flags[i]->letter == found)
                        return i;
        return -1;
}

static bool has_flag(const struct command *command, const char *name)
{
        for (const struct flag_group *group = command->groups; group && group->title; group++)
                for (const struct flag *flag = group->flags; flag->name; flag++)
                        if (!strcmp(flag->name, name) || (flag->letter == name[0] && !name[1]))
                                return true;
        return false;
}

/* The command that has what this one has not: tools that have no commands know their flags everywhere. NULL: none. */
static const struct command *find_owner(const char *name)
{
        for (const struct command *const *command = commands; *command; command++)
                if (has_flag(*command, name))
                        return *command;
        return NULL;
}

static int say_unknown(const struct command *command, const struct table *table, const char *word)
{
        const struct command *owner;
        char name[NEAREST_NAME_BYTES], hint[NEAREST_HINT_BYTES];
        struct nearest nearest;

        snprintf(name, sizeof(name), "%s", word + strspn(word, "-"));
        name[strcspn(name, "=")] = '\0';
        owner = find_owner(name);
        if (owner)
                return say_usage("quoit %s has no flag %s; quoit %s has it", command->name, word,
                        owner->name);
        nearest_init(&nearest, name);
        for (int i = 0; i < table->count; i++)
                nearest_try(&nearest, table->flags[i]->name);
        if (!nearest.best[0])
                return say_usage("unknown flag %s; see quoit %s --help", word, command->name);
        snprintf(hint, sizeof(hint), "--%s", nearest.best);
        return say_usage("unknown flag %s; did you mean %s?", word, hint);
}

/* One that getopt has found. -1: go on; else an exit status. */
static int take(const struct command *command, struct table *table, int found, const char *word)
{
        int at = find_flag(table, found);

        if (found == 'h' || found == HELP_FLAG)
                return command_print_help(command);
        if (found == ':')
                return say_usage("%s needs a value; see quoit %s --help", word, command->name);
        if (at < 0)
                return say_unknown(command, table, word);
        return table->flags[at]->set(table->flags[at], optarg,
                       (char *)table->into[at] + table->flags[at]->offset) < 0
                       ? EXIT_USAGE
                       : -1;
}

/* The command does not go on, and so does not free them. */
static void drop_lists(const struct table *table)
{
        for (int i = 0; i < table->count; i++)
                if (table->flags[i]->set == flag_add_string)
                        strings_deinit((void *)((char *)table->into[i] + table->flags[i]->offset));
}

bool flags_parse(const struct command *command, int argc, char **argv, void *options,
        struct words *ret_words, int *ret_status)
{
        struct table table;
        int status = -1;

        make_table(&table, command, options);
        opterr = 0;
        optind = 0; /* glibc: begin anew */
        while (status < 0) {
                int found = getopt_long_only(argc, argv, table.letters, table.options, NULL);

                if (found == -1)
                        break;
                status = take(command, &table, found, argv[optind - 1]);
        }
        if (status >= 0) {
                drop_lists(&table);
                *ret_status = status;
                return false;
        }
        *ret_words = (struct words){ argv + optind, argc - optind };
        return true;
}

/* ---- help ---- */

/* From HELP_COLUMN on, each line within HELP_COLUMNS. */
static void print_wrapped(const char *text)
{
        size_t column = HELP_COLUMN - 1;

        while (*text) {
                size_t length = strcspn(text, " ");

                if (column + 1 + length > HELP_COLUMNS) {
                        printf("\n%*s", HELP_COLUMN - 1, "");
                        column = HELP_COLUMN - 1;
                }
                printf(" %.*s", (int)length, text);
                column += 1 + length;
                text += length + (text[length] == ' ');
        }
        putchar('\n');
}

static void print_flag(const struct flag *flag)
{
        char left[64];

        snprintf(left, sizeof(left), "%s%c%s--%s%s%s", flag->letter ? "-" : " ",
                flag->letter ? flag->letter : ' ', flag->letter ? ", " : "  ", flag->name,
                flag->argument ? " " : "", flag->argument ? flag->argument : "");
        printf("  %-*s", HELP_COLUMN - 3, left);
        if (strlen(left) > HELP_COLUMN - 4)
                printf("\n%*s", HELP_COLUMN - 1, "");
        print_wrapped(flag->help);
}

void flags_print(const struct flag_group *groups)
{
        for (; groups && groups->title; groups++) {
                printf("\n%s:\n", groups->title);
                for (const struct flag *flag = groups->flags; flag->name; flag++)
                        if (flag->help)
                                print_flag(flag);
        }
}
