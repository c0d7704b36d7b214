/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Handlers of all four kinds that do what their request says, and check the life of their calls.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/health.h>
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
        ACT_AGAIN, /* UNAVAILABLE, until it was tried again often enough; then as ACT_ANSWER */
        ACT_BREAK, /* UNAVAILABLE, once the answer has begun */
        ACTS,
};

/* Whether calls that ask for @act end by themselves. */
bool act_ends(enum act act);

/* How often ACT_AGAIN fails, of a request with this `count`; and whether it says that it will fail for ever, with this `size`. */
static inline unsigned service_failures(uint32_t count)
{
        return count % 4;
}

static inline bool service_forbids_retries(uint32_t size)
{
        return size % 8 == 2;
}

/* Chooses what is the same at all servers of a run. */
void service_begin(void);

/* 0, or -ENOMEM. *@ret_health: of the service "script.Script", which is SERVING. */
int service_register(quoit_server *server, quoit_health **ret_health);

/* What chance adds to a server's @options: what works the same with or without. */
void service_choose(quoit_server_options *options);

/* Their `on_log`. */
void service_on_log(void *user, quoit_log_level level, const char *line);

/* From a thread of its own: answers one of the calls that wait for a post. False: there is none. */
bool service_post(void);
unsigned service_waiting(void);

/* After each turn: checks that cancellations are delivered. */
void service_check(void);

/* Each call that has begun has ended, once. */
void service_end(void);
