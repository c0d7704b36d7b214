/* SPDX-License-Identifier: MIT */
#pragma once

/* The line on a terminal that says how a run goes. */

#include <stdbool.h>
#include <stdint.h>

#include "plan.h"

struct worker;

struct progress {
        bool is_shown;   /* stderr is a terminal */
        bool has_line;   /* there is one on it */
        double seconds;  /* of the whole run, with the warm-up; INFINITY: it has no time */
        uint64_t calls;  /* of the whole run; PLAN_UNLIMITED */
        uint64_t warmup_ns;
        uint64_t begin_ns; /* 0: it has not begun */
        uint64_t done;     /* when it was last shown, */
        uint64_t now_ns;   /* and that was then */
};

void progress_init(struct progress *progress, const struct plan *plan);

static inline bool progress_is_shown(const struct progress *progress)
{
        return progress->is_shown;
}

/* It begins, on CLOCK_MONOTONIC. */
void progress_begin(struct progress *progress, uint64_t begin_ns);

/* What the @count @workers are at. Nothing if it is no terminal, or soon after the last time. */
void progress_show(struct progress *progress, struct worker *workers, unsigned count);

/* The terminal is as it was. */
void progress_clear(struct progress *progress);
