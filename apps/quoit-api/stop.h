/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <quoit/health.h>
#include <quoit/server.h>

#include "predecessor.h"

/*
 * SIGTERM and SIGINT end the program at any time: before it serves, at once, whatever it waits for, with status 0; later by
 * quoit_server_stop(). With a lame-duck time, that stop begins when the time is over: meanwhile everything is served, listeners
 * included, but health is NOT_SERVING. One more signal ends that time.
 */

struct stop_options {
        unsigned lame_duck_ms; /* 0: none */
        quoit_health *health; /* NULL: there is none */
        const struct predecessor *predecessor; /* gets stops too */
};

/* Begins to handle the signals. 0 or a negative errno. */
int stop_begin(void);

/* The server serves: a stop lets calls finish. What @options point to must stay valid. */
void stop_gracefully(quoit_server *server, const struct stop_options *options);

/*
 * Stops like a signal, for a signal that another process got and has forwarded. This process may have got the same one itself,
 * for example by killall(1): so the larger of the two numbers counts. From any thread.
 */
void stop_forwarded(void);

/* The server has ended: the signals do nothing any more. No-op if it never began. */
void stop_end(void);
