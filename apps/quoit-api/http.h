/* SPDX-License-Identifier: MIT */
#pragma once

/* What the program answers to plain HTTP: probes, metrics, and which sites' pages may call it. */

#include <quoit/quoit.h>

#include "options.h"

/* @health: NULL: without. 0, or a negative errno, which quoit_server_problem() explains. */
int http_begin(quoit_server *server, quoit_health *health, const struct options *options);

/* Behind the server's end. */
void http_end(void);
