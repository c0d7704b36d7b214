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
        /*
         * @bytes live during the call only. At most one buffer. A turn can bring several, but after more than SOCKET_BURST_MAX
         * the socket gets only one large buffer a turn (buffers_options.bulk), until that brings less than SOCKET_LITTLE_BYTES.
         */
        void (*on_data)(struct socket *socket, const unsigned char *bytes, size_t size);

        /*
         * No more data will arrive: @error 0, the peer half-closed; else the negative errno that ended receiving. At most once.
         * Sending may still work after 0.
         */
        void (*on_receive_end)(struct socket *socket, int error);

        /*
         * The send is over, its iovecs and bytes belong to the caller again: 0, all was sent; or a negative errno. May send
         * again from here. Also runs (with -ECANCELED or similar) for a send that socket_close interrupted.
         */
        void (*on_sent)(struct socket *socket, int error);

        /* The descriptor is closed, nothing is in flight: memory may be freed. Always last, once,
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
        struct msghdr message; /* the rest of the send: msg_iov, msg_iovlen */
        enum socket_receive receive;
        enum socket_life life;
        uint8_t in_flight; /* operations of all kinds */
        uint8_t receive_burst; /* full buffers that arrived in receive_turn */
        uint16_t receive_turn; /* low bits of the ring's turns */
        bool receive_wanted;
        bool receive_greedy; /* brought a burst, and never little since: one bulk buffer a turn */
        bool receive_bulk; /* the receive in flight uses a bulk buffer */
        bool send_in_flight;
};

/* Takes over @fd (closes it in the end), which must not be O_NONBLOCK: io_uring would return EAGAIN and not wait. Does not receive yet: call socket_resume. @handler must outlive the
 * socket. */
void socket_init(struct socket *socket, struct ring *ring, struct buffers *buffers, int fd,
        const struct socket_handler *handler);

/* Starts receiving, or goes on after a pause. No-op when receiving, after its end and after
 * socket_close. */
void socket_resume(struct socket *socket);

/* Receives into @buffers of the same size from the next receive on: when these are used `once`, with the next bytes. */
void socket_use_buffers(struct socket *socket, struct buffers *buffers);

/*
 * Backpressure: stops taking bytes from the kernel, so that the peer's window fills. Bytes that the kernel has completed
 * already (at most all of the ring's buffers) can still arrive in on_data; on_receive_end too.
 */
void socket_pause(struct socket *socket);

/* Sends all of @iovecs in order; partial sends go on by themselves. @iovecs (at most
 * SOCKET_IOVECS_MAX) and what they point to are the socket's until on_sent; the array is altered. Asserts that none is in
 * flight and the socket is open. Empty iovecs are fine, but the whole must have at least a byte. @awaited: something waits for
 * the completion. If not, on_sent runs when the ring wakes up for something else. */
void socket_send(struct socket *socket, struct iovec *iovecs, size_t count, bool awaited);

static inline bool socket_is_sending(const struct socket *socket)
{
        return socket->send_in_flight;
}

/* Whether we have paused receiving. */
static inline bool socket_is_paused(const struct socket *socket)
{
        return !socket->receive_wanted;
}

/* Whether no more bytes will arrive, as on_receive_end has said. */
static inline bool socket_has_ended(const struct socket *socket)
{
        return socket->receive == SOCKET_RECEIVE_ENDED;
}

/* Whether bytes may have arrived that we have not read, for lack of a buffer. */
static inline bool socket_awaits_buffer(const struct socket *socket)
{
        return socket->receive == SOCKET_RECEIVE_WAITING;
}

static inline bool socket_is_open(const struct socket *socket)
{
        return socket->life == SOCKET_OPEN;
}

/* No more sends from us: the peer sees end of file after what was sent. Call when no send is in
 * flight. */
void socket_half_close(struct socket *socket);

/* Ends everything, at once and unconditionally; on_closed follows. No on_data and no
 * on_receive_end any more. No-op when called again. A close with unread bytes makes the kernel send RST, which can destroy the
 * last bytes sent: for a clean end half-close first and wait for the peer's end of file, with a time limit. */
void socket_close(struct socket *socket);
