/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client of the product on a ring of its own, which calls the servers: both ends of these connections are real. Chance decides which
 * addresses it has and how it balances, tries again, watches healths and limits itself; and which of its connections break.
 */

#include <stdbool.h>

#include <quoit/quoit.h>

/* What the run says. */
struct caller_setting {
        const bool *server_stops; /* the run's own is about to */
        const bool *server_is_over; /* then it ends, or earlier */
        unsigned servers; /* how many there are: fleet.h */
        bool is_secure, is_gentle;
};

/* Its thread: a struct caller_setting. */
void *caller_run(void *setting);

/* Its calls that end by themselves have ended. */
bool caller_is_served(void);

/* A handler begins with @call. Which of the client's it is, and *@ret_attempt of it, from 1; -1: none. */
int caller_note_served(const quoit_call *call, unsigned *ret_attempt);

/* Whether the call of that number is over. */
bool caller_has_ended(unsigned id);

/* After each turn: check_client.h. */
void caller_check(void);

/* Prints what it still waits for, for people. */
void caller_print(void);
