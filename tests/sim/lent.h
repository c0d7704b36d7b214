/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client of the product on the rings of the run's own server: handlers call the servers of the fleet, for the calls that they have,
 * or for nobody.
 */

#include <stdbool.h>

#include <quoit/client.h>
#include <quoit/server.h>

#include "choice.h"

struct made;

/* Before @server starts. Without memory there is no client. */
void lent_begin(quoit_server *server, const struct setting *setting);

/* When the server has ended, before or after it is freed. No-op if it never began. */
void lent_end(void);

/*
 * Whether a handler is to call now, on the thread of a ring: the place of that call (made.h), for lent_call(). NULL: it is not, or
 * there is no such client.
 */
struct made *lent_draw(void);

/* All its rings know that the faults are over. */
bool lent_is_calm(void);

/* 0, or as quoit_outcall_start(). */
int lent_call(struct made *made);

/* The same on a worker, a unary one: waits for its end. */
void lent_call_blocking(struct made *made);

/* A thread of its own: changes the name; in calm times it gives up what does not end by itself. */
void *lent_run(void *unused);

/* After each turn: check_client.h. */
void lent_check(void);

/* Prints what it still waits for, for people. */
void lent_print(void);
