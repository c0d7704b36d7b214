/* SPDX-License-Identifier: MIT */
#include "client/handle.h"

#include <errno.h>
#include <stdlib.h>

#include "client/channel.h"
#include "client/client_lent.h"
#include "client/client_limits.h"
#include "client/client_stepped.h"
#include "client/client_thread.h"
#include "client/note.h"
#include "core/probe.h"

/* ---- parts ---- */

/* The part of the ring whose thread calls; NULL: none has it. */
static struct client *part_here(quoit_client *client)
{
        /* a ring's thread has the same place in all clients on it, and other threads write where the other parts are */
        static _Thread_local unsigned last;

        if (client_is_inherited(client))
                return NULL; /* a thread may have the place of one of the parent's */
        if (last < client->count && client_is_here(client->parts + last))
                return client->parts + last;
        for (unsigned i = 0; i < client->count; i++) {
                if (client_is_here(client->parts + i)) {
                        last = i;
                        return client->parts + i;
                }
        }
        return NULL;
}

struct channel *channel_part_here(const quoit_channel *channel)
{
        const struct client *client = part_here(channel->client);

        return client ? channel->parts[client - channel->client->parts] : NULL;
}

struct channel *channel_part_of(const quoit_channel *channel, const struct call_host *host)
{
        const struct client *client;

        if (host->index >= channel->client->count)
                return NULL;
        client = channel->client->parts + host->index;
        return atomic_load_explicit(&client->life, memory_order_acquire) != CLIENT_NEW &&
                               &client->base->ring == host->ring
                       ? channel->parts[host->index]
                       : NULL;
}

struct channel *channel_part_next(const quoit_channel *channel)
{
        quoit_client *client = channel->client;
        unsigned next = client->count == 1
                                ? 0
                                : atomic_fetch_add_explicit(&client->next, 1, memory_order_relaxed);

        return channel->parts[next % client->count];
}

/* ---- a client ---- */

static void note_refusal(quoit_client *client, const struct refusal *refusal)
{
        char text[REFUSAL_TEXT_BYTES];

        if (!client->log.on_log)
                return;
        refusal_explain(refusal, text);
        note_program(client, QUOIT_LOG_WARNING, "the client is on epoll, which takes more CPU: %s",
                text);
}

static int choose_engine(quoit_client *client, quoit_engine asked, enum ring_engine *ret_engine)
{
        struct refusal refusal = { 0 };
        int r;

        *ret_engine = asked == QUOIT_ENGINE_EPOLL ? RING_EPOLL : RING_URING;
        if (asked == QUOIT_ENGINE_EPOLL || asked == QUOIT_ENGINE_IO_URING)
                return 0;
        if (asked != QUOIT_ENGINE_AUTO)
                return -EINVAL;
        r = probe_run(NULL, &refusal);
        if (r == 0 || !refusal_is_lasting(&refusal))
                return 0;
        *ret_engine = RING_EPOLL;
        note_refusal(client, &refusal);
        return 0;
}

static quoit_client *free_client(quoit_client *client)
{
        for (unsigned i = 0; i < client->count; i++)
                client_deinit(client->parts + i);
        registry_deinit(&client->registry);
        complaints_deinit(&client->complaints);
        log_deinit(&client->log);
        fork_mark_unref(client->mark);
        free(client);
        return NULL;
}

/* NULL: no memory. */
static quoit_client *alloc_client(
        const quoit_client_options *options, const quoit_client_limits *limits)
{
        unsigned own = options->rings > 0 ? options->rings : 1;
        unsigned count = options->lent ? options->lent->count : own;
        quoit_client *client = calloc(1, sizeof(*client) + count * sizeof(*client->parts));

        if (!client)
                return NULL;
        client->mark = fork_mark_new();
        if (!client->mark) {
                free(client);
                return NULL;
        }
        client->count = count;
        client->kind = options->lent      ? CLIENT_LENT
                       : options->stepped ? CLIENT_STEPPED
                                          : CLIENT_THREADS;
        log_init(&client->log, options->on_log, options->log_user, limits->log_lines_per_second);
        registry_init(&client->registry);
        complaints_init(&client->complaints);
        for (unsigned i = 0; i < count; i++)
                client_init(client->parts + i, client, options, limits);
        return client;
}

/* All of its threads, or none. */
static int start_threads(quoit_client *client, enum ring_engine engine)
{
        int r = 0;

        for (unsigned i = 0; r == 0 && i < client->count; i++) {
                r = client_thread_start(client->parts + i, engine, i);
                if (r < 0)
                        client_threads_stop(client->parts, i);
        }
        return r;
}

static int start(quoit_client *client, const quoit_client_options *options)
{
        enum ring_engine engine;
        int r;

        if (options->lent)
                return client_lent_join(client, options->lent);
        r = choose_engine(client, options->engine, &engine);
        if (r < 0)
                return r;
        return client->kind == CLIENT_STEPPED ? client_own_begin(client->parts, engine)
                                              : start_threads(client, engine);
}

static bool are_allowed(const quoit_client_options *options)
{
        unsigned rings_max = options->lent ? 0 : options->stepped ? 1 : QUOIT_CLIENT_RINGS_MAX;

        return options->rings <= rings_max && !(options->lent && options->stepped);
}

int quoit_client_new(const quoit_client_options *options, quoit_client **ret_client)
{
        static const quoit_client_options defaults;
        quoit_client_limits limits;
        quoit_client *client;
        int r;

        if (!options)
                options = &defaults;
        limits = options->limits;
        r = client_limits_complete(&limits);
        if (r == 0 && !are_allowed(options))
                r = -EINVAL;
        if (r < 0)
                return r;
        client = alloc_client(options, &limits);
        if (!client)
                return -ENOMEM;
        r = start(client, options);
        if (r < 0)
                free_client(client);
        else
                *ret_client = client;
        return r;
}

/* Whether the caller may, and its rings have ended. */
static bool stop(quoit_client *client)
{
        bool is_here = part_here(client);

        switch (client->kind) {
        case CLIENT_THREADS:
                if (!is_here)
                        client_threads_stop(client->parts, client->count);
                return !is_here;
        case CLIENT_LENT:
                return client_lent_leave(client) == 0;
        case CLIENT_STEPPED:
                if (!is_here || client->parts->own.ring.in_turn)
                        return false;
                client_stepped_end(client->parts);
                return true;
        }
        return false;
}

quoit_client *quoit_client_free(quoit_client *client)
{
        if (!client || client_is_inherited(client))
                return NULL;
        if (stop(client))
                return free_client(client);
        note_misuse(client, client, "the client", __func__,
                "it must not be called on this thread, or a server still runs the rings");
        return client;
}

/* 0 or a negative errno. */
static int check_loop(quoit_client *client, const char *function, bool may_be_in_step)
{
        bool is_here;

        if (client_is_inherited(client))
                return -ESHUTDOWN;
        if (client->kind != CLIENT_STEPPED)
                return -EINVAL;
        is_here = client_is_here(client->parts);
        if (is_here && (may_be_in_step || !client->parts->own.ring.in_turn))
                return 0;
        note_misuse(client, client, "the client", function,
                is_here ? "it was called within a step"
                        : "it was called on another thread than the client was made on");
        return -EPERM;
}

int quoit_client_fd(quoit_client *client)
{
        int r = check_loop(client, __func__, true);

        return r < 0 ? r : ring_poll_fd(&client->parts->own.ring);
}

int quoit_client_step(quoit_client *client)
{
        int r = check_loop(client, __func__, false);

        return r < 0 ? r : client_stepped_step(client->parts);
}

int quoit_client_wait(quoit_client *client, uint64_t timeout_ns)
{
        int r = check_loop(client, __func__, false);

        return r < 0 ? r : client_stepped_wait(client->parts, timeout_ns);
}

unsigned quoit_client_rings(const quoit_client *client)
{
        return client->count;
}

int quoit_client_post(quoit_client *client, void (*fn)(quoit_client *client, void *arg), void *arg)
{
        return quoit_client_post_to(client, 0, fn, arg);
}

int quoit_client_post_to(
        quoit_client *client, unsigned ring, void (*fn)(quoit_client *client, void *arg), void *arg)
{
        return ring < client->count ? client_run_task(client->parts + ring, fn, arg) : -EINVAL;
}
