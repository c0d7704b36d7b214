/* SPDX-License-Identifier: MIT */
#include "targets.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../file.h"
#include "cache.h"

enum { TARGETS_MAX = 30, TARGET_BYTES = 512 };

static const char file_name[] = "targets";

/* Appends it and a newline to the list. */
static size_t add(char *list, size_t used, const char *target, size_t size)
{
        memcpy(list + used, target, size);
        list[used + size] = '\n';
        return used + size + 1;
}

static bool is_first(const char *text, const char *target)
{
        size_t size = strlen(target);

        return strncmp(text, target, size) == 0 && text[size] == '\n';
}

/* @target, and those before without it. */
static void put_first(const char *path, const char *text, const char *target)
{
        char list[TARGETS_MAX * TARGET_BYTES];
        size_t own_size = strlen(target);
        size_t used = add(list, 0, target, own_size);

        for (int count = 1; *text && count < TARGETS_MAX; text += *text == '\n') {
                size_t size = strcspn(text, "\n");

                if (size > 0 && size < TARGET_BYTES &&
                        (size != own_size || strncmp(text, target, size) != 0)) {
                        used = add(list, used, text, size);
                        count++;
                }
                text += size;
        }
        (void)cache_write(path, list, used);
}

void targets_note(const char *target)
{
        char path[CACHE_PATH_BYTES];
        char *text = NULL;

        if (!isatty(STDERR_FILENO) || strlen(target) >= TARGET_BYTES || strchr(target, '\n') ||
                !cache_path(file_name, path))
                return;
        if (file_read(path, &text, NULL) < 0 || !is_first(text, target))
                put_first(path, text ? text : "", target);
        free(text);
}

/* @take gets each of them. */
static void walk(void (*take)(const char *target, void *user), void *user)
{
        char path[CACHE_PATH_BYTES];
        char *text = NULL, *rest, *target;

        if (!cache_path(file_name, path) || file_read(path, &text, NULL) < 0)
                return;
        rest = text;
        while ((target = strsep(&rest, "\n")))
                if (*target)
                        take(target, user);
        free(text);
}

static void offer_one(const char *target, void *user)
{
        offer(user, target, NULL);
}

void targets_offer(struct offers *offers)
{
        walk(offer_one, offers);
}

static void try_one(const char *target, void *user)
{
        nearest_try(user, target);
}

void targets_try(struct nearest *nearest)
{
        walk(try_one, nearest);
}
