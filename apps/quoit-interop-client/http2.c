/* SPDX-License-Identifier: MIT */

/* With a server that does the case's wrong, or unusual, thing to each call. */

#include "cases.h"

#define MAX_STREAMS_CALLS 10

bool goaway(struct run *run)
{
        return large_unary(run) && large_unary(run);
}

static bool expect_failure(struct run *run)
{
        struct talk talk = unary_talk(large_request(run));

        run_start(run, &talk);
        talk_wait(&talk);
        if (talk.status == QUOIT_OK)
                return run_fail(run, "the call is OK, though the server reset it");
        return run_expect_replies(run, &talk, NULL, 0);
}

bool rst_after_header(struct run *run)
{
        return expect_failure(run);
}

bool rst_during_data(struct run *run)
{
        return expect_failure(run);
}

bool rst_after_data(struct run *run)
{
        return expect_failure(run);
}

bool ping(struct run *run)
{
        return large_unary(run);
}

bool max_streams(struct run *run)
{
        struct talk talks[MAX_STREAMS_CALLS];
        bool ok = large_unary(run); /* the server's limit has arrived with its answer */

        for (int i = 0; i < MAX_STREAMS_CALLS; i++) {
                talks[i] = unary_talk(large_request(run));
                run_start(run, talks + i);
        }
        for (int i = 0; i < MAX_STREAMS_CALLS; i++) {
                talk_wait(talks + i);
                ok = ok && run_expect_status(run, talks + i, QUOIT_OK) &&
                     run_expect_replies(run, talks + i, (const int64_t[]){ LARGE_REPLY_BYTES }, 1);
        }
        return ok;
}
