/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client of the product on a ring of its own, which calls the server: both ends of these connections are real. It checks that each
 * call ends once, that what it receives is what was asked for, and that the server runs no call twice.
 */

#include <stdbool.h>

#include <quoit/quoit.h>

/* Its thread, until *@server_is_over or earlier. */
void *caller_run(void *server_is_over);

/* Its calls that end by themselves have ended. */
bool caller_is_served(void);

/* A handler begins with @call, which may be one of the client's. */
void caller_note_served(const quoit_call *call);

/* Prints what it still waits for, for people. */
void caller_print(void);
