/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The table of options. --help, the command line, the environment and the file of --config are made from it: whoever adds an option adds
 * an entry, and its text in the man page.
 */

#include <stdbool.h>
#include <stddef.h>

struct options;
struct option_value;

struct option_entry {
        const char *name; /* without "--"; NULL: a paragraph of --help, @about */
        const char *value; /* what --help calls its value; NULL: it is a switch */
        const char *about;
        void (*set)(struct options *options, const struct option_value *value);
        size_t offset; /* of what @set sets in struct options */
        unsigned min, max; /* of a number, or the least time */
        const char *variable; /* of the environment; NULL: QUOIT_API_ and the name */
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

/* The end has neither a name nor a text. */
extern const struct option_entry option_table[];

/* NULL: there is none. */
const struct option_entry *option_find(const char *name);

/* The name of its variable in the environment; in a buffer that the next call uses again. NULL: it has none. */
const char *option_variable(const struct option_entry *option);

/* "--NAME", on the heap for as long as the program runs. */
const char *option_word(const struct option_entry *option);

/* Prints --help, and ends the program. */
void __attribute__((noreturn)) option_help(void);
