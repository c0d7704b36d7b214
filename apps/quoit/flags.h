/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The flags of the commands. A group of flags fills one struct; a command has the structs of its groups in its own options, and flags are
 * taken before, between and behind its words, with one dash or two:
 *
 *      struct options { struct connection_flags connection; bool all; };
 *      static const struct flag own[] = {
 *              { "all", .help = "also what is hidden", .set = flag_set_true, .offset = offsetof(struct options, all) },
 *              { 0 },
 *      };
 *      static const struct flag_group groups[] = {
 *              { "Flags", own, 0 },
 *              { "Connection", connection_flags, offsetof(struct options, connection) },
 *              { 0 },
 *      };
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "strings.h"

struct command;

struct flag {
        const char *name;     /* "cacert"; NULL ends a list */
        char letter;          /* 'd' for -d; 0: none */
        const char *
                argument; /* what help calls its value; NULL: it takes none, but for --NAME=true and --NAME=false */
        const char *help; /* one line; NULL: understood, and not shown */
        /* Puts @text (NULL: it has no value) into @field. 0; or -EINVAL, when it has said why. */
        int (*set)(const struct flag *flag, const char *text, void *field);
        size_t offset; /* of @field in the group's struct */
        int number; /* for flag_set_number() */
};

/* Setters of usual kinds of fields. */
int flag_set_true(const struct flag *flag, const char *text, void *field); /* bool */
int flag_set_number(
        const struct flag *flag, const char *text, void *field); /* int: becomes @number */
int flag_set_string(const struct flag *flag, const char *text, void *field); /* const char * */
int flag_add_string(const struct flag *flag, const char *text, void *field); /* struct strings */
int flag_set_count(
        const struct flag *flag, const char *text, void *field); /* unsigned, from 0 on */
/* uint32_t, in ms: "2s", "500ms", "1m30s", "2h"; a bare number is seconds, as in grpcurl: "0.5" */
int flag_set_time(const struct flag *flag, const char *text, void *field);
/* size_t: "4MiB", "64k", "100" bytes */
int flag_set_bytes(const struct flag *flag, const char *text, void *field);
/* int, a quoit_compression: "gzip" */
int flag_set_compression(const struct flag *flag, const char *text, void *field);

/* What flag_set_time() takes: the @size bytes at @text, in *@ret_ms. False, without a word: they are no time. */
bool flag_parse_time(const char *text, size_t size, double *ret_ms);

struct flag_group {
        const char *title; /* NULL ends a list */
        const struct flag *flags; /* ends with a name that is NULL */
        size_t offset; /* of the group's struct in the command's options */
};

/* What is no flag, in order. */
struct words {
        char **at;
        int count;
};

/*
 * Takes the flags of @argv, whose first one is the command's name, into @options. True, and the words are in *@ret_words; @argv is
 * rearranged. False: *@ret_status is the exit status, all has been said: an error, or --help.
 */
bool flags_parse(const struct command *command, int argc, char **argv, void *options,
        struct words *ret_words, int *ret_status);

/* Prints the flags of @groups on stdout, as --help has them. */
void flags_print(const struct flag_group *groups);
