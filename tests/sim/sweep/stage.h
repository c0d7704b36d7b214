/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Servers and a client of the product in the simulated world, for one run: each server is a thread of SIDE_SERVER, the client is a
 * thread of SIDE_CLIENT, which does what the scenario says. A step that has failed is tried again, and must then go well.
 */

#include <stdbool.h>

#include <quoit/client.h>
#include <quoit/health.h>
#include <quoit/quoit.h>
#include <quoit/tls.h>

#include "plan.h"

enum { SERVERS_MAX = 2 };

struct stage;
struct stage_server;

struct scenario {
        const char *name;
        bool sides[SIDES]; /* whose faults are swept */
        unsigned servers; /* 0: one */
        quoit_server_options server;
        bool is_secure;
        const quoit_method_options *methods; /* of all methods */
        quoit_client_options client;
        const char *target; /* NULL: the servers */
        quoit_channel_options channel;
        int (*prepare)(struct stage_server
                        *own); /* what else a server is, before it listens. NULL: nothing */
        void (*act)(struct stage *stage); /* on the client's thread. NULL: nothing */
        bool has_no_client;
        bool is_adopted; /* servers take sockets over that listen already */
        bool is_called_back; /* handlers call the server, by a client on its rings */
};

struct stage_server {
        struct stage *stage;
        quoit_server *server; /* as long as it has not ended */
        quoit_tls *tls;
        quoit_health *health;
        unsigned registered; /* of what `prepare` registers */
        quoit_client *client; /* on its rings */
        quoit_channel *channel; /* of that */
        int fd; /* that it is to take over; negative: none, or it has */
        bool serves, has_ended;
        bool is_late; /* it begins when the scenario says so */
};

struct stage {
        const struct scenario *scenario;
        struct stage_server servers[SERVERS_MAX];
        unsigned server_count;
        quoit_client *client; /* NULL: it could not be made */
        quoit_channel *channel; /* likewise */
};

/* The whole run. Fails the program if anything is not as it should be. */
void stage_run(const struct scenario *scenario);

/* Whether @r, of a function that may fail because of the plan, is 0. It fails the program otherwise. */
bool stage_went_well(int r, const char *what);

/*
 * Evaluates @expression, which is a negative errno if it fails; then once more, which must go well where only one thing was to fail.
 * True: it is 0.
 */
#define STAGE_TRY(expression)                                                                      \
        (stage_went_well((expression), #expression) ||                                             \
                stage_went_well_at_last((expression), #expression))
bool stage_went_well_at_last(int r, const char *what);

/* The client's thread waits for @time_ns; a stepped client is turned meanwhile. */
void stage_wait(struct stage *stage, uint64_t time_ns);
/* Until @is_true(@user), which follows by itself. */
void stage_wait_until(struct stage *stage, bool (*is_true)(const void *user), const void *user);

/* Server @index begins. */
void stage_begin_server(struct stage *stage, unsigned index);

/* The certificate of all servers. */
const char *stage_certificate_file(void);
const char *stage_key_file(void);
void stage_begin_program(void);
void stage_end_program(void);
