/* SPDX-License-Identifier: MIT */
#include "core/readiness.h"

#include <assert.h>
#include <errno.h>

static void arm(struct readiness *readiness)
{
        readiness->is_armed = true;
        readiness->ring->engine->await(
                readiness->ring, &readiness->file, &readiness->op, readiness->events);
}

/* Also when the await has completed: the engine then forgets the descriptor. */
static void disarm(struct readiness *readiness)
{
        if (readiness->is_cancelled)
                return;
        readiness->is_cancelled = true;
        readiness->ring->engine->cancel(
                readiness->ring, &readiness->file, &readiness->cancel_op, &readiness->op);
}

/* Nothing is in flight: it ends, or waits again. */
static void go_on(struct readiness *readiness)
{
        if (readiness->is_armed || readiness->is_cancelled || readiness->tells)
                return;
        if (readiness->ends)
                readiness->on_end(readiness);
        else if (!readiness->is_refused)
                arm(readiness);
}

/* What the owner hears of it; an error is told as readiness, and the owner finds it there. */
static uint32_t events_of(const struct readiness *readiness, int result)
{
        uint32_t told = result < 0 ? EPOLLERR : (uint32_t)result;

        return told & (EPOLLERR | EPOLLHUP) ? readiness->events : told & readiness->events;
}

static void on_complete(struct op *op, struct completion completion)
{
        struct readiness *readiness = CONTAINER_OF(op, struct readiness, op);
        bool was_cancelled = completion.result == -ECANCELED;
        uint32_t events = was_cancelled ? 0 : events_of(readiness, completion.result);

        readiness->is_armed = false;
        readiness->is_refused = completion.result < 0 && !was_cancelled;
        /* cancelled for other events: if it is ready the next one tells */
        if (!readiness->ends && !readiness->is_cancelled && events != 0) {
                readiness->tells = true;
                readiness->on_ready(readiness, events);
                readiness->tells = false;
        }
        go_on(readiness);
}

static void on_cancelled(struct op *op, struct completion completion)
{
        struct readiness *readiness = CONTAINER_OF(op, struct readiness, cancel_op);

        (void)completion; /* the await's own says what became of it */
        readiness->is_cancelled = false;
        go_on(readiness);
}

void readiness_start(struct readiness *readiness, struct ring *ring, int fd, uint32_t events,
        void (*on_ready)(struct readiness *readiness, uint32_t events),
        void (*on_end)(struct readiness *readiness))
{
        *readiness = (struct readiness){
                .ring = ring,
                .op.on_complete = on_complete,
                .cancel_op.on_complete = on_cancelled,
                .events = events,
                .on_ready = on_ready,
                .on_end = on_end,
        };
        engine_file_init(&readiness->file, fd);
        arm(readiness);
}

void readiness_set(struct readiness *readiness, uint32_t events)
{
        assert(events != 0 && !readiness->ends);
        if (events == readiness->events)
                return;
        readiness->events = events;
        if (readiness->is_armed)
                disarm(readiness);
}

void readiness_end(struct readiness *readiness)
{
        assert(!readiness->ends);
        readiness->ends = true;
        disarm(readiness);
}
