/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which thread has a call. The functions of a call take no lock: on another thread they would corrupt the call, and the damage
 * would show later, elsewhere. So each function checks first, with one comparison, and refuses with a line in the log.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include "call/call.h"

/* Logs, once for a method and a function, that @function was called on a thread that does not have the call. */
void call_refuse_thread(const struct quoit_call *call, const char *function);

/* Whether the calling thread, its ring's or the worker that it is lent to, has @call. If not, logs it. */
static inline bool call_is_here(const struct quoit_call *call, const char *function)
{
        if (__builtin_expect(
                    atomic_load_explicit(&call->thread, memory_order_relaxed) == here_thread(),
                    true))
                return true;
        call_refuse_thread(call, function);
        return false;
}
