/* SPDX-License-Identifier: MIT */
#include "core/engine/epoll.h"
#include "core/clock.h"
#include "core/usdt.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

/*
 * The engine without io_uring. A send is tried at once, because it mostly fits. Other operations are tried in the harvest, when
 * epoll has reported their file. An operation that has ended keeps its result itself until the next harvest. So operations need
 * no memory, and none can be lost.
 */

void epoll_deliver(struct ring *ring, struct op *op, int result)
{
        struct epoll *epoll = ring->epoll;

        op->next = NULL;
        op->result = result;
        *epoll->done_end = op;
        epoll->done_end = &op->next;
}

static struct op *take_done(struct epoll *epoll)
{
        struct op *done = epoll->done;

        epoll->done = NULL;
        epoll->done_end = &epoll->done;
        return done;
}

/* --- life --- */

static int watch_own(struct epoll *epoll, int fd, void *mark)
{
        /* Edge-triggered: its counter need never be read. */
        struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = mark };

        return epoll_ctl(epoll->fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_descriptors(struct ring *ring)
{
        struct epoll *epoll = ring->epoll;
        int r;

        epoll->fd = epoll_create1(EPOLL_CLOEXEC);
        if (epoll->fd < 0)
                return -errno;
        epoll->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (epoll->timer_fd < 0)
                return -errno;
        r = watch_own(epoll, ring->wake_fd, NULL);
        return r < 0 ? r : watch_own(epoll, epoll->timer_fd, epoll);
}

static int epoll_open(struct ring *ring, const struct ring_options *options)
{
        struct epoll *epoll = malloc(sizeof(*epoll));

        (void)options; /* there are no queues whose sizes could be set */
        if (!epoll)
                return -ENOMEM;
        epoll->fd = -1;
        epoll->timer_fd = -1;
        epoll->alarm_ns = TIMER_NEVER;
        epoll->event_count = 0;
        (void)take_done(epoll);
        list_init(&epoll->due);
        ring->epoll = epoll;
        return open_descriptors(ring);
}

static void epoll_end(struct ring *ring)
{
        (void)ring; /* it has no operations of its own */
}

static void epoll_close(struct ring *ring)
{
        struct epoll *epoll = ring->epoll;

        if (!epoll)
                return;
        if (epoll->timer_fd >= 0)
                close(epoll->timer_fd);
        if (epoll->fd >= 0)
                close(epoll->fd);
        free(epoll);
        ring->epoll = NULL;
}

/* --- the turn --- */

/*
 * One timer in the kernel serves all timers, as on io_uring. It is set anew only when the next one is earlier, which is rare. A
 * time limit for each wait would need the clock before it, and would not wake a foreign loop, which waits itself.
 */
static void epoll_alarm(struct ring *ring, uint64_t time_ns)
{
        struct epoll *epoll = ring->epoll;
        struct itimerspec timer = { .it_value = clock_timespec(time_ns) };

        if (time_ns >= epoll->alarm_ns)
                return;
        epoll->alarm_ns = time_ns;
        (void)timerfd_settime(epoll->timer_fd, TFD_TIMER_ABSTIME, &timer, NULL);
}

/* As epoll_wait(). That one counts in milliseconds, so ppoll() waits first where there is a time limit. */
static int wait_for_events(struct epoll *epoll, uint64_t timeout_ns)
{
        struct pollfd pollfd = { .fd = epoll->fd, .events = POLLIN };
        struct timespec timeout = clock_timespec(timeout_ns);
        bool is_timed = timeout_ns > 0 && timeout_ns < RING_FOREVER;

        if (is_timed && ppoll(&pollfd, 1, &timeout, NULL) < 0)
                return -1;
        return epoll_wait(
                epoll->fd, epoll->events, EPOLL_EVENTS_MAX, timeout_ns == RING_FOREVER ? -1 : 0);
}

static bool epoll_is_idle(const struct ring *ring)
{
        const struct epoll *epoll = ring->epoll;

        return !epoll->done && list_is_empty(&epoll->due) && epoll->event_count < EPOLL_EVENTS_MAX;
}

static int epoll_engine_wait(struct ring *ring, uint64_t timeout_ns)
{
        struct epoll *epoll = ring->epoll;
        int count = wait_for_events(epoll, epoll_is_idle(ring) ? timeout_ns : 0);

        if (count < 0 && errno != EINTR) {
                ring->refused_call = REFUSAL_CALL_OTHER;
                return -errno;
        }
        epoll->event_count = count < 0 ? 0 : count;
        return 0;
}

static void note_events(struct ring *ring)
{
        struct epoll *epoll = ring->epoll;

        for (int i = 0; i < epoll->event_count; i++) {
                void *mark = epoll->events[i].data.ptr;

                if (mark == epoll)
                        epoll->alarm_ns = TIMER_NEVER;
                else if (mark)
                        epoll_note(ring, mark, epoll->events[i].events);
        }
}

static void epoll_harvest(struct ring *ring)
{
        struct epoll *epoll = ring->epoll;
        struct list due, *link;
        struct op *done;

        note_events(ring); /* before any callback: it may free a file */
        ring_deliver_prompt(ring);
        QUOIT_PROBE(completions, ring, (unsigned)epoll->event_count);
        /* Only those that are here now: operations that callbacks start are for the next turn. */
        done = take_done(epoll);
        list_init(&due);
        list_splice(&due, &epoll->due);
        while (done) {
                struct op *op = done;

                done = op->next;
                epoll_queue_result(ring, op, (struct completion){ .result = op->result });
        }
        while ((link = list_pop(&due)))
                epoll_try_operations(ring, CONTAINER_OF(link, struct engine_file, due));
}

static void epoll_post(struct ring *from, struct ring *to)
{
        (void)from;
        ring_wake(to);
}

static int epoll_poll(struct ring *ring)
{
        return ring->epoll->fd;
}

const struct engine_verbs engine_epoll = {
        .open = epoll_open,
        .end = epoll_end,
        .close = epoll_close,
        .alarm = epoll_alarm,
        .wait = epoll_engine_wait,
        .harvest = epoll_harvest,
        .now = system_now,
        .now_coarse = system_now_coarse,
        .random = system_random,
        .receive = epoll_receive,
        .send = epoll_send,
        .send_prompt = epoll_send_prompt,
        .accept = epoll_accept,
        .refuse = system_refuse,
        .connect = epoll_connect,
        .await = epoll_await,
        .cancel = epoll_cancel,
        .cancel_all = epoll_cancel_all,
        .close_file = epoll_close_file,
        .post = epoll_post,
        .poll = epoll_poll,
        .is_idle = epoll_is_idle,
        .buffers_open = epoll_buffers_open,
        .buffers_close = epoll_buffers_close,
        .buffers_give = epoll_buffers_give,
};
