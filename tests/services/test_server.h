/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The server that the integration tests call: calls.proto's service, on the library's public headers
 * alone. Its `user` is a struct test_server.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include <quoit/quoit.h>

#include "calls.quoit.h"

struct test_server {
        quoit_server *server;
        quoit_metrics *metrics; /* NULL: none are counted */
        quoit_client *client; /* NULL: none */
        quoit_health *health;
        /* Counted on any thread. */
        atomic_llong running;   /* calls whose on_done has not come yet */
        atomic_llong cancelled; /* on_cancel */
        atomic_llong done;      /* on_done */
        atomic_llong stopped;   /* loops that saw that their call was cancelled */
        atomic_llong sent;      /* messages of streams */
};

#define ADDRESSES_MAX 40 /* more than a server takes */

struct options {
        const char *addresses[ADDRESSES_MAX];
        unsigned address_count;
        bool intercept; /* interceptors.c */
        bool metrics;
        bool generic; /* generic.c */
        bool http; /* http.c */
        const char *origins[4]; /* --cors */
        quoit_cors_options cors;
        const char *admin; /* an admin listener, where the probes are; NULL: none */
        const char *targets[ADDRESSES_MAX]; /* calling.c */
        unsigned target_count;
        unsigned drain_ms; /* what SIGUSR2 asks for */
        bool loop; /* served by a loop of poll(2) */
        bool offload_all; /* every handler on a worker, not only those that block */
        const char *methods[16]; /* PATH,NAME=NUMBER,...: set_method() */
        unsigned method_count;
        const char *
                load; /* CPU[,calls]: what part of the CPU is in use, at 100 requests a second; loads_add() */
        unsigned linger_ms; /* between the server's end and its being freed */
        const char *certificate_file; /* --tls-cert: every address speaks TLS */
        const char *key_file;
        quoit_tls_options tls;
        quoit_server_options server;
};

/* Prints what is wrong and exits if the command line is. */
void options_parse(struct options *options, int argc, char **argv);

/* Sets the options of methods that @text says; beside what holds for them by @offload. 0 or what the library says. */
int set_method(quoit_server *server, const char *text, bool offload);

/* Puts interceptors before all calls; and a handler's look at what one of them attached. */
int intercept(quoit_server *server);
void attach_to_reply(quoit_call *call);

/* Counts @call as running until its end, and its cancellation. */
void watch(quoit_call *call, struct test_server *test);

/* Each puts the handlers of its file in. */
int growth_register(quoit_server *server); /* growth.Growth */
void health_add(calls_Calls_service *service);
void peer_add(calls_Calls_service *service);
void unary_add(calls_Calls_service *service);
void compressed_add(calls_Calls_service *service);
void details_add(calls_Calls_service *service);
/* The loop's own timer, and what it does when that is over: it uses a held call from outside of any step. */
int misuse_timer(void);
void misuse_outside(void);

/* A handler for all methods that are not known. */
int calling_begin(struct test_server *test, const struct options *options);
int generic_add(struct test_server *test, bool offload);
int http_add(struct test_server *test, quoit_http_listeners probes);
int loads_add(struct test_server *test, const char *load);

void misuse_add(calls_Calls_service *service);
void streams_add(calls_Calls_service *service);
void metrics_add(calls_Calls_service *service);
