/* SPDX-License-Identifier: MIT */
/* A handler that blocks, like a database query: it runs on a worker thread, and the ring goes on. */
#include <time.h>

#include "guide.quoit.h"
#include "serve.h"

static void greet(quoit_call *call, const guide_Name *request, void *user)
{
        const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
        upb_StringView name = guide_Name_name(request);
        guide_Greeting *reply = guide_Greeting_new(quoit_call_scratch(call));

        (void)user;
        nanosleep(&pause, NULL);
        if (quoit_call_cancelled(call))
                return; /* the client does not wait any more; the call ends by itself */
        if (reply)
                guide_Greeting_set_text(reply,
                        quoit_call_format(call, "Good morning %.*s!", (int)name.size, name.data));
        guide_Guide_Greet_reply(call, reply);
}

static const guide_Guide_service service = { .Greet = greet };

int main(int argc, char **argv)
{
        /* ten calls of 100 ms at a time */
        quoit_server *server = example_server(&(quoit_server_options){ .workers = 10 });
        int r = guide_Guide_register(server, &service, NULL);

        if (r == 0)
                r = quoit_server_set_method(
                        server, "/guide.Guide/Greet", &(quoit_method_options){ .offload = true });
        return example_serve(server, r, example_address(argc, argv));
}
