/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Handlers of all four kinds that do what their request says, and check the life of their calls.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/quoit.h>

/* What a request asks for. */
enum act {
        ACT_ANSWER, /* at once; a stream as there is room */
        ACT_AFTER, /* `count` milliseconds later */
        ACT_POST, /* once another thread has posted to it */
        ACT_HOLD, /* when it is cancelled: never by itself */
        ACT_FAIL,
        ACT_AT_STOP, /* when the server stops */
        ACT_ENDLESS, /* a stream without an end; else as ACT_HOLD */
        ACT_BURST, /* all of a stream at once, whether there is room or not */
        ACTS,
};

/* Whether calls that ask for @act end by themselves. */
bool act_ends(enum act act);

void service_begin(quoit_server *server);

/* From a thread of its own: answers one of the calls that wait for a post. False: there is none. */
bool service_post(void);
unsigned service_waiting(void);

/* After each turn: checks that cancellations are delivered. */
void service_check(void);

/* Each call that has begun has ended, once. */
void service_end(void);
