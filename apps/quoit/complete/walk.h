/* SPDX-License-Identifier: MIT */
#pragma once

/* What a command line that is not finished says so far. */

#include "../command.h"
#include "../connection_flags.h"
#include "../flags.h"
#include "../metadata_flags.h"
#include "../schema_flags.h"

struct walk {
        const struct command
                *command; /* NULL: it is not there yet, or there is none of that name */
        const struct flag *flag; /* whose value comes next; NULL: another word does */
        struct words words; /* without flags and the command */
        struct connection_flags connection;
        struct metadata_flags metadata;
        struct schema_flags schema;
};

/*
 * Takes the @count words between "quoit" and the one that is being written. Setters of flags may complain on stderr. Free it by
 * walk_deinit().
 */
void walk_init(struct walk *ret_walk, int count, char **words);
void walk_deinit(struct walk *walk);

/* What the word number @at of @command is, by its synopsis: "HOST:PORT", "pkg.Service/Method", "SYMBOL..."; "" if it takes no such word. */
void walk_kind(const struct command *command, int at, char *ret_kind, size_t size);
