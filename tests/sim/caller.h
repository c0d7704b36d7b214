/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client of the product on a ring of its own, which calls the servers: both ends of these connections are real. Chance decides which
 * addresses it has and how it balances, tries again, watches healths and limits itself; and which of its connections break.
 */

#include <stdbool.h>

struct setting;

/* Before all threads of a run: nothing is left of the last one. */
void caller_prepare(const struct setting *setting);

/* Its thread. */
void *caller_run(void *unused);

/* Its calls that end by themselves have ended. */
bool caller_is_served(void);

/* After each turn: check_client.h. */
void caller_check(void);

/* Prints what it still waits for, for people. */
void caller_print(void);
