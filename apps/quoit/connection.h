/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A way to a server: a channel of a client that is `stepped`, so all of a command runs on its one thread, and callbacks run within
 * connection_turn() only. Or, where the flags' protocol allows it, a server that speaks HTTP/1.1.
 */

#include <poll.h>

#include <quoit/client.h>

#include "connection_flags.h"

struct upb_Message;

/* What quoit_client_new() and quoit_channel_new() take, as the flags say. What it points to is its own, or the flags'. */
struct connection_setup {
        quoit_client_options client; /* neither stepped nor with rings yet */
        quoit_channel_options channel;
        quoit_channel_tls tls;
        char target[512];
        char *service_config; /* NULL: none */
};

/*
 * For @target as the user wrote it. @scheme is PLAINTEXT or TLS. @setup is used even after an error, until connection_setup_deinit(), and
 * must not be moved. 0; or a negative errno, and *@ret_error, INVALID_ARGUMENT, says what is wrong with the target, a file or a flag.
 */
int connection_setup_init(struct connection_setup *setup, const struct connection_flags *flags,
        const char *target, enum scheme scheme, quoit_error *ret_error);
void connection_setup_deinit(struct connection_setup *setup);

struct connection {
        const struct connection_flags *flags;
        const char *target; /* as the user wrote it */
        struct connection_setup setup;
        quoit_client *client;
        quoit_channel *channel;
        struct http1_way
                *way; /* by HTTP/1.1: connection_http1.h. NULL: there are @client and @channel */
        enum scheme scheme; /* PLAINTEXT or TLS, as was found */
        enum protocol protocol; /* GRPC, CONNECT or GRPC_WEB */
        bool is_protocol_found; /* nobody has said so, and the server has not confirmed it yet */
        uint64_t
                due_ns; /* when what is done with it has to be over; UINT64_MAX: never. Set by the command */
        uint64_t begun_ns,
                ready_ns; /* when connecting began, and when it had succeeded (CLOCK_MONOTONIC) */
};

/* What is tried first where nobody has said it: PLAINTEXT or TLS. */
enum scheme connection_first_scheme(const char *target);

/*
 * Connects. EXIT_DONE; or an exit status, when all was said: every address with its reason. @flags and @target must outlive it. Free it by
 * connection_close().
 */
int connection_open(const struct connection_flags *flags, const char *target,
        struct connection **ret_connection);

/*
 * The same without a word: for those that say in their own way what failed. 0, or a negative errno and *@ret_error, INVALID_ARGUMENT for a
 * mistake of the user's.
 */
int connection_try(const struct connection_flags *flags, const char *target,
        struct connection **ret_connection, quoit_error *ret_error);

/* Takes NULL, returns NULL. */
struct connection *connection_close(struct connection *connection);

/*
 * Waits until the client has something to do, or one of the @count @more can be read (poll(2), their revents are set), at most
 * @timeout_ms (-1: for ever); then does what the client has to do. 0, or a negative errno: -EINTR too.
 */
int connection_turn(
        struct connection *connection, struct pollfd *more, size_t count, int timeout_ms);

/* Turns until *@is_done, whatever signals come. 0; or a negative errno: the ring is broken, and all calls have ended. */
int connection_wait(struct connection *connection, const bool *is_done);

/*
 * A unary call: as quoit_unary_blocking(), which a client that is stepped does not have. The reply is a copy in @arena.
 */
quoit_status connection_unary(struct connection *connection, const quoit_method *method,
        const struct upb_Message *request, const quoit_call_options *options,
        struct upb_Arena *arena, const struct upb_Message **ret_reply, quoit_error *ret_error);
