/* SPDX-License-Identifier: MIT */
#include "core/connector.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

static void give_up(struct connector *connector, int error)
{
        if (connector->error != 0)
                return;
        connector->error = error;
        connector->in_flight++;
        connector->ring->engine->cancel(
                connector->ring, &connector->file, &connector->cancel_op, &connector->connect_op);
}

static void on_limit(struct timer *timer)
{
        give_up(CONTAINER_OF(timer, struct connector, limit), -ETIMEDOUT);
}

/* Reports the result when the cancel, if there is one, has completed as well: then the memory may be freed. */
static void finish_when_idle(struct connector *connector)
{
        if (connector->in_flight > 0)
                return;
        timer_cancel(&connector->ring->timers, &connector->limit);
        connector->on_result(connector, connector->result);
}

static void on_connect_complete(struct op *op, struct completion completion)
{
        struct connector *connector = CONTAINER_OF(op, struct connector, connect_op);

        connector->in_flight--;
        if (completion.result < 0) {
                close(connector->file.fd);
                connector->result = connector->error != 0 ? connector->error : completion.result;
        }
        finish_when_idle(connector);
}

static void on_cancel_complete(struct op *op, struct completion completion)
{
        struct connector *connector = CONTAINER_OF(op, struct connector, cancel_op);

        (void)completion; /* the connect's completion has the result */
        connector->in_flight--;
        finish_when_idle(connector);
}

int connector_start(struct connector *connector, struct ring *ring, const struct sockaddr *address,
        socklen_t address_bytes, uint64_t deadline_ns, uint32_t unacknowledged_ms,
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
        if (address->sa_family != AF_UNIX && unacknowledged_ms > 0)
                (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms,
                        sizeof(unacknowledged_ms));
        *connector = (struct connector){
                .ring = ring,
                .connect_op.on_complete = on_connect_complete,
                .cancel_op.on_complete = on_cancel_complete,
                .result = fd,
                .in_flight = 1,
                .on_result = on_result,
        };
        engine_file_init(&connector->file, fd);
        memcpy(&connector->address, address, address_bytes);
        timer_init(&connector->limit);
        if (deadline_ns != TIMER_NEVER)
                timer_start(&ring->timers, &connector->limit, deadline_ns, on_limit);
        ring->engine->connect(ring, &connector->file, &connector->connect_op,
                (const struct sockaddr *)&connector->address, address_bytes);
        return 0;
}

void connector_cancel(struct connector *connector)
{
        assert(connector->in_flight > 0);
        give_up(connector, -ECANCELED);
}
