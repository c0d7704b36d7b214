/* SPDX-License-Identifier: MIT */
#pragma once

#include "../connection_flags.h"
#include "report.h"

/* Looks at the server at @target from the outside to the inside: names, addresses, TLS, HTTP/2, gRPC. A layer that fails ends it. */
void target_check(struct report *report, const struct connection_flags *flags, const char *target);
