/* SPDX-License-Identifier: MIT */
#include "walk.h"

#include <stdlib.h>
#include <string.h>

/* Where the flags of the group are kept; NULL: nowhere. */
static void *place_of(struct walk *walk, const struct flag_group *group)
{
        if (group->flags == connection_flags)
                return &walk->connection;
        if (group->flags == metadata_flags)
                return &walk->metadata;
        if (group->flags == schema_flags)
                return &walk->schema;
        return NULL;
}

/* Whether @word, "--cacert", "-cacert=FILE" or "-d", is that flag. */
static bool is_flag(const struct flag *flag, const char *word)
{
        const char *name = word + strspn(word, "-");
        size_t size = strcspn(name, "=");

        if (flag->letter && word[1] == flag->letter && word[2] == '\0')
                return true;
        return strlen(flag->name) == size && strncmp(flag->name, name, size) == 0;
}

static void set(const struct flag *flag, const char *text, void *place)
{
        if (place && (text || !flag->argument))
                (void)flag->set(flag, text, (char *)place + flag->offset);
}

/* The flag @word, with @next behind it. True: that is its value. */
static bool take_flag(struct walk *walk, const char *word, const char *next)
{
        const char *value = strchr(word, '=');
        const struct flag_group *group = walk->command->groups;

        for (; group && group->title; group++)
                for (const struct flag *flag = group->flags; flag->name; flag++) {
                        if (!is_flag(flag, word))
                                continue;
                        if (value || !flag->argument) {
                                set(flag, value ? value + 1 : NULL, place_of(walk, group));
                                return false;
                        }
                        if (next)
                                set(flag, next, place_of(walk, group));
                        else
                                walk->flag = flag;
                        return next != NULL;
                }
        return false;
}

void walk_init(struct walk *ret_walk, int count, char **words)
{
        struct walk walk = { .words.at = calloc((size_t)count + 1, sizeof(char *)) };

        if (count > 0)
                walk.command = command_find(words[0]);
        for (int i = 1; walk.words.at && walk.command && i < count; i++) {
                if (words[i][0] != '-' || words[i][1] == '\0')
                        walk.words.at[walk.words.count++] = words[i];
                else if (take_flag(&walk, words[i], i + 1 < count ? words[i + 1] : NULL))
                        i++;
        }
        *ret_walk = walk;
}

void walk_deinit(struct walk *walk)
{
        metadata_flags_deinit(&walk->metadata);
        schema_flags_deinit(&walk->schema);
        free(walk->words.at);
}

/* "SYMBOL..." */
static bool is_repeated(const char *text, size_t size)
{
        return size > 3 && strncmp(text + size - 3, "...", 3) == 0;
}

void walk_kind(const struct command *command, int at, char *ret_kind, size_t size)
{
        const char *text = command->synopsis;

        *ret_kind = '\0';
        while (*text) {
                size_t word = strcspn(text, " []");

                if (word > 0 && word < size && strncmp(text, "FLAGS", word) != 0 &&
                        (at-- == 0 || is_repeated(text, word))) {
                        memcpy(ret_kind, text, word);
                        ret_kind[word] = '\0';
                        return;
                }
                text += word;
                text += strspn(text, " []");
        }
}
