/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client of the product with threads of its own, and threads that call by it and wait: unary calls and streams. Streams are cancelled
 * and written by other threads than the one that reads. At its end the channel is freed, and the client, while some of them wait.
 */

#include <stdbool.h>

struct setting;

/* Before all threads of a run: nothing is left of the last one. */
void blocking_prepare(const struct setting *setting);

/* Its owner's thread. */
void *blocking_run(void *unused);

struct quoit_channel;
struct made;

/* A unary call from this thread, which waits. */
void blocking_call(struct made *made, struct quoit_channel *channel);

/* Its calls that end by themselves have ended. */
bool blocking_is_served(void);

/* After each turn: check_client.h. */
void blocking_check(void);

/* Prints what it still waits for, for people. */
void blocking_print(void);
