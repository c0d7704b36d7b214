/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client of the product with threads of its own, and threads that call by it and wait: unary calls and streams. Streams are cancelled
 * and written by other threads than the one that reads. At its end the channel is freed, and the client, while some of them wait.
 */

/* Its owner's thread: a struct setting (choice.h). */
void *blocking_run(void *setting);

struct quoit_channel;
struct made;

/* A unary call from this thread, which waits. */
void blocking_call(struct made *made, struct quoit_channel *channel);

/* After each turn: check_client.h. */
void blocking_check(void);

/* Prints what it still waits for, for people. */
void blocking_print(void);
