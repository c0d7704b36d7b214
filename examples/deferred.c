/* SPDX-License-Identifier: MIT */
/*
 * An answer that is sent later, by a thread of the program's own: the handler holds the call, the thread posts a function to
 * it, and that function runs on the call's ring and answers.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "guide.quoit.h"
#include "serve.h"

struct work {
        quoit_call *call;
        char text[64]; /* the thread's result */
};

/* On the ring: here functions of the call can be used. */
static void answer(quoit_call *call, void *arg)
{
        struct work *work = arg;
        guide_Greeting *reply = guide_Greeting_new(quoit_call_scratch(call));

        if (reply)
                guide_Greeting_set_text(reply, upb_StringView_FromString(work->text));
        guide_Guide_Greet_reply(call, reply); /* ends the hold */
}

/* On the thread: here only quoit_call_post() can be used. */
static void *make_answer(void *arg)
{
        struct work *work = arg;

        usleep(50 * 1000);
        snprintf(work->text, sizeof(work->text), "That took a while.");
        while (quoit_call_post(work->call, answer, work) == -ENOMEM)
                usleep(10 *
                        1000); /* nobody but the ring can finish the call: try until there is memory */
        return NULL;
}

static void greet(quoit_call *call, const guide_Name *request, void *user)
{
        struct work *work = quoit_call_alloc(call, sizeof(*work));
        pthread_t thread;

        (void)request;
        (void)user;
        if (!work) {
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return;
        }
        work->call = call;
        quoit_call_hold(call);
        if (pthread_create(&thread, NULL, make_answer, work) != 0)
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "no thread to be had");
        else
                pthread_detach(thread);
}

static const guide_Guide_service service = { .Greet = greet };

int main(int argc, char **argv)
{
        quoit_server *server = example_server(NULL);

        return example_serve(
                server, guide_Guide_register(server, &service, NULL), example_address(argc, argv));
}
