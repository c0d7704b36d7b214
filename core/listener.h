/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/engine.h"
#include "core/op.h"
#include "core/ring.h"
#include "core/timer.h"

#include <stdint.h>

/*
 * Accepts on a listening socket (core/bind.h makes them) with one multishot operation. When the
 * process or the machine runs out of descriptors or memory it pauses for LISTENER_BACKOFF_NS rather
 * than spin; the backlog waits meanwhile.
 */
#define LISTENER_BACKOFF_NS (100 * 1000 * 1000ull)

struct listener;

struct listener_handler {
        /* @fd is the callee's: connected, close-on-exec. @peer, who came, lives during the call. May call
         * listener_stop. */
        void (*on_accept)(struct listener *listener, int fd, const struct endpoint *peer);

        /* Accepting failed with @error (negative errno) and is tried again after the pause. For
         * a log line; may be NULL. */
        void (*on_backoff)(struct listener *listener, int error);

        /* After listener_stop: the descriptor is closed, nothing in flight. Last, once. */
        void (*on_closed)(struct listener *listener);
};

enum listener_state {
        LISTENER_ACCEPTING,
        LISTENER_BACKING_OFF,
        LISTENER_STOPPING, /* awaiting what is in flight */
        LISTENER_CLOSING, /* close in flight */
        LISTENER_CLOSED,
};

struct listener {
        struct ring *ring;
        const struct listener_handler *handler;
        struct accept_op accept_op;
        struct op stop_op;
        struct timer backoff;
        struct engine_file file;
        enum listener_state state;
        uint8_t in_flight;
};

/* Starts accepting on @fd, which it takes over; its flag O_NONBLOCK does not matter. Several rings
 * may listen on dups of one socket or each on its own (SO_REUSEPORT), other processes too, whatever they run on.
 * @handler must outlive it. */
void listener_start(struct listener *listener, struct ring *ring, int fd,
        const struct listener_handler *handler);

/* Stops accepting; on_closed follows in a later turn. Connections that were accepted in the same
 * turn may still come to on_accept before it: none is lost. Calling it again is a no-op. */
void listener_stop(struct listener *listener);
