/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An engine without a kernel, only for the simulator (tests/sim), not part of the library. The simulator's program links it in
 * place of epoll's. Clock, randomness, sockets and their peers are simulated, all from one seed: the same seed gives the same
 * run, event by event.
 */

#include "core/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_NEVER UINT64_MAX

/* --- the world: core/engine/sim_world.c --- */

/* What can randomly happen to an operation. */
enum sim_fault {
        SIM_LATE, /* it ends some time after it could have */
        SIM_SHORT, /* it sends or receives only a part */
        SIM_ERROR, /* it ends with an error that the kernel can return */
        SIM_NO_BUFFERS, /* a receive finds none */
        SIM_ENDED, /* a multishot ends with a result */
        SIM_REORDERED, /* completions of a turn are delivered in another order than they were due */
        SIM_SPURIOUS, /* a wait ends without a reason, also that for a condition variable */
        SIM_OVERSLEPT, /* the machine was suspended for a while */
        SIM_POST_FAILED, /* a ring cannot reach another one */
        SIM_NO_MEMORY, /* malloc() or mmap() fails */
        SIM_PREEMPTED, /* a thread stops where it takes a lock */
        SIM_PEER_ENDED, /* the rest are the peers': half-close, */
        SIM_PEER_RESET, /* reset of the connection, */
        SIM_PEER_STALLED, /* no reading and no writing for a while, */
        SIM_PEER_FLOODED, /* many useless frames */
        SIM_PEER_BROKE, /* bytes that break the protocol */
        SIM_STREAM_RESET, /* RST_STREAM of calls that run */
        SIM_CUT, /* the network between a client and a server of the product: a connection is reset, */
        SIM_MUTE, /* or nothing arrives any more on it */
        SIM_FAULTS,
};

/* What a sweep lets fail, one after the other: tests/sim/sweep. */
enum sim_kind { SIM_ALLOCATION, SIM_OPERATION, SIM_KINDS };

struct sim_world {
        uint64_t seed;
        uint64_t chance; /* the state of the random generator */
        uint64_t hash; /* of all events: equal runs have equal hashes */
        uint64_t now_ns;
        uint64_t steps; /* in this run */
        bool is_traced;
        bool is_calm; /* no more faults: everything that was begun must end well */
        uint16_t rates[SIM_FAULTS]; /* how likely, of 1000 */
        uint64_t counts[SIM_FAULTS]; /* how often, in all runs */
        bool (*plan)(enum sim_kind
                        kind); /* in place of chance: whether this one fails. NULL: chance decides */
        unsigned
                own_depth; /* the simulator's own code runs in a thread of the library: no faults in it */
        uint32_t delay_us_max; /* how long an operation takes that is not late */
};

extern struct sim_world sim;

/*
 * Enclose allocations of the simulator itself. The barrier is there because compilers assume that malloc() reads no variable of
 * ours; here it does.
 */
static inline void sim_own_begin(void)
{
        sim.own_depth++;
        __asm__ volatile("" ::: "memory");
}

static inline void sim_own_end(void)
{
        __asm__ volatile("" ::: "memory");
        sim.own_depth--;
}

void sim_begin(uint64_t seed);

uint64_t sim_random(void);

/* From 0 to @count - 1. */
static inline uint64_t sim_below(uint64_t count)
{
        return count > 0 ? sim_random() % count : 0;
}

static inline bool sim_chance(unsigned of_1000)
{
        return of_1000 > 0 && sim_below(1000) < of_1000;
}

/* Whether @fault happens now; it is counted and traced. */
bool sim_fault(enum sim_fault fault);
const char *sim_fault_name(enum sim_fault fault);

/* Whether a call of the system fails which has no fault of its own: only by a plan. */
bool sim_call_fails(void);

/* Records an event: a static name, and a value that distinguishes it from others of that name. */
void sim_note(const char *what, uint64_t one, uint64_t other);

/* The simulated code has a bug: prints it with the seed and the command to replay it, and ends the program. */
_Noreturn void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The time at which an operation that can go on now does so. */
uint64_t sim_soon_ns(void);

/* The calling thread waits until the time @due_ns(@arg). In tests/sim/fibers.c. */
void sim_block(uint64_t (*due_ns)(const void *arg), const void *arg);

/* --- connections and their peers: core/engine/sim_net.c --- */

struct sim_pipe {
        uint8_t *bytes;
        size_t first, size, room; /* its bytes begin at @first */
        size_t size_max; /* the most bytes that can be on their way */
        bool ended; /* no more bytes will be added */
};

struct sim_op;
struct sim_conn;

struct sim_file {
        bool is_open;
        struct sim_conn *conn; /* NULL: it listens, or was connected to nobody */
        bool has_dialed; /* it is the other end of that */
        struct list backlog; /* connections that wait to be accepted */
        struct sim_op *in, *out; /* in flight */
        bool is_foreign; /* another library's, which the simulator plays the kernel for: only awaited */
        uint64_t readable_ns; /* of such a one: since when, or from when on; SIM_NEVER: it is not */
};

struct sim_conn {
        struct list link; /* in a backlog */
        unsigned id;
        struct sim_file *file; /* the server's, once it was accepted */
        struct sim_file *dialer; /* the other end, where the product has that too: a client's */
        bool file_is_closed, dialer_is_closed;
        struct sim_pipe up, down;
        int reset; /* by either side: the errno that the product sees; 0: it was not */
        bool was_refused; /* nobody will accept it */
        uint64_t mute_ns; /* nothing arrives at either end since then; 0: all does */
        uint64_t missed_ns; /* and a client waits for something since then; 0: it does not */
};

void sim_net_begin(void);
void sim_net_end(void);

/* A descriptor to listen on, at one of SIM_SERVERS places. */
int sim_listen(unsigned place);

/* The same with @fd, which the product has made. */
void sim_listen_with(unsigned place, int fd);

/* NULL: nobody listens. */
struct sim_conn *sim_connect(int listener_fd);

/* Returns how much was sent or received. */
size_t sim_peer_write(struct sim_conn *conn, const void *bytes, size_t size);
size_t sim_peer_read(struct sim_conn *conn, void *bytes, size_t size_max);
void sim_peer_end(struct sim_conn *conn);
void sim_peer_reset(struct sim_conn *conn);

/* The peer sends no more. */
bool sim_peer_is_ended(const struct sim_conn *conn);

/* NULL: it is not the simulator's, or is closed. */
struct sim_file *sim_file(int fd);
int sim_file_new(struct sim_conn *conn);
void sim_file_close(struct sim_file *file);

/* A foreign one, and when there will be something to read. */
int sim_foreign_new(void);
void sim_foreign_set(struct sim_file *file, uint64_t readable_ns);
void sim_file_shutdown(struct sim_file *file);

/* Where a connect of the product's leads. Of those that answer nobody is at the other end. */
enum sim_reach { SIM_ANSWERS, SIM_REFUSES, SIM_SILENT, SIM_REACHES, SIM_SERVES };

/*
 * The port says it. At SIM_SERVER_PORT the last byte of the address does: SIM_FIRST_HOST is where the listener of the first place is,
 * those below it are the next places'.
 */
#define SIM_SERVER_PORT 443u
#define SIM_FIRST_HOST 254u
#define SIM_SERVERS 3u
enum sim_reach sim_reach(const struct sockaddr *address);

/* @file is connected to the listener at @address. False: nobody listens there. */
bool sim_dialed(struct sim_file *file, const struct sockaddr *address);

/* Breaks a connection with the product at both ends, which chance chooses. @is_mute: its ends do not notice. */
void sim_break(bool is_mute);

/* Those that are mute are reset. */
void sim_heal(void);

/* What @file receives from, and sends to. */
static inline struct sim_pipe *sim_pipe_in(const struct sim_file *file)
{
        return file->has_dialed ? &file->conn->down : &file->conn->up;
}

static inline struct sim_pipe *sim_pipe_out(const struct sim_file *file)
{
        return file->has_dialed ? &file->conn->up : &file->conn->down;
}

/* The product's at the other end of @file; NULL: there is none. */
static inline struct sim_file *sim_other_end(const struct sim_file *file)
{
        return file->has_dialed ? file->conn->file : file->conn->dialer;
}

/* The product at the other end has closed it, so that nobody will read what @file sends: that resets the connection. */
bool sim_is_deserted(const struct sim_file *file);
void sim_desert(struct sim_file *file);

/* A descriptor to wake a ring by. */
int sim_wake_new(void);
bool sim_wake_is(int fd);
void sim_wake(int fd);

/* @bytes: NULL leaves them undefined. */
void sim_pipe_push(struct sim_pipe *pipe, const void *bytes, size_t size);
void sim_pipe_pop(struct sim_pipe *pipe, void *bytes, size_t size);
void sim_pipe_drop(struct sim_pipe *pipe, size_t size);

static inline uint8_t *sim_pipe_bytes(const struct sim_pipe *pipe)
{
        return pipe->bytes + pipe->first;
}

/* --- operations: core/engine/sim.c and sim_verbs.c --- */

/* @op, which can be NULL, waited and can go on now. */
void sim_op_touch(struct sim_op *op);

/* @op, which can be NULL, goes on at that time. */
void sim_op_set_due(struct sim_op *op, uint64_t due_ns);

/* Its descriptor is about to be closed: it ends as if it were cancelled. */
void sim_op_forget(struct sim_op *op);

/* For a foreign loop: waits until @ring's descriptor, @fd, is readable. */
void sim_poll(int fd);

/* When that will be. */
uint64_t sim_poll_due_ns(int fd);

/* How many operations are in flight on @ring, and on @file. */
unsigned sim_ring_ops(const struct ring *ring);
unsigned sim_file_ops(const struct ring *ring, const struct sim_file *file);
