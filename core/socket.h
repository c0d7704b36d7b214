/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/buffers.h"
#include "core/engine.h"
#include "core/op.h"
#include "core/ring.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

/*
 * A connected stream socket on a ring. Receives by one multishot operation into the ring's lent
 * buffers; has at most one send in flight, gathered from iovecs. Embedded in a connection; holds no
 * buffer of its own. All functions on the ring's thread; they only queue operations and never call
 * back themselves.
 */
struct socket;

struct socket_handler {
        /* @bytes live during the call only. At most one buffer; a turn may bring several, but
         * who brings more than SOCKET_BURST_MAX is held to one a turn from then on, a large one
         * (buffers_options.bulk), until that brings less than SOCKET_LITTLE_BYTES. */
        void (*on_data)(struct socket *socket, const unsigned char *bytes, size_t size);

        /* No more data will come: @error 0, the peer half-closed; else the negative errno that
         * ended receiving. At most once. Sending may still work after 0. */
        void (*on_receive_end)(struct socket *socket, int error);

        /* The send is over, its iovecs and bytes are the caller's again: 0, all went out; or a
         * negative errno. May send again from here. Also runs (with -ECANCELED or so) for a send
         * that socket_close interrupted. */
        void (*on_sent)(struct socket *socket, int error);

        /* The descriptor is closed, nothing is in flight: memory may go. Always last, once,
         * never from within socket_close. */
        void (*on_closed)(struct socket *socket);
};

enum {
        SOCKET_IOVECS_MAX = 1024, /* the kernel's UIO_MAXIOV */
        SOCKET_BURST_MAX = 2, /* buffers */
        SOCKET_LITTLE_BYTES = 1024,
};

enum socket_receive {
        SOCKET_RECEIVE_STOPPED, /* nothing in flight: not started yet, or paused */
        SOCKET_RECEIVE_ARMED, /* in flight: a multishot, or for one buffer */
        SOCKET_RECEIVE_CANCELLING, /* in flight, cancel asked for */
        SOCKET_RECEIVE_WAITING, /* queued for buffers */
        SOCKET_RECEIVE_ENDED, /* on_receive_end ran */
};

enum socket_life {
        SOCKET_OPEN,
        SOCKET_CANCELLING, /* socket_close asked: awaiting what is in flight */
        SOCKET_CLOSING, /* close in flight */
        SOCKET_CLOSED,
};

struct socket {
        struct ring *ring;
        struct buffers *buffers;
        const struct socket_handler *handler;
        struct engine_file file;
        struct receive_op receive_op;
        struct prompt_op send_op; /* also of a send that may wait */
        struct op cancel_op; /* cancel of the receive alone */
        struct op close_op; /* cancel of everything, then the close */
        struct buffers_waiter waiter;
        struct msghdr message; /* what is left of the send: msg_iov, msg_iovlen */
        enum socket_receive receive;
        enum socket_life life;
        uint8_t in_flight; /* operations of all kinds */
        uint8_t receive_burst; /* full buffers that came in receive_turn */
        uint16_t receive_turn; /* low bits of the ring's turns */
        bool receive_wanted;
        bool receive_greedy; /* brought a burst, and never little since: one bulk buffer a turn */
        bool receive_bulk; /* what is in flight was armed so */
        bool send_in_flight;
};

/* Takes over @fd (closes it in the end), which must not be O_NONBLOCK: io_uring would give
 * EAGAIN rather than wait. Does not receive yet: call socket_resume. @handler must outlive the
 * socket. */
void socket_init(struct socket *socket, struct ring *ring, struct buffers *buffers, int fd,
        const struct socket_handler *handler);

/* Starts receiving, or goes on after a pause. No-op when receiving, after its end and after
 * socket_close. */
void socket_resume(struct socket *socket);

/* Backpressure: stops taking bytes from the kernel, so that the peer's window fills. What the
 * kernel had completed already (all of the ring's buffers at most) may still arrive in on_data;
 * on_receive_end too. */
void socket_pause(struct socket *socket);

/* Sends all of @iovecs in order; partial sends go on by themselves. @iovecs (at most
 * SOCKET_IOVECS_MAX) and what they point to are the socket's until on_sent; the array is
 * altered. Asserts that none is in flight and the socket is open. Empty iovecs are fine, but the
 * whole must have at least a byte. @awaited: there is more to do when it has completed than to
 * give memory back; when not, on_sent comes when the ring has something else to wake up for. */
void socket_send(struct socket *socket, struct iovec *iovecs, size_t count, bool awaited);

static inline bool socket_is_sending(const struct socket *socket)
{
        return socket->send_in_flight;
}

/* By us: what the peer sends is not looked at. */
static inline bool socket_is_paused(const struct socket *socket)
{
        return !socket->receive_wanted;
}

static inline bool socket_is_open(const struct socket *socket)
{
        return socket->life == SOCKET_OPEN;
}

/* No more sends from us: the peer sees end of file behind what was sent. Call when no send is in
 * flight. */
void socket_half_close(struct socket *socket);

/* Ends everything, at once and unconditionally; on_closed follows. No on_data and no
 * on_receive_end any more. No-op when called again. A close with unread bytes makes the kernel
 * send RST, which may destroy the last bytes sent: for a friendly end half-close first and await
 * the peer's end of file, with a limit in time. */
void socket_close(struct socket *socket);
