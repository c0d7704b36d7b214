/* SPDX-License-Identifier: MIT */
#include "core/buffers.h"
#include "core/engine/sim_op.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#define RESULTS_A_TURN 8 /* of a multishot, at most */

/* --- operations --- */

void sim_op_touch(struct sim_op *op)
{
        if (op && op->due_ns == SIM_NEVER)
                op->due_ns = sim_soon_ns();
}

void sim_op_set_due(struct sim_op *op, uint64_t due_ns)
{
        if (op)
                op->due_ns = due_ns;
}

static struct sim_op *op_new(struct ring *ring, struct op *op, enum kind kind)
{
        struct sim_op *own;

        sim_own_begin();
        own = malloc(sizeof(*own));
        sim_own_end();
        assert(own);
        *own = (struct sim_op){ .ring = ring, .op = op, .kind = kind, .due_ns = sim_soon_ns() };
        list_init(&own->link);
        list_append(&ring->epoll->ops, &own->link);
        ring->ops_in_flight++;
        return own;
}

void sim_done(struct ring *ring, struct op *op, int result)
{
        op_new(ring, op, DONE)->result = result;
}

static struct sim_file *file_of(const struct engine_file *file)
{
        struct sim_file *own = sim_file(file->fd);

        if (!own)
                sim_fail("an operation on descriptor %d, which is closed", file->fd);
        return own;
}

/* The last completion of @own. It is freed before the callback, which may free its object. */
static void finish(struct sim_op *own, struct completion completion)
{
        struct ring *ring = own->ring;
        struct op *op = own->op;

        sim_note("ends", (uint64_t)own->kind, (uint64_t)(int64_t)completion.result);
        if (own->file && own->file->in == own)
                own->file->in = NULL;
        if (own->file && own->file->out == own)
                own->file->out = NULL;
        list_remove(&own->link);
        free(own);
        ring->stats.completions++;
        ring_complete(ring, op, completion);
}

static void fail(struct sim_op *own, int error)
{
        finish(own, (struct completion){ .result = -error });
}

/* Puts it back among the operations in flight; it can go on if @again. */
static void park(struct sim_op *own, bool again)
{
        list_remove(&own->link);
        list_append(&own->ring->epoll->ops, &own->link);
        own->due_ns = again || own->is_cancelled ? sim_soon_ns() : SIM_NEVER;
}

static size_t shorten(size_t size)
{
        return size > 1 && sim_fault(SIM_SHORT) ? 1 + sim_below(size) : size;
}

/* --- receiving --- */

/* Buffers that are not lent. Which one is lent next is random. */
struct pool {
        unsigned count;
        uint16_t ids[];
};

int sim_buffers_open(struct buffers *buffers)
{
        struct pool *pool = calloc(1, sizeof(*pool) + buffers->count * sizeof(*pool->ids));

        if (!pool)
                return -ENOMEM;
        buffers->lendable = pool;
        return 0;
}

void sim_buffers_close(struct buffers *buffers)
{
        free(buffers->lendable);
}

void sim_buffers_give(struct buffers *buffers, unsigned id)
{
        struct pool *pool = buffers->lendable;

        if (pool->count == buffers->count)
                sim_fail("a buffer was given back twice");
        pool->ids[pool->count++] = (uint16_t)id;
}

static unsigned char *lend(struct buffers *buffers)
{
        struct pool *pool = buffers->lendable;
        uint64_t at = sim_below(pool->count < 4 ? pool->count : 4); /* few, to touch few pages */
        unsigned id = pool->ids[pool->count - 1 - at];

        pool->ids[pool->count - 1 - at] = pool->ids[pool->count - 1];
        pool->count--;
        return buffers_borrow(buffers, id);
}

static bool has_buffers(const struct buffers *buffers)
{
        return ((struct pool *)buffers->lendable)->count > 0 && !sim_fault(SIM_NO_BUFFERS);
}

static int receive_error(void)
{
        static const int errors[] = { ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENOMEM, EINTR, ENETDOWN,
                ENOBUFS };

        return errors[sim_below(sizeof(errors) / sizeof(*errors))];
}

/* True: @own has ended. */
static bool receive_ends(struct sim_op *own)
{
        const struct sim_conn *conn = own->file->conn;
        const struct sim_pipe *pipe = sim_pipe_in(own->file);
        int error = 0;

        if (own->is_cancelled && (pipe->size == 0 || sim_chance(500)))
                error = ECANCELED;
        else if (conn->reset)
                error = conn->reset;
        else if (sim_fault(SIM_ERROR))
                error = receive_error();
        else if (pipe->size > 0 || !pipe->ended)
                return false;
        fail(own, error);
        return true;
}

static void receive(struct sim_op *own)
{
        struct buffers *buffers = CONTAINER_OF(own->op, struct receive_op, op)->buffers;
        struct sim_pipe *pipe = sim_pipe_in(own->file);

        if (own->file->conn->mute_ns > 0 && !own->is_cancelled) {
                park(own, false);
                return;
        }
        for (unsigned i = 0; i < RESULTS_A_TURN; i++) {
                struct completion completion = { 0 };
                size_t size;

                if (receive_ends(own))
                        return;
                if (pipe->size == 0)
                        break;
                if (!has_buffers(buffers)) {
                        fail(own, ENOBUFS);
                        return;
                }
                size = shorten(
                        pipe->size < buffers->buffer_bytes ? pipe->size : buffers->buffer_bytes);
                completion.bytes = lend(buffers);
                completion.result = (int)size;
                sim_pipe_pop(pipe, (unsigned char *)completion.bytes, size);
                if (sim_other_end(own->file))
                        sim_op_touch(sim_other_end(own->file)->out);
                if (own->once || own->is_cancelled || sim_fault(SIM_ENDED)) {
                        finish(own, completion);
                        return;
                }
                sim_note("receives", own->file->conn->id, size);
                completion.more = true;
                ring_complete(own->ring, own->op, completion);
        }
        park(own, pipe->size > 0 || pipe->ended || own->file->conn->reset);
}

void sim_receive(struct ring *ring, struct engine_file *file, struct receive_op *op, bool once)
{
        struct sim_file *own_file = file_of(file);
        struct sim_op *own = op_new(ring, &op->op, RECEIVE);

        if (own_file->in)
                sim_fail("two receives on one descriptor");
        own->file = own_file;
        own->once = once;
        own_file->in = own;
}

/* --- accepting --- */

static int accept_error(struct sim_op *own)
{
        static const int errors[] = { EMFILE, ENFILE, ENOMEM, ENOBUFS, ECONNABORTED, EPROTO, EPERM,
                EINTR };
        int error = errors[sim_below(sizeof(errors) / sizeof(*errors))];
        struct list *link = error == ECONNABORTED ? list_pop(&own->file->backlog) : NULL;

        if (link) {
                struct sim_conn *conn = CONTAINER_OF(link, struct sim_conn, link);

                conn->was_refused = true;
                conn->reset = ECONNRESET;
                conn->down.ended = true;
                if (conn->dialer)
                        sim_op_touch(conn->dialer->in);
        }
        return error;
}

static void accept_some(struct sim_op *own)
{
        for (unsigned i = 0; i < RESULTS_A_TURN; i++) {
                struct completion completion = { 0 };
                struct sim_conn *conn;

                if (own->is_cancelled && (list_is_empty(&own->file->backlog) || sim_chance(500))) {
                        fail(own, ECANCELED);
                        return;
                }
                if (sim_fault(SIM_ERROR)) {
                        fail(own, accept_error(own));
                        return;
                }
                if (list_is_empty(&own->file->backlog))
                        break;
                conn = CONTAINER_OF(list_pop(&own->file->backlog), struct sim_conn, link);
                completion.result = sim_file_new(conn);
                sim_note("accepted", conn->id, (uint64_t)completion.result);
                if (sim_fault(SIM_ENDED)) {
                        finish(own, completion);
                        return;
                }
                completion.more = true;
                ring_complete(own->ring, own->op, completion);
        }
        park(own, !list_is_empty(&own->file->backlog));
}

void sim_accept(struct ring *ring, struct engine_file *file, struct accept_op *accept)
{
        struct sim_file *own_file = file_of(file);
        struct sim_op *own = op_new(ring, &accept->op, ACCEPT);

        accept->op.on_complete = system_on_accepted;

        if (own_file->in)
                sim_fail("two accepts on one descriptor");
        own->file = own_file;
        own_file->in = own;
}

/* --- connecting --- */

static int connect_error(void)
{
        static const int errors[] = { ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, ENOBUFS, EINTR,
                EACCES };

        return errors[sim_below(sizeof(errors) / sizeof(*errors))];
}

static void connect_some(struct sim_op *own)
{
        enum sim_reach reach = sim_reach(own->address);

        if (own->is_cancelled && (reach == SIM_SILENT || sim_chance(500)))
                fail(own, ECANCELED);
        else if (sim_fault(SIM_ERROR))
                fail(own, connect_error());
        else if (reach == SIM_SILENT)
                park(own, false);
        else if (reach == SIM_REFUSES ||
                 (reach == SIM_SERVES && !sim_dialed(own->file, own->address)))
                fail(own, ECONNREFUSED);
        else
                fail(own, 0);
}

void sim_dial(struct ring *ring, struct engine_file *file, struct op *op,
        const struct sockaddr *address, socklen_t address_bytes)
{
        struct sim_file *own_file = file_of(file);
        struct sim_op *own = op_new(ring, op, CONNECT);

        (void)address_bytes;
        if (own_file->out)
                sim_fail("two connects on one descriptor");
        own->file = own_file;
        own->address = address;
        own_file->out = own;
}

/* --- sending --- */

static size_t message_bytes(const struct msghdr *message)
{
        size_t size = 0;

        for (size_t i = 0; i < message->msg_iovlen; i++)
                size += message->msg_iov[i].iov_len;
        return size;
}

static void push(struct sim_file *file, const struct msghdr *message, size_t size)
{
        struct sim_pipe *pipe = sim_pipe_out(file);

        if (sim_is_deserted(file)) {
                sim_desert(file);
                return;
        }
        for (size_t i = 0; size > 0; i++) {
                const struct iovec *iov = message->msg_iov + i;
                size_t part = iov->iov_len < size ? iov->iov_len : size;

                sim_pipe_push(pipe, iov->iov_base, part);
                size -= part;
        }
        sim_note("sent", file->conn->id, pipe->size);
        if (sim_other_end(file))
                sim_op_touch(sim_other_end(file)->in);
}

static size_t room_of(const struct sim_file *file)
{
        const struct sim_pipe *pipe = sim_pipe_out(file);

        return pipe->size_max > pipe->size ? pipe->size_max - pipe->size : 0;
}

static int send_error(void)
{
        static const int errors[] = { ECONNRESET, EPIPE, ETIMEDOUT, ENOBUFS, ENOMEM, EINTR, EAGAIN,
                EHOSTUNREACH };

        return errors[sim_below(sizeof(errors) / sizeof(*errors))];
}

static void send_some(struct sim_op *own)
{
        const struct sim_conn *conn = own->file->conn;
        size_t size = message_bytes(own->message), room = room_of(own->file);

        if (own->is_cancelled && (room == 0 || sim_chance(500))) {
                fail(own, ECANCELED);
        } else if (conn->reset) {
                fail(own, conn->reset);
        } else if (sim_fault(SIM_ERROR)) {
                fail(own, send_error());
        } else if (room == 0) {
                park(own, false);
        } else {
                size = shorten(size < room ? size : room);
                push(own->file, own->message, size);
                finish(own, (struct completion){ .result = (int)size });
        }
}

void sim_send(
        struct ring *ring, struct engine_file *file, struct op *op, const struct msghdr *message)
{
        struct sim_file *own_file = file_of(file);
        struct sim_op *own = op_new(ring, op, SEND);

        if (own_file->out)
                sim_fail("two sends on one descriptor");
        own->file = own_file;
        own->message = message;
        own_file->out = own;
}

void sim_send_prompt(struct ring *ring, struct engine_file *file, struct prompt_op *op,
        const struct msghdr *message)
{
        struct sim_file *own_file = file_of(file);
        const struct sim_conn *conn = own_file->conn;
        size_t size = message_bytes(message), room = room_of(own_file);

        if (!conn->reset && room >= size && !sim_fault(SIM_LATE)) {
                push(own_file, message, size);
                ring->ops_in_flight++;
                list_append(&ring->prompt, &op->link);
        } else if (!conn->reset && room == 0 && sim_chance(500)) {
                sim_done(ring, &op->op, -EAGAIN);
        } else {
                sim_send(ring, file, &op->op, message);
        }
}

/* --- readiness for others --- */

static void await_some(struct sim_op *own)
{
        uint32_t ready = own->events & EPOLLOUT;

        if (own->file && own->file->readable_ns <= sim.now_ns)
                ready |= own->events & EPOLLIN;
        if (own->is_cancelled) {
                fail(own, ECANCELED);
        } else if (ready != 0) {
                finish(own, (struct completion){ .result = (int)ready });
        } else {
                park(own, false);
                own->due_ns = own->file->readable_ns;
        }
}

/* Of a descriptor of another library. Of one that is real this world knows nothing. */
void sim_await(struct ring *ring, struct engine_file *file, struct op *op, uint32_t events)
{
        struct sim_file *own_file = sim_file(file->fd);
        struct sim_op *own;

        if (!own_file) {
                sim_done(ring, op, -EPERM);
                return;
        }
        if (own_file->in)
                sim_fail("two awaits on one descriptor");
        own = op_new(ring, op, AWAIT);
        own->file = own_file;
        own->events = events;
        own_file->in = own;
}

void sim_op_forget(struct sim_op *op)
{
        op->file->in = NULL;
        op->file = NULL;
        op->is_cancelled = true;
        op->due_ns = sim_soon_ns();
}

/* --- the end --- */

static void cancel_op(struct sim_op *own)
{
        if (!own)
                return;
        own->is_cancelled = true;
        if (own->kind == AWAIT)
                own->due_ns = SIM_NEVER;
        sim_op_touch(own);
}

void sim_cancel(struct ring *ring, struct engine_file *file, struct op *op, struct op *target)
{
        struct sim_file *own_file = file_of(file);
        struct sim_op *own =
                own_file->in && own_file->in->op == target ? own_file->in : own_file->out;
        bool found = own && own->op == target;

        if (found)
                cancel_op(own);
        sim_done(ring, op, found ? 0 : -ENOENT);
}

void sim_cancel_all(struct ring *ring, struct engine_file *file, struct op *op)
{
        struct sim_file *own_file = file_of(file);
        int count = !!own_file->in + !!own_file->out;

        cancel_op(own_file->in);
        cancel_op(own_file->out);
        sim_done(ring, op, count);
}

void sim_close_file(struct ring *ring, struct engine_file *file, struct op *op)
{
        static const int errors[] = { 0, EIO, EINTR, ENOSPC }; /* it is closed all the same */
        int error = sim_fault(SIM_ERROR) ? errors[sim_below(4)] : 0;

        sim_file_close(file_of(file));
        sim_done(ring, op, -error);
}

/* --- in a turn --- */

void sim_complete(struct sim_op *own)
{
        switch (own->kind) {
        case SEND:
                send_some(own);
                break;
        case RECEIVE:
                receive(own);
                break;
        case ACCEPT:
                accept_some(own);
                break;
        case AWAIT:
                await_some(own);
                break;
        case CONNECT:
                connect_some(own);
                break;
        case DONE:
                finish(own, (struct completion){ .result = own->result });
                break;
        }
}
