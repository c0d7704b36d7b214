/* SPDX-License-Identifier: MIT */
#include "core/engine/sim.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum {
        FD_FIRST =
                1
                << 20, /* the process has no real descriptor as high; and none is used twice in a run */
        FILES_MAX = 8192,
        CONNS_MAX = 1024,
        WAKE_FIRST = 1 << 21,
};

static struct {
        struct sim_file files[FILES_MAX];
        unsigned file_count;
        struct sim_conn *conns[CONNS_MAX];
        unsigned conn_count;
        int listener_fds[SIM_SERVERS];
        int wakes;
} net;

void sim_net_begin(void)
{
        net.file_count = 0;
        net.conn_count = 0;
        net.wakes = 0;
        memset(net.listener_fds, 0, sizeof(net.listener_fds));
}

void sim_net_end(void)
{
        for (unsigned i = 0; i < net.file_count; i++)
                if (net.files[i].is_open)
                        sim_fail("descriptor %d was left open", FD_FIRST + (int)i);
        for (unsigned i = 0; i < net.conn_count; i++) {
                free(net.conns[i]->up.bytes);
                free(net.conns[i]->down.bytes);
                free(net.conns[i]);
        }
}

/* --- pipes --- */

void sim_pipe_push(struct sim_pipe *pipe, const void *bytes, size_t size)
{
        if (pipe->first + pipe->size + size > pipe->room) {
                if (pipe->size > 0)
                        memmove(pipe->bytes, sim_pipe_bytes(pipe), pipe->size);
                pipe->first = 0;
        }
        if (pipe->size + size > pipe->room) {
                pipe->room = 2 * (pipe->size + size);
                sim_own_begin();
                pipe->bytes = realloc(pipe->bytes, pipe->room);
                sim_own_end();
                assert(pipe->bytes);
        }
        if (bytes)
                memcpy(sim_pipe_bytes(pipe) + pipe->size, bytes, size);
        pipe->size += size;
}

void sim_pipe_drop(struct sim_pipe *pipe, size_t size)
{
        assert(size <= pipe->size);
        pipe->size -= size;
        pipe->first = pipe->size > 0 ? pipe->first + size : 0;
}

void sim_pipe_pop(struct sim_pipe *pipe, void *bytes, size_t size)
{
        if (size > 0)
                memcpy(bytes, sim_pipe_bytes(pipe), size);
        sim_pipe_drop(pipe, size);
}

/* --- descriptors --- */

struct sim_file *sim_file(int fd)
{
        if (fd < FD_FIRST || fd >= FD_FIRST + (int)net.file_count ||
                !net.files[fd - FD_FIRST].is_open)
                return NULL;
        return net.files + (fd - FD_FIRST);
}

int sim_file_new(struct sim_conn *conn)
{
        struct sim_file *file = net.files + net.file_count;

        if (net.file_count == FILES_MAX)
                sim_fail("the simulator has too few descriptors");
        *file = (struct sim_file){ .is_open = true, .conn = conn };
        list_init(&file->backlog);
        if (conn)
                conn->file = file;
        return FD_FIRST + (int)net.file_count++;
}

static void reset(struct sim_conn *conn, int error)
{
        conn->reset = error;
        conn->up.size = 0;
}

int sim_foreign_new(void)
{
        int fd = sim_file_new(NULL);

        sim_file(fd)->is_foreign = true;
        sim_file(fd)->readable_ns = SIM_NEVER;
        return fd;
}

void sim_foreign_set(struct sim_file *file, uint64_t readable_ns)
{
        file->readable_ns = readable_ns;
        sim_op_set_due(file->in, readable_ns);
}

/* The product's other end of @file can go on. */
static void touch_other(const struct sim_file *file)
{
        const struct sim_file *other = sim_other_end(file);

        if (!other)
                return;
        sim_op_touch(other->in);
        sim_op_touch(other->out);
}

static void close_conn(struct sim_file *file)
{
        struct sim_conn *conn = file->conn;
        struct sim_pipe *in = sim_pipe_in(file), *out = sim_pipe_out(file);

        /* unread bytes are lost, and can destroy bytes that were sent */
        if (in->size > 0 && conn->reset == 0 && sim_chance(300))
                out->size = 0;
        if (in->size > 0 && conn->reset == 0)
                reset(conn, ECONNRESET);
        out->ended = true;
        touch_other(file);
        if (file->has_dialed) {
                conn->dialer = NULL;
                conn->dialer_is_closed = true;
                sim_note("closed by the client", conn->id, conn->up.size);
                return;
        }
        conn->file = NULL;
        conn->file_is_closed = true;
        sim_note("closed by the server", conn->id, conn->down.size);
}

bool sim_is_deserted(const struct sim_file *file)
{
        return file->has_dialed ? file->conn->file_is_closed : file->conn->dialer_is_closed;
}

void sim_desert(struct sim_file *file)
{
        reset(file->conn, ECONNRESET);
        sim_op_touch(file->in);
}

void sim_file_close(struct sim_file *file)
{
        struct list *link;

        if (file->is_foreign && file->in)
                sim_op_forget(file->in);
        if (file->in || file->out)
                sim_fail("a descriptor is closed while an operation is in flight on it");
        file->is_open = false;
        if (file->conn)
                close_conn(file);
        while ((link = list_pop(&file->backlog))) {
                struct sim_conn *conn = CONTAINER_OF(link, struct sim_conn, link);

                conn->was_refused = true;
                reset(conn, ECONNRESET);
                conn->down.ended = true;
                if (conn->dialer) {
                        sim_op_touch(conn->dialer->in);
                        sim_op_touch(conn->dialer->out);
                }
        }
}

void sim_file_shutdown(struct sim_file *file)
{
        sim_pipe_out(file)->ended = true;
        touch_other(file);
        sim_note("half-closed by us", file->conn->id, file->has_dialed);
}

int sim_listen(unsigned place)
{
        net.listener_fds[place] = sim_file_new(NULL);
        return net.listener_fds[place];
}

void sim_listen_with(unsigned place, int fd)
{
        net.listener_fds[place] = fd;
}

/* The last byte. */
static unsigned host_of(const struct sockaddr *address)
{
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

        return address->sa_family == AF_INET6 ? v6->sin6_addr.s6_addr[15]
                                              : ntohl(v4->sin_addr.s_addr) & 0xff;
}

enum sim_reach sim_reach(const struct sockaddr *address)
{
        unsigned port = ntohs(((const struct sockaddr_in *)address)->sin_port); /* also of v6 */
        unsigned host = host_of(address);

        if (port != SIM_SERVER_PORT)
                return (enum sim_reach)(port % SIM_REACHES);
        return host > SIM_FIRST_HOST - SIM_SERVERS && host <= SIM_FIRST_HOST
                       ? SIM_SERVES
                       : (enum sim_reach)(host % SIM_REACHES);
}

/* --- the other end --- */

struct sim_conn *sim_connect(int listener_fd)
{
        struct sim_file *listener = sim_file(listener_fd);
        struct sim_conn *conn;

        if (!listener || net.conn_count == CONNS_MAX)
                return NULL;
        sim_own_begin();
        conn = calloc(1, sizeof(*conn));
        sim_own_end();
        assert(conn);
        conn->id = net.conn_count;
        conn->up.size_max = 1u << (10 + sim_below(11));
        conn->down.size_max = 1u << (10 + sim_below(9));
        net.conns[net.conn_count++] = conn;
        list_init(&conn->link);
        list_append(&listener->backlog, &conn->link);
        sim_op_touch(listener->in);
        sim_note("connects", conn->id, conn->down.size_max);
        return conn;
}

bool sim_dialed(struct sim_file *file, const struct sockaddr *address)
{
        struct sim_conn *conn = sim_connect(net.listener_fds[SIM_FIRST_HOST - host_of(address)]);

        if (!conn)
                return false;
        file->conn = conn;
        file->has_dialed = true;
        conn->dialer = file;
        return true;
}

size_t sim_peer_write(struct sim_conn *conn, const void *bytes, size_t size)
{
        size_t room = conn->up.size_max - conn->up.size;

        if (conn->reset || conn->up.ended || (conn->down.ended && !conn->file))
                return size; /* into the void */
        if (size > room)
                size = room;
        sim_pipe_push(&conn->up, bytes, size);
        if (size > 0 && conn->file)
                sim_op_touch(conn->file->in);
        return size;
}

size_t sim_peer_read(struct sim_conn *conn, void *bytes, size_t size_max)
{
        size_t size = conn->down.size < size_max ? conn->down.size : size_max;

        sim_pipe_pop(&conn->down, bytes, size);
        if (size > 0 && conn->file)
                sim_op_touch(conn->file->out);
        return size;
}

static void touch(struct sim_conn *conn)
{
        if (!conn->file)
                return;
        sim_op_touch(conn->file->in);
        sim_op_touch(conn->file->out);
}

void sim_peer_end(struct sim_conn *conn)
{
        conn->up.ended = true;
        touch(conn);
}

void sim_peer_reset(struct sim_conn *conn)
{
        reset(conn, sim_chance(500) ? ECONNRESET : EPIPE);
        conn->down.size = 0;
        conn->down.ended = true;
        touch(conn);
}

bool sim_peer_is_ended(const struct sim_conn *conn)
{
        return conn->down.ended && conn->down.size == 0;
}

/* --- what breaks between two ends of the product --- */

static void cut(struct sim_conn *conn)
{
        reset(conn, sim_chance(500) ? ECONNRESET : ETIMEDOUT);
        conn->down.size = 0;
        conn->mute_ns = 0;
        touch(conn);
        if (!conn->dialer)
                return;
        sim_op_touch(conn->dialer->in);
        sim_op_touch(conn->dialer->out);
}

static bool can_break(const struct sim_conn *conn)
{
        return conn->dialer && !conn->reset && conn->mute_ns == 0;
}

void sim_break(bool is_mute)
{
        struct sim_conn *able[CONNS_MAX], *conn;
        unsigned count = 0;

        for (unsigned i = 0; i < net.conn_count; i++) {
                if (can_break(net.conns[i]))
                        able[count++] = net.conns[i];
        }
        if (count == 0)
                return;
        conn = able[sim_below(count)];
        sim_note(is_mute ? "mute" : "cut", conn->id, 0);
        if (is_mute)
                conn->mute_ns = sim.now_ns;
        else
                cut(conn);
}

void sim_heal(void)
{
        for (unsigned i = 0; i < net.conn_count; i++) {
                if (net.conns[i]->mute_ns > 0)
                        cut(net.conns[i]);
        }
}

/* --- wakes --- */

int sim_wake_new(void)
{
        return WAKE_FIRST + net.wakes++;
}

bool sim_wake_is(int fd)
{
        return fd >= WAKE_FIRST && fd < WAKE_FIRST + net.wakes;
}
