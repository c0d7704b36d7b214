/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/engine.h"
#include "core/op.h"
#include "core/ring.h"
#include "core/timer.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* One attempt to connect a stream socket, with a limit in time. Embedded; reusable after its
 * end. */
struct connector {
        struct ring *ring;
        struct op connect_op;
        struct op cancel_op;
        struct timer limit;
        struct sockaddr_storage address; /* the kernel reads it */
        struct engine_file file;
        int result; /* the descriptor, or the error that the connect ended with */
        int error; /* why we cancelled */
        uint8_t in_flight;

        /* @result: the connected descriptor, which now belongs to the callee (TCP_NODELAY set, ready for
         * socket_init), or a negative errno: that of connect(2), -ETIMEDOUT after the
         * deadline, -ECANCELED. Once for each start, never from within connector_start or
         * connector_cancel; nothing is in flight any more. */
        void (*on_result)(struct connector *connector, int result);
};

/*
 * Connects to @address (copied). @deadline_ns on the ring's clock, TIMER_NEVER: only the kernel's own limit. @unacknowledged_ms: when
 * TCP gives the connection up, for what was sent and not acknowledged (TCP_USER_TIMEOUT); 0: as the kernel does. A negative errno
 * when the socket cannot be made; on_result does not run then.
 */
int connector_start(struct connector *connector, struct ring *ring, const struct sockaddr *address,
        socklen_t address_bytes, uint64_t deadline_ns, uint32_t unacknowledged_ms,
        void (*on_result)(struct connector *connector, int result));

/* Gives up: on_result follows with -ECANCELED, or with a connection if that came first. Only
 * between start and result. */
void connector_cancel(struct connector *connector);
