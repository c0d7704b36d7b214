/* SPDX-License-Identifier: MIT */
#include "core/connector.h"
#include "core/sqe.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

static struct io_uring_sqe *connector_sqe(struct connector *connector, struct op *op)
{
        connector->in_flight++;
        return ring_sqe(connector->ring, op);
}

static void give_up(struct connector *connector, int error)
{
        if (connector->error != 0)
                return;
        connector->error = error;
        io_uring_prep_cancel(
                connector_sqe(connector, &connector->cancel_op), &connector->connect_op, 0);
}

static void on_limit(struct timer *timer)
{
        give_up(CONTAINER_OF(timer, struct connector, limit), -ETIMEDOUT);
}

/* The result is told when the cancel, if there is one, has been answered as well: then the
 * memory may go. */
static void finish_when_idle(struct connector *connector)
{
        int result = connector->fd;

        if (connector->in_flight > 0)
                return;
        timer_cancel(&connector->ring->timers, &connector->limit);
        connector->on_result(connector, result);
}

static void on_connect_complete(struct op *op, int res, uint32_t flags)
{
        struct connector *connector = CONTAINER_OF(op, struct connector, connect_op);

        (void)flags;
        connector->in_flight--;
        if (res < 0) {
                close(connector->fd);
                connector->fd = connector->error != 0 ? connector->error : res;
        }
        finish_when_idle(connector);
}

static void on_cancel_complete(struct op *op, int res, uint32_t flags)
{
        struct connector *connector = CONTAINER_OF(op, struct connector, cancel_op);

        (void)res; /* the connect's own completion tells */
        (void)flags;
        connector->in_flight--;
        finish_when_idle(connector);
}

int connector_start(struct connector *connector, struct ring *ring, const struct sockaddr *address,
        socklen_t address_bytes, uint64_t deadline_ns,
        void (*on_result)(struct connector *connector, int result))
{
        int fd, one = 1;

        if (address_bytes > sizeof(connector->address))
                return -EINVAL;
        fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (address->sa_family != AF_UNIX)
                (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        *connector = (struct connector){
                .ring = ring,
                .connect_op.on_complete = on_connect_complete,
                .cancel_op.on_complete = on_cancel_complete,
                .fd = fd,
                .on_result = on_result,
        };
        memcpy(&connector->address, address, address_bytes);
        timer_init(&connector->limit);
        if (deadline_ns != TIMER_NEVER)
                timer_start(&ring->timers, &connector->limit, deadline_ns, on_limit);
        io_uring_prep_connect(connector_sqe(connector, &connector->connect_op), fd,
                (const struct sockaddr *)&connector->address, address_bytes);
        return 0;
}

void connector_cancel(struct connector *connector)
{
        assert(connector->in_flight > 0);
        give_up(connector, -ECANCELED);
}
