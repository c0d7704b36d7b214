/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Those who want to hear of the server's end: <quoit/hooks.h>. Filled before the server runs.
 */

#include <stdbool.h>
#include <stddef.h>

#include <quoit/hooks.h>

struct hook;

struct hooks {
        struct hook *all;
        size_t count;
};

void hooks_stop(const struct hooks *hooks);

/* Tells them to free what is theirs. Takes zeroed memory. */
void hooks_deinit(struct hooks *hooks);
