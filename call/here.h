/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which thread has a call. The functions of a call take no lock: called on another thread they would break it, some time
 * later and somewhere else. So each of them asks first, which is one comparison, and refuses with a line in the log.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include "call/call.h"

/* Tells the log, once for a method and a function, that @function was called on a thread that does not own the call. */
void call_refuse_thread(const struct quoit_call *call, const char *function);

/* Whether the calling thread has @call: that of its ring, or the worker that it is lent to. If not, the log is told. */
static inline bool call_is_here(const struct quoit_call *call, const char *function)
{
        if (__builtin_expect(atomic_load_explicit(&call->thread, memory_order_relaxed) ==
                                     __builtin_thread_pointer(),
                    true))
                return true;
        call_refuse_thread(call, function);
        return false;
}
