/* SPDX-License-Identifier: MIT */
/* Many requests, one answer: a callback for each message, then one for the client's half-close. */
#include "guide.quoit.h"
#include "serve.h"

struct average {
        int64_t sum;
        int64_t count;
};

/* Its result is passed to the other callbacks of the call. */
static void *on_start(quoit_call *call, void *user)
{
        struct average *average = quoit_call_alloc(call, sizeof(*average)); /* zeroed */

        (void)user;
        if (!average)
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
        return average;
}

static void on_message(quoit_call *call, const guide_Number *number, void *state)
{
        struct average *average = state;

        /* a client can send INT64_MAX */
        if (__builtin_add_overflow(average->sum, guide_Number_value(number), &average->sum))
                quoit_call_finish(call, QUOIT_OUT_OF_RANGE, "the sum is out of range");
        average->count++;
}

static void on_half_close(quoit_call *call, void *state)
{
        const struct average *average = state;
        guide_Mean *reply = guide_Mean_new(quoit_call_scratch(call));

        if (reply) {
                guide_Mean_set_count(reply, average->count);
                guide_Mean_set_value(reply,
                        average->count > 0 ? (double)average->sum / (double)average->count : 0);
        }
        guide_Guide_Average_reply(call, reply);
}

static const guide_Guide_service service = {
        .Average = { .on_start = on_start,
                .on_message = on_message,
                .on_half_close = on_half_close },
};

int main(int argc, char **argv)
{
        quoit_server *server = example_server(NULL);

        return example_serve(
                server, guide_Guide_register(server, &service, NULL), example_address(argc, argv));
}
