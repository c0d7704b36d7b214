/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "link/connection.h"
#include "peer_end.h"
#include "secure.h"

#include "nghttp2_session.h"
#include "nghttp2_stream.h"

static struct peer_end *peers; /* all of a run */

/* ---- nghttp2's callbacks ---- */

static struct peer_call *call_of(struct peer_end *peer, int32_t id)
{
        for (unsigned i = 0; i < peer->call_count; i++)
                if (peer->calls[i].id == id)
                        return peer->calls + i;
        return NULL;
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
        size_t name_size, const uint8_t *value, size_t size, uint8_t flags, void *user)
{
        struct peer_call *call = call_of(user, frame->hd.stream_id);

        (void)h2;
        (void)flags;
        if (!call || name_size != 11 || memcmp(name, "grpc-status", 11) != 0)
                return 0;
        call->statuses++;
        call->status = 0;
        for (size_t i = 0; i < size; i++)
                call->status = 10 * call->status + (value[i] - '0');
        return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t id, const uint8_t *data, size_t size,
        void *user)
{
        struct peer_end *peer = user;
        struct peer_call *call = call_of(peer, id);

        (void)h2;
        (void)flags;
        peer->owed += size;
        if (peer->owed_count < 64) {
                peer->owed_ids[peer->owed_count] = id;
                peer->owed_bytes[peer->owed_count++] = (uint32_t)size;
        } else {
                (void)nghttp2_session_consume_stream(h2, id, size);
        }
        if (!call)
                return 0;
        sim_pipe_push(&call->reply, data, size);
        if (peer->is_good && !call->is_wrong)
                peer_call_read(call);
        return 0;
}

static int on_close(nghttp2_session *h2, int32_t id, uint32_t error_code, void *user)
{
        struct peer_end *peer = user;
        struct peer_call *call = call_of(peer, id);

        (void)h2;
        if (!call)
                return 0;
        if (call->is_closed)
                sim_fail("stream %d has ended twice", id);
        call->is_closed = true;
        call->was_refused = error_code == NGHTTP2_REFUSED_STREAM;
        sim_note("stream ends", (uint64_t)id, error_code);
        if (error_code == 0 && peer->is_good && !call->was_reset)
                peer_call_check(call);
        return 0;
}

/* What it disowns is sent again, elsewhere: it must not run here. */
static void check_served(const struct peer_end *peer, const struct peer_call *call)
{
        if (peer->is_good && call->is_served && call->id > peer->last_id)
                sim_fail(
                        "connection %u: stream %d is served, and a GOAWAY names %d as the last one",
                        peer->conn->id, call->id, peer->last_id);
}

/* The first one of two names none: a client may go on until it knows the last one (RFC 9113, section 6.8), where nghttp2 stops. */
static void hear_goaway(struct peer_end *peer, const nghttp2_goaway *goaway)
{
        sim_note("peer gets a GOAWAY", (uint32_t)goaway->last_stream_id, goaway->error_code);
        peer->last_id = goaway->last_stream_id;
        if (peer->hurries && goaway->last_stream_id == INT32_MAX)
                peer->h2->goaway_flags &= (uint8_t)~NGHTTP2_GOAWAY_RECV;
        for (unsigned i = 0; i < peer->call_count; i++)
                check_served(peer, peer->calls + i);
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *user)
{
        struct peer_end *peer = user;

        (void)h2;
        if (frame->hd.type == NGHTTP2_GOAWAY)
                hear_goaway(peer, &frame->goaway);
        if (frame->hd.type == NGHTTP2_WINDOW_UPDATE)
                sim_note("peer may send", (uint32_t)frame->hd.stream_id,
                        (uint32_t)frame->window_update.window_size_increment);
        for (size_t i = 0; frame->hd.type == NGHTTP2_SETTINGS && i < frame->settings.niv; i++)
                sim_note("peer gets a setting", (uint32_t)frame->settings.iv[i].settings_id,
                        frame->settings.iv[i].value);
        sim_note("peer gets", (uint64_t)peer->conn->id << 32 | (uint32_t)frame->hd.stream_id,
                (uint64_t)frame->hd.type << 8 | frame->hd.flags);
        return 0;
}

static int on_invalid_frame(nghttp2_session *h2, const nghttp2_frame *frame, int error, void *user)
{
        struct peer_end *peer = user;
        const struct peer_call *call = call_of(peer, frame->hd.stream_id);

        (void)h2;
        /* bytes that were on their way when the stream was reset */
        if (peer->is_good && !(error == NGHTTP2_ERR_STREAM_CLOSED && call && call->was_reset))
                sim_fail("connection %u: the server sends a bad frame of type %u on stream %d: %s",
                        peer->conn->id, frame->hd.type, frame->hd.stream_id,
                        nghttp2_strerror(error));
        return 0;
}

/* ---- what breaks ---- */

static void reset_one(struct peer_end *peer)
{
        struct peer_call *call =
                peer->call_count > 0 ? peer->calls + sim_below(peer->call_count) : NULL;

        if (!call || call->is_closed || !sim_fault(SIM_STREAM_RESET))
                return;
        call->was_reset = true;
        (void)nghttp2_submit_rst_stream(peer->h2, NGHTTP2_FLAG_NONE, call->id, NGHTTP2_CANCEL);
}

static void flood(struct peer_end *peer)
{
        unsigned count = 1 + (unsigned)sim_below(400);
        unsigned what = (unsigned)sim_below(4);

        for (unsigned i = 0; i < count; i++) {
                static const nghttp2_settings_entry entry = { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                        65535 };

                if (what == 0) {
                        (void)nghttp2_submit_ping(peer->h2, NGHTTP2_FLAG_NONE, NULL);
                } else if (what == 1) {
                        (void)nghttp2_submit_settings(peer->h2, NGHTTP2_FLAG_NONE, &entry, 1);
                } else if (what == 2) {
                        (void)nghttp2_submit_window_update(peer->h2, NGHTTP2_FLAG_NONE, 0, 1);
                } else if (peer_begin_call(peer)) {
                        peer->calls[peer->call_count - 1].was_reset = true;
                        (void)nghttp2_submit_rst_stream(peer->h2, NGHTTP2_FLAG_NONE,
                                peer->calls[peer->call_count - 1].id, NGHTTP2_CANCEL);
                }
        }
}

static void break_protocol(struct peer_end *peer)
{
        uint8_t bytes[64];
        size_t size = 9 + sim_below(40);

        for (size_t i = 0; i < size; i++)
                bytes[i] = (uint8_t)sim_random();
        if (sim_chance(700)) { /* a frame that is whole */
                bytes[0] = bytes[1] = 0;
                bytes[2] = (uint8_t)(size - 9);
                bytes[3] %= 12;
                bytes[5] = bytes[6] = bytes[7] = 0;
                bytes[8] %= 16;
        }
        peer->has_broken = true;
        sim_pipe_push(&peer->out, bytes, size);
}

static void change_window(struct peer_end *peer)
{
        static const uint32_t windows[] = { 0, 1, 1000, 65535, 1 << 20 };
        nghttp2_settings_entry entry = { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                windows[sim_below(5)] };

        if (peer->is_good && entry.value < 1000)
                entry.value = 1000;
        (void)nghttp2_submit_settings(peer->h2, NGHTTP2_FLAG_NONE, &entry, 1);
}

static void misbehave(struct peer_end *peer)
{
        if (sim_fault(SIM_PEER_RESET)) {
                sim_peer_reset(peer->conn);
                peer->is_dead = true;
                return;
        }
        if (sim_fault(SIM_PEER_ENDED)) {
                sim_peer_end(peer->conn);
                peer->has_broken = true;
        }
        if (sim_fault(SIM_PEER_STALLED))
                peer->stalled_until_ns = sim.now_ns + sim_below(100 * NS_PER_S);
        if (!peer->is_good && sim_fault(SIM_PEER_FLOODED))
                flood(peer);
        if (!peer->is_good && sim_fault(SIM_PEER_BROKE))
                break_protocol(peer);
        reset_one(peer);
}

/* ---- in and out ---- */

static void die(struct peer_end *peer)
{
        peer->is_dead = true;
        sim_peer_reset(peer->conn);
        sim_note("peer goes", peer->conn->id, 0);
}

static bool can_speak(const struct peer_end *peer)
{
        return !peer->is_secure || peer->tls.state == TLS_OPEN;
}

/* Takes the bytes that TLS has made. */
static void take_sealed(struct peer_end *peer)
{
        struct tls_bytes bytes = tls_take(&peer->tls);

        if (bytes.size > 0)
                sim_pipe_push(&peer->out, bytes.data, bytes.size);
        free(bytes.data);
}

static void push(struct peer_end *peer, const uint8_t *data, size_t size)
{
        const struct iovec iovec = { (void *)data, size };

        if (!peer->is_secure) {
                sim_pipe_push(&peer->out, data, size);
                return;
        }
        if (tls_seal(&peer->tls, &iovec, 1) < 0)
                abort();
        take_sealed(peer);
}

static void move_out(struct peer_end *peer)
{
        const uint8_t *data;
        nghttp2_ssize size;

        while (can_speak(peer) && peer->out.size < 100000 &&
                (size = nghttp2_session_mem_send2(peer->h2, &data)) > 0)
                push(peer, data, (size_t)size);
        if (peer->out.size == 0)
                return;
        size = (nghttp2_ssize)peer->out.size;
        if (!sim.is_calm && sim_chance(300))
                size = (nghttp2_ssize)(1 + sim_below((uint64_t)size));
        sim_pipe_drop(
                &peer->out, sim_peer_write(peer->conn, sim_pipe_bytes(&peer->out), (size_t)size));
}

static void hear(struct peer_end *peer, const uint8_t *bytes, size_t size)
{
        nghttp2_ssize r = nghttp2_session_mem_recv2(peer->h2, bytes, size);

        if (r >= 0)
                return;
        if (peer->is_good)
                sim_fail("connection %u: the server breaks the protocol: %s", peer->conn->id,
                        nghttp2_strerror((int)r));
        peer->has_broken = true;
}

/* Without memory a server may give up, and says so. */
static void end_tls(struct peer_end *peer, int error, const struct tls_problem *problem)
{
        sim_note("peer's TLS ends", peer->conn->id, (uint64_t)-error);
        if (error == -EPROTO && peer->is_good && !peer->has_broken && sim.rates[SIM_NO_MEMORY] == 0)
                sim_fail("connection %u: TLS with the server has failed: %s", peer->conn->id,
                        problem->text);
        die(peer);
}

static void hear_sealed(struct peer_end *peer, const uint8_t *bytes, size_t size)
{
        static uint8_t plain[1 << 14];
        struct tls_problem problem;
        size_t plain_size;
        int r = 0;

        tls_put(&peer->tls, bytes, size);
        if (peer->tls.state == TLS_HANDSHAKE) {
                r = tls_handshake(&peer->tls, sim.now_ns, &problem);
                if (r == 0)
                        sim_note("peer's TLS is open", peer->conn->id, 0);
        }
        while (r == 0 &&
                (r = tls_read(&peer->tls, plain, sizeof(plain), &plain_size, &problem)) == 0)
                hear(peer, plain, plain_size);
        take_sealed(peer);
        if (r != -EAGAIN)
                end_tls(peer, r, &problem);
}

static void move_in(struct peer_end *peer)
{
        static uint8_t bytes[1 << 16];
        size_t size_max = !sim.is_calm && sim_chance(300) ? 1 + sim_below(2000) : sizeof(bytes);
        size_t size = sim_peer_read(peer->conn, bytes, size_max);

        if (size == 0)
                return;
        sim_note("peer reads", peer->conn->id, size);
        if (peer->is_secure)
                hear_sealed(peer, bytes, size);
        else
                hear(peer, bytes, size);
}

static void open_windows(struct peer_end *peer)
{
        (void)nghttp2_session_consume_connection(peer->h2, peer->owed);
        peer->owed = 0;
        for (unsigned i = 0; i < peer->owed_count; i++)
                (void)nghttp2_session_consume_stream(
                        peer->h2, peer->owed_ids[i], peer->owed_bytes[i]);
        peer->owed_count = 0;
}

static bool has_work(const struct peer_end *peer)
{
        return peer->owed > 0 || peer->conn->down.size > 0 || peer->conn->down.ended ||
               ((peer->out.size > 0 || (can_speak(peer) && nghttp2_session_want_write(peer->h2))) &&
                       (peer->conn->up.size < peer->conn->up.size_max || peer->conn->reset));
}

uint64_t peer_due_ns(const struct peer_end *peer)
{
        if (peer->is_dead)
                return SIM_NEVER;
        if (peer->stalled_until_ns > sim.now_ns)
                return peer->stalled_until_ns;
        if (!sim.is_calm || has_work(peer))
                return peer->due_ns;
        return SIM_NEVER;
}

void peer_step(struct peer_end *peer)
{
        uint64_t think_ns = sim.is_calm ? 1000 * NS_PER_US
                                        : sim_below(sim_chance(50) ? 2 * NS_PER_S : 3 * NS_PER_MS);

        sim_note("peer", peer->conn->id, 0);
        peer->due_ns = sim.now_ns + think_ns;
        if (peer->is_silent && !sim.is_calm)
                return;
        if (!sim.is_calm) {
                if (sim_chance(250))
                        (void)peer_begin_call(peer);
                if (sim_chance(20))
                        (void)nghttp2_submit_ping(peer->h2, NGHTTP2_FLAG_NONE, NULL);
                if (sim_chance(20))
                        change_window(peer);
                misbehave(peer);
        }
        if (peer->is_dead)
                return;
        move_in(peer);
        if (peer->is_dead)
                return;
        if (sim.is_calm || sim_chance(600))
                open_windows(peer);
        move_out(peer);
        if (sim_peer_is_ended(peer->conn) ||
                (!nghttp2_session_want_read(peer->h2) && !nghttp2_session_want_write(peer->h2) &&
                        peer->out.size == 0))
                die(peer);
}

void peer_calm(struct peer_end *peer)
{
        static const nghttp2_settings_entry entry = { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 65535 };

        peer->stalled_until_ns = 0;
        peer->due_ns = sim.now_ns;
        if (!peer->is_dead)
                (void)nghttp2_submit_settings(peer->h2, NGHTTP2_FLAG_NONE, &entry, 1);
}

bool peer_is_served(const struct peer_end *peer)
{
        if (peer->is_dead || !peer->is_good || peer->has_broken)
                return true;
        for (unsigned i = 0; i < peer->call_count; i++) {
                const struct peer_call *call = peer->calls + i;
                bool has_begun = nghttp2_session_find_stream(
                        peer->h2, call->id); /* or waits for others to end */

                if (!call->is_closed && has_begun && peer_call_ends(call))
                        return false;
        }
        return true;
}

struct peer_end *peer_new_late(int listener_fd, bool is_secure)
{
        struct peer_end *peer = peer_new(listener_fd, true, is_secure);

        for (unsigned kind = 0; peer && kind < KINDS; kind++)
                peer_begin_plain(peer, (enum kind)kind);
        return peer;
}

bool peer_is_answered(const struct peer_end *peer)
{
        for (unsigned i = 0; i < peer->call_count && !peer->is_dead; i++)
                if (!peer->calls[i].is_closed)
                        return false;
        return true;
}

void peer_check_answered(const struct peer_end *peer)
{
        for (unsigned i = 0; i < peer->call_count; i++)
                if (peer->calls[i].statuses == 0 && (i == 0 || !peer->calls[i].was_refused))
                        sim_fail("connection %u: all faults are over, and stream %d gets no status",
                                peer->conn->id, peer->calls[i].id);
}

bool peer_is_idle(const struct peer_end *peer)
{
        if (peer->is_dead || !peer->is_good || peer->has_broken || peer->is_silent ||
                peer->conn->reset || !peer->conn->file || !can_speak(peer))
                return false;
        for (unsigned i = 0; i < peer->call_count; i++)
                if (!peer->calls[i].is_closed)
                        return false;
        return !has_work(peer) && peer->conn->up.size == 0;
}

static int32_t window_of(const struct peer_end *peer, int32_t id)
{
        const nghttp2_stream *stream = nghttp2_session_find_stream(peer->h2, id);

        return stream ? stream->remote_window_size : 0;
}

void peer_print(const struct peer_end *peer)
{
        for (unsigned i = 0; i < peer->call_count; i++) {
                const struct peer_call *call = peer->calls + i;

                if (!call->is_closed)
                        fprintf(stderr,
                                "sim: connection %u: %s waits on stream %d (act %u, %u of %u "
                                "replies, %zu bytes of it unsent, window %d)\n",
                                peer->conn->id, peer_paths[call->kind], call->id, call->act,
                                call->told, call->answers, call->body.size,
                                window_of(peer, call->id));
        }
}

void peer_check_windows(const struct peer_end *peer, const struct connection *connection)
{
        const nghttp2_session *server = connection->session.h2, *own = peer->h2;

        if (own->remote_window_size != server->local_window_size - server->recv_window_size)
                sim_fail("connection %u: its client may send %d bytes, its server takes %d",
                        peer->conn->id, own->remote_window_size,
                        server->local_window_size - server->recv_window_size);
        if (server->remote_window_size != own->local_window_size - own->recv_window_size)
                sim_fail("connection %u: its server may send %d bytes, its client takes %d",
                        peer->conn->id, server->remote_window_size,
                        own->local_window_size - own->recv_window_size);
}

void peer_note_served(const quoit_call *call)
{
        upb_StringView value;
        unsigned id, nth;
        char text[24];

        if (!quoit_call_metadata(call, "x-peer", &value))
                return;
        snprintf(text, sizeof(text), "%.*s", (int)value.size, value.data);
        if (sscanf(text, "%u.%u", &id, &nth) != 2)
                sim_fail("a peer's field has become \"%s\"", text);
        for (struct peer_end *peer = peers; peer; peer = peer->next) {
                if (peer->conn->id != id)
                        continue;
                peer->calls[nth].is_served = true;
                check_served(peer, peer->calls + nth);
        }
}

const struct sim_conn *peer_conn(const struct peer_end *peer)
{
        return peer->conn;
}

struct peer_end *peer_new(int listener_fd, bool is_good, bool is_secure)
{
        struct peer_end *peer = calloc(1, sizeof(*peer));
        nghttp2_session_callbacks *callbacks;
        nghttp2_option *option;

        assert(peer);
        peer->conn = sim_connect(listener_fd);
        if (!peer->conn) {
                free(peer);
                return NULL;
        }
        peer->is_good = is_good;
        peer->is_secure = is_secure;
        if (is_secure) {
                secure_client(&peer->tls);
                take_sealed(peer);
        }
        peer->next = peers;
        peers = peer;
        peer->is_silent = !is_good && sim_chance(150);
        peer->takes_compressed = sim_chance(100);
        peer->sends_compressed = sim_chance(100);
        peer->brings_bulk = sim_chance(50);
        peer->hurries = sim_chance(500);
        peer->last_id = INT32_MAX;
        peer->due_ns = sim_soon_ns();
        nghttp2_session_callbacks_new(&callbacks);
        nghttp2_option_new(&option);
        nghttp2_option_set_no_auto_window_update(option, 1);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
        if (nghttp2_session_client_new2(&peer->h2, callbacks, peer, option) != 0)
                abort();
        nghttp2_session_callbacks_del(callbacks);
        nghttp2_option_del(option);
        (void)nghttp2_submit_settings(peer->h2, NGHTTP2_FLAG_NONE, NULL, 0);
        return peer;
}

static void forget(const struct peer_end *peer)
{
        struct peer_end **place = &peers;

        while (*place != peer)
                place = &(*place)->next;
        *place = peer->next;
}

void peer_free(struct peer_end *peer)
{
        if (!peer)
                return;
        forget(peer);
        for (unsigned i = 0; i < peer->call_count; i++) {
                free(peer->calls[i].body.bytes);
                free(peer->calls[i].reply.bytes);
        }
        nghttp2_session_del(peer->h2);
        tls_deinit(&peer->tls);
        free(peer->out.bytes);
        free(peer);
}
