/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <quoit/client.h>
#include <quoit/server.h>

#include "option.h"

struct trace_options {
        const char *
                endpoint; /* a collector's; NULL: as OpenTelemetry's environment says, else no spans */
};

/* Of a struct trace_options. */
extern const struct option_entry trace_options[];

/* Sends spans of the calls of @server, and of those of @channel (NULL: there is none). False: it failed, and the error was logged. */
bool trace_start(quoit_server *server, quoit_channel *channel, const struct trace_options *options);

/* After the end of both: sends the spans that are left. */
void trace_stop(void);
