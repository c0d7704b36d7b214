/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <stdio.h>
#include <string.h>

#include "../fibers.h"
#include "core/poison.h"

#ifdef POISON_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

static struct {
        struct plan plan;
        uint64_t counts[SIDES][SIM_KINDS];
        bool has_fired;
} now;

static void show(void)
{
        fprintf(stderr, "sweep: here %s %s fails\n", plan_side_name(now.plan.side),
                plan_kind_name(now.plan.kind));
#ifdef POISON_ASAN
        sim_own_begin();
        __sanitizer_print_stack_trace();
        sim_own_end();
#endif
}

static bool decide(enum sim_kind kind)
{
        enum side side = fiber_side();
        uint64_t nth;

        if (side == SIDE_NONE || sim.own_depth > 0)
                return false;
        nth = ++now.counts[side][kind];
        if (now.plan.at == 0 || side != now.plan.side || kind != now.plan.kind)
                return false;
        if (now.plan.goes_on ? nth < now.plan.at : nth != now.plan.at)
                return false;
        if (now.plan.is_shown && !now.has_fired)
                show();
        now.has_fired = true;
        return true;
}

void plan_begin(const struct plan *plan)
{
        memset(&now, 0, sizeof(now));
        now.plan = *plan;
        sim.plan = decide;
}

const struct plan *plan_now(void)
{
        return &now.plan;
}

bool plan_has_fired(void)
{
        return now.has_fired;
}

uint64_t plan_count(enum side side, enum sim_kind kind)
{
        return now.counts[side][kind];
}

const char *plan_side_name(enum side side)
{
        return side == SIDE_SERVER ? "server" : "client";
}

const char *plan_kind_name(enum sim_kind kind)
{
        return kind == SIM_ALLOCATION ? "allocation" : "operation";
}
