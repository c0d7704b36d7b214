/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The table of a program's options. --help, the command line, the environment and the file of --config are made from it: whoever adds an
 * option adds an entry, and its text in the man page. It is made of groups, so that what several programs have has its options once.
 */

#include <stdbool.h>
#include <stddef.h>

struct options; /* the program's own */
struct option_value;

struct option_entry {
        const char *name; /* without "--"; NULL: a paragraph of --help, @about */
        const char *value; /* what --help calls its value; NULL: it is a switch */
        const char *about;
        void (*set)(struct options *options, const struct option_value *value);
        size_t offset; /* of what @set sets: in struct options, or in that of its group */
        unsigned min, max; /* of a number, or the least time */
        const char *variable; /* of the environment; NULL: that of option_variable() */
        bool may_be_foreign; /* others set @variable too, to the address of another service: it is ignored then */
        /*
         * How several values get on: by default the last one counts. A list is what the last place has said, separated by commas in the
         * environment. Parts of a whole are all used, place by place. What is done at once ends the program where it is read.
         */
        enum { OPTION_ONE, OPTION_LIST, OPTION_PARTS, OPTION_AT_ONCE } kind;
        bool is_action; /* something else than serving: only on the command line */
};

/* What an option is set to. */
struct option_value {
        const struct option_entry *option;
        const char *what; /* names it in a message */
        const char *text;
        bool is_on; /* of a switch */
};

/* Some entries; the last has neither a name nor a text. */
struct option_group {
        const struct option_entry *entries;
        size_t offset; /* in struct options: of the struct that they set */
};

/* The table; its end has neither a name nor a text. */
extern const struct option_entry *option_table;

/* Makes it of @groups, whose end has no entries; first of all, and once. */
void option_make_table(const struct option_group *groups);

/* NULL: there is none. */
const struct option_entry *option_find(const char *name);

/*
 * The name of its variable in the environment, for example QUOIT_API_MAX_CALLS for --max-calls of quoit-api; in a buffer that the next
 * call uses again. NULL: it has none.
 */
const char *option_variable(const struct option_entry *option);

/* "--NAME", on the heap for as long as the program runs. */
const char *option_word(const struct option_entry *option);

/* Prints --help, and ends the program. */
void __attribute__((noreturn)) option_help(void);
