/* SPDX-License-Identifier: MIT */
#pragma once

/* Carries a plan out: its threads, from the first connection to the last answer. */

#include "plan.h"
#include "tally.h"

struct run_result {
        struct tally tally; /* of all threads */
        bool is_interrupted; /* by SIGINT or SIGTERM, before its time */
        quoit_error error;   /* a thread could not connect, or its ring broke; QUOIT_OK: none */
};

/*
 * Returns when all is over, or after SIGINT or SIGTERM; a second one ends the process. Shows its progress on stderr, if that is a terminal.
 * Nothing was measured if *@ret_result has an error and no calls. 0, and the tally is to be freed; or a negative errno. Raises
 * RLIMIT_NOFILE.
 */
int run_plan(struct plan *plan, struct run_result *ret_result);
