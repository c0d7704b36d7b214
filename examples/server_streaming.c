/* SPDX-License-Identifier: MIT */
/*
 * Many answers, as fast as the client reads them and in bounded memory: a pump sends while there is
 * room, and runs again when there is room again.
 */
#include "guide.quoit.h"
#include "serve.h"

static void pump(quoit_call *call, void *state)
{
        int64_t *next = state;

        while (*next >= 0 && quoit_call_writable(call)) {
                guide_Number *number = guide_Number_new(quoit_call_scratch(call));

                if (number)
                        guide_Number_set_value(number, (*next)--);
                if (guide_Guide_Countdown_send(call, number) < 0)
                        return; /* the call is over, and has its status */
        }
        if (*next < 0)
                quoit_call_finish(call, QUOIT_OK, NULL);
}

static void countdown(quoit_call *call, const guide_Number *from, void *user)
{
        int64_t *next = quoit_call_alloc(call, sizeof(*next)); /* lives as long as the call */

        (void)user;
        if (!next) {
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return;
        }
        *next = guide_Number_value(from);
        quoit_call_pump(call, pump, next);
}

static const guide_Guide_service service = { .Countdown = countdown };

int main(int argc, char **argv)
{
        quoit_server *server = example_server(NULL);

        return example_serve(
                server, guide_Guide_register(server, &service, NULL), example_address(argc, argv));
}
