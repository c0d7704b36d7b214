/* SPDX-License-Identifier: MIT */
#pragma once

/* Functions that are called when the server stops, and when it is freed: <quoit/hooks.h>. Added before the server runs. */

#include <stdbool.h>
#include <stddef.h>

#include <quoit/hooks.h>

struct hook;

struct hooks {
        struct hook *all;
        size_t count;
};

void hooks_stop(const struct hooks *hooks);

/* Calls on_free of each. Takes zeroed memory. */
void hooks_deinit(struct hooks *hooks);
