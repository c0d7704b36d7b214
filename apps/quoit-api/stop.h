/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <quoit/health.h>
#include <quoit/server.h>

#include "predecessor.h"

/*
 * SIGTERM and SIGINT end the program, at whatever time they come: before it serves at once, whatever it waits for, with
 * status 0; then as quoit_server_stop() has it. With a lame-duck time that begins when this is over: meanwhile all is
 * served, listeners included, but its health is NOT_SERVING. One more signal ends that time.
 */

struct stop_options {
        unsigned lame_duck_ms; /* 0: none */
        quoit_health *health; /* NULL: nobody is told */
        const struct predecessor *predecessor; /* is told too */
};

/* From here on they do. 0 or a negative errno. */
int stop_begin(void);

/* There are calls now that may finish. What @options point to stays. */
void stop_gracefully(quoit_server *server, const struct stop_options *options);

/*
 * As a signal does, for one that somebody else was sent and has passed on. The same one may have come here by itself, as by
 * killall(1): of those sent to us and those passed on the larger number counts. From any thread.
 */
void stop_told(void);

/* The server has ended: they do nothing any more. Harmless where it never began. */
void stop_end(void);
