/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a program has in hand: a client with its part on each of its rings (client.h), and a channel with a part on each of them too
 * (channel.h). Parts share nothing but what is fixed here, so a call never leaves the ring that it was begun on.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include <quoit/client.h>

#include "client/client.h"
#include "client/registry.h"
#include "core/fork_mark.h"
#include "link/complaints.h"
#include "link/log.h"
#include "link/rings.h"

struct channel;
struct client_interceptors;

/* Whose its rings are. */
enum client_kind {
        CLIENT_THREADS, /* its own, with threads */
        CLIENT_LENT, /* a server's */
        CLIENT_STEPPED, /* its own, one, which a foreign loop turns */
};

struct quoit_client {
        atomic_uint next; /* counts what other threads begin: the parts take turns */
        struct rings_guest guest; /* of lent rings */
        struct fork_mark
                *mark; /* in a child process nothing of the client works: it has no threads there */
        enum client_kind kind;
        struct log log;
        struct registry registry;
        struct complaints complaints; /* mistakes that were logged */
        unsigned count; /* of @parts. What is here is fixed */
        struct client parts[];
};

struct quoit_channel {
        quoit_client *client;
        struct channel_record record;
        atomic_uint parts_left; /* the last one that is freed frees it */
        atomic_bool has_calls; /* or has had some: then what follows is fixed */
        struct client_interceptors *interceptors; /* NULL: there are none */
        char *target;
        struct channel *parts[]; /* as many as the client has, in the same order */
};

/* It was made by a process that this one was forked from. Any thread. */
static inline bool client_is_inherited(const quoit_client *client)
{
        return fork_mark_is_inherited(client->mark);
}

/* Of its parts: READY, CONNECTING, IDLE, TRANSIENT_FAILURE, SHUTDOWN. Any thread. */
quoit_channel_state channel_best_state(const quoit_channel *channel);

/* None of its parts is left. */
void channel_handle_free(quoit_channel *channel);

/* The part of the ring whose thread calls; NULL: none has it. Any thread. */
struct channel *channel_part_here(const quoit_channel *channel);

/* The part on the lent ring that has the calls of @host; NULL: it is not lent to the client. Any thread. */
struct channel *channel_part_of(const quoit_channel *channel, const struct call_host *host);

/* The part whose turn it is to begin what another thread wants. Any thread. */
struct channel *channel_part_next(const quoit_channel *channel);
