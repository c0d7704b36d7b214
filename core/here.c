/* SPDX-License-Identifier: MIT */
#include "core/here.h"

static _Thread_local bool turns_here;

const void *here_thread(void)
{
        return __builtin_thread_pointer();
}

bool here_turns(void)
{
        return turns_here;
}

void here_set_turns(bool turns)
{
        turns_here = turns;
}
