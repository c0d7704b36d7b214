/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where the values of options come from: a file, the environment, the command line. A value goes before those of the same option from
 * a place before; what is not used is not looked at, so it may be wrong.
 */

#include <stdbool.h>

#include "option.h"

/* The later one counts. */
enum place {
        PLACE_NONE,
        PLACE_FILE,
        PLACE_ENVIRONMENT,
        PLACE_COMMAND_LINE,
};

/*
 * Takes all that is said: on the command line, in the environment, and in the file that one of these names by --config. Ends the
 * program, with a line, for what is no option, or has no value; and where --help or --version is given.
 */
void settings_collect(int argc, char **argv);

/* The last place where @name was said. */
enum place settings_place(const char *name);

/* Whether @name was said, and not at a place before that of @first or @second. */
bool settings_is_later(const char *name, const char *first, const char *second);

/* Forgets what was said of @name. */
void settings_forget(const char *name);

/*
 * Addresses of --listen take the place of --host and --port, if they are said at the same place or a later one: forgets --port, and
 * returns true. Otherwise forgets --listen. The command line and a file that have both are told so.
 */
bool settings_choose_listen(void);

/* Sets what was said of @name, ahead of all else. A wrong value ends the program, with a line. */
void settings_apply_first(struct options *options, const char *name);

/* Sets all that is left in @options. A wrong value ends the program, with a line. */
void settings_apply(struct options *options);
