/* SPDX-License-Identifier: MIT */
#pragma once

/* What was logged once and is not logged again: a program makes the same mistake with each of its calls. */

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
 * Whether this is the first time that @what, a static text, is logged about @about, which is compared by its address. False
 * also if memory is short. Any thread.
 */
bool complaints_add(struct complaints *complaints, const void *about, const char *what);
