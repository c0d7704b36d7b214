/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/thread.h"
#include "server/engine.h"
#include "server/server.h"
#include "server/shard.h"

/*
 * If memory for rings is short, all of them get half the entries, down to SHARD_ENTRIES_MIN. Each size is tried several
 * times: the kernel frees the rings of an earlier process, or of an earlier try, some 20 ms after they were closed, later on
 * a busy machine.
 */
#define START_TRIES_A_SIZE 6
#define START_TRIES (3 * START_TRIES_A_SIZE) /* 1024, 512, 256 */
#define START_PAUSE_MS 50

static_assert(RING_SQ_ENTRIES / 4 == SHARD_ENTRIES_MIN, "three sizes");

/* Turns that one step takes at most, before its caller's loop goes on. */
#define TURNS_A_STEP 4

/* ---- the other threads ---- */

static void *shard_thread(void *user)
{
        shard_run(user);
        return NULL;
}

/* Shards that have no thread have failed: the others must not wait for them. */
static void give_up_shards(quoit_server *server, unsigned count, int error)
{
        server_note_refusal(server, REFUSAL_CALL_THREAD, error);
        server_meet_without(server, MEETING_START, count, error);
}

/* Starts the threads of all shards but the first; returns how many there are. */
static unsigned start_shards(quoit_server *server)
{
        unsigned count = server->options.rings;
        unsigned i;

        for (i = 1; i < count; i++) {
                struct shard *shard = server->shards + i;
                int r = thread_start_named(&shard->thread, "ring", i, shard_thread, shard);

                if (r < 0) {
                        give_up_shards(server, count - i, r);
                        break;
                }
        }
        return i;
}

static bool has_tls(const quoit_server *server)
{
        for (unsigned i = 0; i < server->listener_count; i++) {
                if (server->listeners[i].tls)
                        return true;
        }
        return false;
}

/* Starts the threads that this server has work for. */
static int start_workers(quoit_server *server)
{
        int r = 0;

        if (router_has_offloaded(&server->router))
                r = workers_start(&server->workers, server->options.workers, "worker");
        if (r == 0 && has_tls(server))
                r = workers_start(
                        &server->handshakers, server->options.handshake_threads, "handshake");
        if (r == 0)
                return 0;
        /* those that were started have nothing to wait for */
        workers_stop(&server->workers);
        workers_stop(&server->handshakers);
        server_note_refusal(server, REFUSAL_CALL_THREAD, r);
        return server_fail_refused(server, r);
}

static void join_shards(quoit_server *server)
{
        for (unsigned i = 1; i < server->threads; i++)
                pthread_join(server->shards[i].thread, NULL);
}

static void join_workers(quoit_server *server)
{
        workers_stop(&server->workers);
        workers_stop(&server->handshakers);
        rings_set_life(&server->lent, RINGS_ENDED);
        server->life = SERVER_ENDED;
}

/* ---- the calling thread ---- */

static int prepare(quoit_server *server)
{
        if (server->listener_count == 0)
                return server_fail(
                        server, -EINVAL, "nothing to listen on: call quoit_server_listen() first");
        if (atomic_exchange(&server->running, true))
                return server_fail(server, -EBUSY, "this server has run before: make a new one");
        server->shards = calloc(server->options.rings, sizeof(*server->shards));
        json_types_init(&server->json_types, server->router.services, server->router.service_count);
        if (!server->shards || transcode_init(&server->transcode, server) < 0)
                return server_fail(server, -ENOMEM, "out of memory");
        for (unsigned i = 0; i < server->options.rings; i++) {
                server->shards[i].server = server;
                census_init(&server->shards[i].census);
        }
        atomic_store(&server->listening, server->listener_count);
        return start_workers(server);
}

/* All shards, with rings of `ring_entries`, or none. */
static int try_start(quoit_server *server)
{
        server_reset_meeting(server, MEETING_START);
        server->refusal[0] = '\0';
        server->threads = start_shards(server);
        if (shard_start(server->shards))
                return 0;
        join_shards(server);
        return server->meetings.error[MEETING_START];
}

/* Tries again, with pauses, and with smaller rings. */
static int try_smaller(quoit_server *server)
{
        int r = -ENOMEM;

        for (int try = 1; r == -ENOMEM && try < START_TRIES; try++) {
                if (try % START_TRIES_A_SIZE == 0)
                        server->ring_entries /= 2;
                nanosleep(&(struct timespec){ .tv_nsec = START_PAUSE_MS * 1000000 }, NULL);
                r = try_start(server);
        }
        return r;
}

static int start_rings(quoit_server *server)
{
        char refusal
                [REFUSAL_TEXT_BYTES]; /* of the first try, when all that was in the way was still there */
        int r;

        server->ring_entries = RING_SQ_ENTRIES;
        r = try_start(server);
        if (r < 0 && engine_fall_back(server))
                r = try_start(server);
        memcpy(refusal, server->refusal, sizeof(refusal));
        if (r == -ENOMEM && server->engine == QUOIT_ENGINE_IO_URING)
                r = try_smaller(server);
        if (r == 0 && server->ring_entries < RING_SQ_ENTRIES)
                server_log(server, QUOIT_LOG_WARNING, "rings have %u entries instead of %d: %s",
                        server->ring_entries, RING_SQ_ENTRIES, refusal);
        if (r == -ENOMEM)
                memcpy(server->refusal, refusal, sizeof(refusal));
        return r;
}

int quoit_server_start(quoit_server *server)
{
        int r = prepare(server);

        if (r < 0)
                return r;
        thread_name_caller("ring", 0);
        rings_set_life(&server->lent, RINGS_RUN);
        r = start_rings(server);
        if (r == 0) {
                server->life = SERVER_SERVES;
                atomic_store(&server->has_begun, true);
                return 0;
        }
        join_workers(server);
        return server_fail_refused(server, r);
}

/* The first shard has ended (@r is 0) or failed: the others have ended too, or do so at once. */
static int end(quoit_server *server, int r)
{
        shard_end(server->shards, r);
        join_shards(server);
        join_workers(server);
        r = server->meetings.error[MEETING_END];
        return r < 0 ? server_fail(server, r, "a ring failed: %s", server->refusal) : 0;
}

int quoit_server_run(quoit_server *server)
{
        int r;

        if (server->life != SERVER_SERVES) {
                r = quoit_server_start(server);
                if (r < 0)
                        return r;
        }
        if (server->shards->base.ring.is_polled)
                return server_fail(server, -EBUSY,
                        "the server is driven by quoit_server_step(): go on with that");
        do
                r = shard_turn(server->shards, RING_FOREVER);
        while (r > 0);
        return end(server, r);
}

/* ---- a foreign loop ---- */

int quoit_server_fd(quoit_server *server)
{
        int fd;

        if (server->life != SERVER_SERVES)
                return server_fail(server, -EINVAL,
                        "the server does not run: call quoit_server_start() first");
        fd = ring_poll_fd(&server->shards->base.ring);
        if (fd < 0) {
                server_note_refusal(server, server->shards->base.ring.refused_call, fd);
                return server_fail_refused(server, fd);
        }
        return fd;
}

int quoit_server_step(quoit_server *server)
{
        struct shard *shard = server->shards;
        int r;

        if (server->life == SERVER_ENDED)
                return 0;
        r = quoit_server_fd(server);
        if (r < 0)
                return r;
        for (int turns = 0; turns < TURNS_A_STEP; turns++) {
                r = shard_turn(shard, 0);
                if (r <= 0)
                        return end(server, r);
                if (ring_may_poll(&shard->base.ring))
                        return 1;
        }
        ring_wake(&shard->base.ring);
        return 1;
}
