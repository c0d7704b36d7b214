/* SPDX-License-Identifier: MIT */
#pragma once

#include "call_options.h"
#include "connection.h"
#include "source.h"

/*
 * Makes the call: sends the messages of -d, prints what comes, until the end, or until SIGINT or SIGTERM cancels it. Returns the exit
 * status of the program.
 */
int call_run(const struct call_options *options, struct connection *connection,
        struct source *source, const struct source_method *method);
