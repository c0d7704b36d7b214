/* SPDX-License-Identifier: MIT */
#include "core/engine/sim.h"
#include "core/clock.h"
#include "core/engine/sim_op.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define RINGS_MAX 16

static struct ring *rings[RINGS_MAX];

/* --- waking --- */

void sim_wake(int fd)
{
        for (unsigned i = 0; i < RINGS_MAX; i++) {
                struct ring *ring = rings[i];

                if (!ring || ring->wake_fd != fd)
                        continue;
                sim_note("wakes ring", i, ring->epoll->woken_ns != SIM_NEVER);
                if (ring->epoll->woken_ns == SIM_NEVER)
                        ring->epoll->woken_ns = sim_soon_ns();
        }
}

static void on_posted(struct op *op, struct completion completion)
{
        if (completion.result < 0)
                ring_wake(CONTAINER_OF(op, struct ring, post_op));
}

/* As on io_uring, where it can fail; then the sender gets the error. */
static void sim_post(struct ring *from, struct ring *to)
{
        if (sim_fault(SIM_POST_FAILED)) {
                sim_done(from, &to->post_op, -ENOMEM);
                return;
        }
        if (to->epoll && to->epoll->woken_ns == SIM_NEVER)
                to->epoll->woken_ns = sim_soon_ns();
        sim_done(from, &to->post_op, 0);
}

/* --- life --- */

static int sim_open(struct ring *ring, const struct ring_options *options)
{
        unsigned i = 0;

        (void)options;
        ring->epoll = malloc(sizeof(*ring->epoll));
        if (!ring->epoll)
                return -ENOMEM;
        *ring->epoll = (struct epoll){
                .alarm_ns = SIM_NEVER,
                .woken_ns = SIM_NEVER,
                .until_ns = SIM_NEVER,
        };
        list_init(&ring->epoll->ops);
        ring->post_op.on_complete = on_posted;
        while (rings[i])
                i++;
        assert(i < RINGS_MAX);
        rings[i] = ring;
        return 0;
}

static void sim_end(struct ring *ring)
{
        (void)ring; /* it has no operations of its own */
}

static void sim_close(struct ring *ring)
{
        for (unsigned i = 0; i < RINGS_MAX; i++)
                if (rings[i] == ring)
                        rings[i] = NULL;
        if (ring->epoll && !list_is_empty(&ring->epoll->ops))
                sim_fail("a ring is closed while operations are in flight");
        free(ring->epoll);
        ring->epoll = NULL;
}

/* --- the turn --- */

static void sim_alarm(struct ring *ring, uint64_t time_ns)
{
        if (time_ns < ring->epoll->alarm_ns)
                ring->epoll->alarm_ns = time_ns;
}

static uint64_t earlier(uint64_t one_ns, uint64_t other_ns)
{
        return one_ns < other_ns ? one_ns : other_ns;
}

static uint64_t ring_due_ns(const void *arg)
{
        const struct ring *ring = arg;
        const struct epoll *own = ring->epoll;
        uint64_t due_ns = earlier(earlier(own->alarm_ns, own->woken_ns), own->until_ns);

        for (const struct list *link = own->ops.next; link != &own->ops; link = link->next)
                due_ns = earlier(due_ns, CONTAINER_OF(link, struct sim_op, link)->due_ns);
        return due_ns;
}

static int sim_wait(struct ring *ring, uint64_t timeout_ns)
{
        struct epoll *own = ring->epoll;

        if (sim_fault(SIM_SPURIOUS))
                timeout_ns = sim_below(timeout_ns < NS_PER_S ? timeout_ns + 1 : NS_PER_S);
        own->until_ns = clock_after_ns(sim.now_ns, timeout_ns);
        sim_block(ring_due_ns, ring);
        if (own->woken_ns <= sim.now_ns)
                own->woken_ns = SIM_NEVER;
        if (own->alarm_ns <= sim.now_ns)
                own->alarm_ns = SIM_NEVER;
        own->until_ns = SIM_NEVER;
        return 0;
}

/* --- in a foreign loop --- */

static int sim_poll_open(struct ring *ring)
{
        ring->epoll->until_ns = SIM_NEVER; /* it does not wait any more */
        return ring->wake_fd;
}

static bool sim_is_idle(const struct ring *ring)
{
        return ring_due_ns(ring) > sim.now_ns;
}

static struct ring *polled(int fd)
{
        for (unsigned i = 0; i < RINGS_MAX; i++) {
                if (rings[i] && rings[i]->wake_fd == fd)
                        return rings[i];
        }
        sim_fail("descriptor %d is polled, which is no ring's", fd);
}

uint64_t sim_poll_due_ns(int fd)
{
        return ring_due_ns(polled(fd));
}

void sim_poll(int fd)
{
        struct ring *ring = polled(fd);

        ring->epoll->until_ns = SIM_NEVER;
        sim_block(ring_due_ns, ring);
}

static void sim_harvest(struct ring *ring)
{
        struct list batch, *link, *next, *ops = &ring->epoll->ops;

        ring_deliver_prompt(ring);
        list_init(&batch);
        for (link = ops->next; link != ops; link = next) {
                next = link->next;
                if (CONTAINER_OF(link, struct sim_op, link)->due_ns > sim.now_ns)
                        continue;
                list_remove(link);
                list_append(
                        !list_is_empty(&batch) && sim_fault(SIM_REORDERED) ? batch.next : &batch,
                        link);
        }
        /* Operations that callbacks start are for the next turn: they are queued behind, in the ring's own list. */
        while (!list_is_empty(&batch))
                sim_complete(CONTAINER_OF(batch.next, struct sim_op, link));
}

static uint64_t sim_now(void)
{
        return sim.now_ns;
}

static int sim_random_bytes(void *bytes, size_t size)
{
        for (size_t i = 0; i < size; i++)
                ((unsigned char *)bytes)[i] = (unsigned char)sim_random();
        return 0;
}

unsigned sim_ring_ops(const struct ring *ring)
{
        const struct list *ops = &ring->epoll->ops;
        unsigned count = 0;

        for (const struct list *link = ops->next; link != ops; link = link->next)
                count++;
        return count;
}

unsigned sim_file_ops(const struct ring *ring, const struct sim_file *file)
{
        const struct list *ops = &ring->epoll->ops;
        unsigned count = 0;

        for (const struct list *link = ops->next; link != ops; link = link->next)
                count += CONTAINER_OF(link, struct sim_op, link)->file == file;
        return count;
}

const struct engine_verbs engine_epoll = {
        .open = sim_open,
        .end = sim_end,
        .close = sim_close,
        .alarm = sim_alarm,
        .wait = sim_wait,
        .harvest = sim_harvest,
        .now = sim_now,
        .now_coarse = sim_now,
        .random = sim_random_bytes,
        .receive = sim_receive,
        .send = sim_send,
        .send_prompt = sim_send_prompt,
        .accept = sim_accept,
        .connect = sim_dial,
        .await = sim_await,
        .cancel = sim_cancel,
        .cancel_all = sim_cancel_all,
        .close_file = sim_close_file,
        .refuse = system_refuse,
        .post = sim_post,
        .poll = sim_poll_open,
        .is_idle = sim_is_idle,
        .buffers_open = sim_buffers_open,
        .buffers_close = sim_buffers_close,
        .buffers_give = sim_buffers_give,
};
