/* SPDX-License-Identifier: MIT */
#pragma once

/* The details of a status: a google.rpc.Status in the trailer grpc-status-details-bin, whose messages are of any type. */

#include "call_report.h"

/* A line for each on stderr. */
void error_details_say(struct report *report, const struct outcome *outcome);

/* A list of JSON on stdout; [] if there are none. */
void error_details_write(struct report *report, const struct outcome *outcome);

/* The status as a google.rpc.Status on stderr, as JSON. */
void error_details_print_status(struct report *report, const struct outcome *outcome);
