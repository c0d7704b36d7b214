/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Inside the simulated engine: the verbs' side of it (sim_verbs.c), and what a ring has of it (sim.c). The simulator's program uses
 * sim.h.
 */

#include "core/engine/sim.h"

#include <stdbool.h>
#include <stdint.h>

enum kind {
        SEND,
        RECEIVE,
        ACCEPT,
        DONE, /* its result is known, and delivered when it is due */
        CONNECT,
        AWAIT,
};

struct sim_op {
        struct list link; /* in its ring */
        struct ring *ring;
        struct op *op;
        struct sim_file *file;
        const struct msghdr *message; /* of a send */
        const struct sockaddr *address; /* of a connect */
        uint64_t due_ns; /* when it can go on; SIM_NEVER: it waits for the other end */
        int result;
        uint32_t events; /* of an await */
        enum kind kind;
        bool once;
        bool is_cancelled;
};

/* The state of a ring. This engine takes the place of epoll. */
struct epoll {
        struct list ops;
        uint64_t alarm_ns;
        uint64_t woken_ns; /* when the last wake arrives; SIM_NEVER: there was none */
        uint64_t until_ns; /* how long the ring waits */
};

/* ---- sim_verbs.c ---- */

/* @op completes with @result, when it is due. */
void sim_done(struct ring *ring, struct op *op, int result);

/* @own is due: it goes on or ends. */
void sim_complete(struct sim_op *own);

void sim_receive(struct ring *ring, struct engine_file *file, struct receive_op *op, bool once);
void sim_accept(struct ring *ring, struct engine_file *file, struct accept_op *accept);
void sim_send(
        struct ring *ring, struct engine_file *file, struct op *op, const struct msghdr *message);
void sim_send_prompt(struct ring *ring, struct engine_file *file, struct prompt_op *op,
        const struct msghdr *message);
void sim_dial(struct ring *ring, struct engine_file *file, struct op *op,
        const struct sockaddr *address, socklen_t address_bytes);
void sim_await(struct ring *ring, struct engine_file *file, struct op *op, uint32_t events);
void sim_cancel(struct ring *ring, struct engine_file *file, struct op *op, struct op *target);
void sim_cancel_all(struct ring *ring, struct engine_file *file, struct op *op);
void sim_close_file(struct ring *ring, struct engine_file *file, struct op *op);
int sim_buffers_open(struct buffers *buffers);
void sim_buffers_close(struct buffers *buffers);
void sim_buffers_give(struct buffers *buffers, unsigned id);
