/* SPDX-License-Identifier: MIT */
#pragma once

/* A client, and servers of the library beside it: all real, with sockets and threads. Steps of a test run on the client's thread. */

#include "../core/harness.h"

#include <pthread.h>
#include <stdatomic.h>

#include <quoit/quoit.h>

#include "../server/script.h"
#include "script.quoit.h"

#define STAGE_SERVERS_MAX 3
#define PLAYER_CALLS_MAX 2000

struct stage_server {
        quoit_server *server;
        struct script script;
        pthread_t thread;
        uint16_t port;
        char target[32];
};

struct stage {
        quoit_client *client;
        struct stage_server servers[STAGE_SERVERS_MAX];
        quoit_channel *channel; /* to the first server */
        quoit_tls *tls; /* of servers that are made from here on; NULL: none */
        void (*on_server)(
                quoit_server *server); /* one is made, and not run yet; NULL: nothing more */
};

void stage_init(struct stage *stage, const quoit_client_limits *limits);
/* On the engine under test. */
void stage_init_with(struct stage *stage, quoit_client_options options);
void stage_deinit(struct stage *stage);

/* @port 0: any. @limits: NULL for defaults. */
void stage_serve(struct stage *stage, unsigned index, uint16_t port, const quoit_limits *limits);
/* At another address of the loop-back. */
void stage_serve_at(struct stage *stage, unsigned index, const char *host, uint16_t port,
        const quoit_limits *limits);
void stage_end_server(struct stage *stage, unsigned index);
/* A port that nobody listens on: it is bound, so that nobody else takes it. */
int stage_bound_socket(uint16_t *ret_port);
void stage_open(struct stage *stage, const char *target);
void stage_open_with(struct stage *stage, const char *target, const quoit_channel_options *options);

/* A client, a server, and a channel to that. */
void stage_begin(struct stage *stage);
void stage_begin_with(struct stage *stage, quoit_client_options options);
/* The channel has a service config. */
void stage_begin_configured(
        struct stage *stage, const quoit_client_limits *limits, const char *config);

/* Until @condition holds. Not within 20 s: the test fails rather than hangs. */
#define WAIT(condition)                                                                            \
        do {                                                                                       \
                uint64_t wait_limit_ns = clock_ns() + 20 * SECOND;                                 \
                while (!(condition)) {                                                             \
                        assert_true(clock_ns() < wait_limit_ns);                                   \
                        usleep(200);                                                               \
                }                                                                                  \
        } while (0)

/* What another thread counts without a lock, as handlers do in a script. */
static inline size_t read_count(const size_t *count)
{
        return __atomic_load_n(count, __ATOMIC_RELAXED);
}

/* How many calls have begun at that server. */
static inline size_t stage_started(const struct stage *stage, unsigned index)
{
        return read_count(&stage->servers[index].script.started);
}

/* Runs @fn on the client's thread and waits for it. */
void stage_run(struct stage *stage, void (*fn)(void *arg), void *arg);

/* What became of a call. Zeroed to begin with; read after stage_run() or on_done. */
struct told {
        struct stage *stage;
        atomic_uint dones, messages;
        unsigned headers, writables;
        quoit_status status;
        char text[QUOIT_ERROR_TEXT_BYTES];
        uint32_t last_number;
        size_t bytes;
        char trailer[64];
        quoit_outcall *call;
        const quoit_call_options *options;
        uint32_t act, count, size; /* of the request */
        quoit_method_kind kind;
        bool keeps_open; /* a stream of requests is not ended */
        unsigned asks; /* requests of a stream */
};

extern const quoit_outcall_handler told_handler;

/* Begins the call that @told says. On the client's thread. */
void told_start(void *told);

/* As its caller. On the client's thread. */
void told_cancel(void *told);

/* Begins it and waits for its end. */
void told_call(struct stage *stage, struct told *told);

/* Waits for its end. */
void told_wait(struct told *told);

/* Begins it, and lets it have two messages; then all others. On the client's thread. */
void told_start_with_two_credits(void *told);
void told_read_on(void *told);

/* A unary call of the default kind, which succeeds. */
void stage_call_ok(struct stage *stage);

/* So do so many at once. */
#define STAGE_CALLS_AT_ONCE 20
void stage_calls_ok(struct stage *stage);

static inline void assert_begins(const char *text, const char *expected)
{
        if (strncmp(text, expected, strlen(expected)) != 0)
                fail_msg("%s", text);
}

/* From a thread that may wait. @ret_error: NULL if nobody asks. Asserts nothing. */
quoit_status call_blocking(quoit_channel *channel, uint32_t act, quoit_error *ret_error);

const quoit_method *script_method(quoit_method_kind kind);
