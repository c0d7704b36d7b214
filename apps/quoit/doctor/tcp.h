/* SPDX-License-Identifier: MIT */
#pragma once

#include "addresses.h"
#include "report.h"

/* Connects. A descriptor, which does not block, and belongs to the caller; or a negative errno: -ETIMEDOUT after @timeout_ms. */
int tcp_connect(const struct address *address, unsigned timeout_ms);

/*
 * Connects to each address, one after the other, and says how that went. The first that can be connected to; NULL: none.
 */
const struct address *tcp_check(
        struct report *report, const struct addresses *addresses, unsigned timeout_ms);
