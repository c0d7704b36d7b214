/* SPDX-License-Identifier: MIT */
#include "call/here.h"

void call_refuse_thread(const struct quoit_call *call, const char *function)
{
        const struct call_host *host = call_host_of(call);

        if (host->on_wrong_thread)
                host->on_wrong_thread(call, function);
}
