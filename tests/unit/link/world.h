/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Connections of either role on one ring. Their owner is the test, and their calls are exchanges without anything around them.
 */

#include "../core/harness.h"

#include "link/base.h"
#include "link/connection.h"
#include "link/owner.h"
#include "link/workers.h"
#include "pki.h"

#define CALLS_MAX 64

struct call {
        struct exchange exchange; /* first */
        struct segment body; /* to be sent */
        char text[64]; /* received */
        char status[8], grpc_status[8];
        unsigned ends, closes;
        uint32_t error_code;
        bool finish; /* the end behind the body */
        const char *given_up; /* why */
};

struct end {
        struct connection connection;
        struct call calls[CALLS_MAX];
        unsigned count, goaways, settings, rude;
        bool holds; /* what comes is not given back to its window */
        char complaint[128];
        bool closed, freed;
};

struct world {
        struct base *base;
        struct base own_base; /* unless another one lends its */
        quoit_limits limits;
        struct workers workers;
        struct turn turns[2];
        struct pki pki;
        quoit_tls *tls; /* the server's */
        struct end server, client;
        int fds[2]; /* of the server, of the client */
        struct exchange waiting, waker;
        unsigned waiting_runs, waker_runs;
};

extern struct world *world; /* the one that runs */

/* @made becomes the world: a ring and a pair of sockets, no connection yet. */
void world_init_on(struct world *made, enum ring_engine engine);

/* The engine under test is one of the test's own file. */
static inline void world_init(struct world *made)
{
        world_init_on(made, engine_under_test);
}

/* Both connections have ended. */
void world_deinit(void);

/* @made becomes the world of a client alone, with @fd, on the @base of a server. */
void world_borrow(struct world *made, struct base *base, int fd);

/* The client has ended. */
void world_return(void);

#define UNTIL(condition) TURN_UNTIL(&world->base->ring, condition)

int open_end(struct end *end, const struct connection_options *options);

/* @tls: NULL, or a client's, for a server of that @name. */
int try_open_client(struct tls_context *tls, const char *name);
void open_client(void);

/* @body, not framed, and the end of the stream behind it. */
void call_send(struct call *call, const void *body, size_t size);

/* The client's call. */
struct call *request_to(const char *path, const void *body, size_t size);

static inline struct call *request(const char *body)
{
        return request_to("/a", body, strlen(body));
}

void assert_open(const struct end *end);
