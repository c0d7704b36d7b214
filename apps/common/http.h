/* SPDX-License-Identifier: MIT */
#pragma once

/* What the program answers to operators' plain HTTP: probes and metrics. */

#include <stdbool.h>

#include <quoit/quoit.h>

#include "option.h"

struct http_options {
        const char *admin; /* an address for operators alone; NULL: none */
        bool metrics; /* /metrics on the others too */
};

/* Of a struct http_options. */
extern const struct option_entry http_options[];

/*
 * Before the server starts. @health: NULL: without. @channel: whose calls /metrics has too; NULL: none. 0, or a negative errno, which
 * quoit_server_problem() explains.
 */
int http_begin(quoit_server *server, quoit_health *health, quoit_channel *channel,
        const struct http_options *options);

/* Behind the end of both. */
void http_end(void);
