/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "addresses.h"
#include "report.h"

/*
 * Looks up the name @place->host as Quoit's clients do, by /etc/hosts and DNS, for at most @timeout_ms, and says what is found. False:
 * there is no address; that is said too.
 */
bool dns_check(struct report *report, const struct place *place, unsigned timeout_ms,
        struct addresses *ret_addresses);
