/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/engine.h"
#include "core/op.h"
#include "core/ring.h"
#include "core/timer.h"

#include <stdint.h>

/*
 * Accepts on a listening socket (core/bind.h makes them), at most ACCEPTS_A_TURN connections in a turn; more wait in the backlog.
 * When the process or the machine runs out of descriptors or memory it pauses for LISTENER_BACKOFF_NS rather than spin.
 */
#define LISTENER_BACKOFF_NS (100 * 1000 * 1000ull)

struct listener;

struct listener_handler {
        /*
         * @fd now belongs to the callee: connected, close-on-exec. @peer, its address, lives during the call. May call
         * listener_stop.
         */
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

/*
 * Starts accepting on @fd, which it takes over, with or without O_NONBLOCK. Several rings can listen on dups of one socket or
 * each on its own (SO_REUSEPORT); other processes too, with any engine. @handler must outlive it.
 */
void listener_start(struct listener *listener, struct ring *ring, int fd,
        const struct listener_handler *handler);

/*
 * Stops accepting; on_closed follows in a later turn. on_accept may still run before it, for connections that were accepted in
 * the same turn: none is lost. Calling it again is a no-op.
 */
void listener_stop(struct listener *listener);
