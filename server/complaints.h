/* SPDX-License-Identifier: MIT */
#pragma once

/* What the log has been told once, and is not told again: a mistake of a program is made with each of its calls. */

#include <pthread.h>
#include <stdbool.h>

struct complaint;

struct complaints {
        pthread_mutex_t mutex;
        struct complaint *first;
};

void complaints_init(struct complaints *complaints);
void complaints_deinit(struct complaints *complaints);

/*
 * Whether this is the first time that @what, a static text, is said of @about, which is compared by its address. Any thread.
 * False where memory is short.
 */
bool complaints_add(struct complaints *complaints, const void *about, const char *what);
