/* SPDX-License-Identifier: MIT */
#pragma once

/* The commands of the program: one struct each, in the file of that name. */

struct flag_group;

struct command {
        const char *name;     /* "call" */
        const char *synopsis; /* what follows the name: "HOST:PORT pkg.Service/Method [FLAGS]" */
        const char *summary;  /* one line, for the list of commands */
        const char *
                help; /* what --help says behind the summary: examples first. Ends with a line break */
        const struct flag_group *groups; /* its flags: flags.h */
        /* argv[0] is its name. Returns an exit status. */
        int (*run)(int argc, char **argv);
};

/* All of them, in the order in which help lists them; ends with NULL. */
extern const struct command *const commands[];

/* NULL: there is none of that name. */
const struct command *command_find(const char *name);

/* Prints what `quoit COMMAND --help` says on stdout. An exit status. */
int command_print_help(const struct command *command);

/* The program as a whole: argv as of main(). */
int command_main(int argc, char **argv);
