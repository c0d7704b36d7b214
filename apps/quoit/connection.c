/* SPDX-License-Identifier: MIT */
#include "connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/google/protobuf/empty.quoit.h>

#include "../common/clock.h"
#include "complete/targets.h"
#include "connection_http1.h"
#include "nearest.h"
#include "say.h"

#define MORE_MAX 8 /* descriptors beside the client's */

/* ---- turns ---- */

int connection_turn(
        struct connection *connection, struct pollfd *more, size_t count, int timeout_ms)
{
        struct pollfd all[1 + MORE_MAX] = { { quoit_client_fd(connection->client), POLLIN, 0 } };
        int r;

        if (count > MORE_MAX)
                return -EINVAL;
        if (count)
                memcpy(all + 1, more, count * sizeof(*more));
        r = poll(all, 1 + count, timeout_ms);
        if (r < 0)
                return -errno;
        if (count)
                memcpy(more, all + 1, count * sizeof(*more));
        if (!all[0].revents)
                return 0;
        r = quoit_client_step(connection->client);
        return r < 0 ? r : 0;
}

int connection_wait(struct connection *connection, const bool *is_done)
{
        int r = 0;

        while ((r == 0 || r == -EINTR) && !*is_done)
                r = connection_turn(connection, NULL, 0, -1);
        return *is_done ? 0 : r;
}

/* ---- a unary call ---- */

struct unary {
        const quoit_method *method;
        struct upb_Arena *arena;
        const struct upb_Message *reply;
        quoit_status status;
        quoit_error *error; /* NULL: not wanted */
        bool is_done;
};

static void on_unary_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct unary *unary = user;

        unary->status = status;
        unary->is_done = true;
        if (unary->error)
                quoit_outcall_get_error(call, unary->error);
        if (status != QUOIT_OK)
                return;
        unary->reply = upb_Message_DeepClone(
                quoit_outcall_reply(call), unary->method->reply, unary->arena);
        if (!unary->reply)
                unary->status = QUOIT_RESOURCE_EXHAUSTED;
}

static quoit_status fail_unary(quoit_error *ret_error, int r)
{
        if (ret_error) {
                ret_error->status = QUOIT_INTERNAL;
                snprintf(ret_error->text, sizeof(ret_error->text), "INTERNAL: %s", strerror(-r));
        }
        return QUOIT_INTERNAL;
}

quoit_status connection_unary(struct connection *connection, const quoit_method *method,
        const struct upb_Message *request, const quoit_call_options *options,
        struct upb_Arena *arena, const struct upb_Message **ret_reply, quoit_error *ret_error)
{
        static const quoit_outcall_handler handler = { .on_done = on_unary_done };
        struct unary unary = { .method = method, .arena = arena, .error = ret_error };
        quoit_outcall *call;
        int r = quoit_outcall_start(connection->channel, method, options, &handler, &unary, &call);

        if (r < 0)
                return fail_unary(ret_error, r);
        r = quoit_outcall_send(call, request);
        if (r < 0)
                quoit_outcall_cancel(call);
        connection_wait(connection, &unary.is_done);
        if (r < 0)
                return fail_unary(ret_error, r);
        if (unary.status == QUOIT_OK)
                *ret_reply = unary.reply;
        return unary.status;
}

/* ---- connecting ---- */

static void fail_open(int r, quoit_error *ret_error)
{
        ret_error->status = QUOIT_UNAVAILABLE;
        snprintf(ret_error->text, sizeof(ret_error->text), "%s", strerror(-r));
}

/* There will be no other attempt: what is said of it is nobody's matter. */
static void cut(char *text, const char *from)
{
        char *at = strstr(text, from);

        if (at)
                *at = '\0';
}

/* Why the channel failed: what a call hears that does not wait for it. */
static void get_reasons(struct connection *connection, quoit_error *ret_error)
{
        static const quoit_method probe = { .path = "/quoit.Probe/Probe",
                .request = &quoit_google__protobuf__Empty_msg_init,
                .reply = &quoit_google__protobuf__Empty_msg_init };
        const quoit_call_options options = { .wait_for_ready = QUOIT_WAIT_NEVER };
        struct upb_Arena *arena = upb_Arena_New();
        const struct upb_Message *reply;

        if (!arena) {
                fail_open(-ENOMEM, ret_error);
                return;
        }
        connection_unary(connection, &probe, UPB_UPCAST(google_protobuf_Empty_new(arena)), &options,
                arena, &reply, ret_error);
        upb_Arena_Free(arena);
        /* each address is named, with its reason: that it is UNAVAILABLE says nothing more */
        if (!strncmp(ret_error->text, "UNAVAILABLE: ", 13))
                memmove(ret_error->text, ret_error->text + 13, strlen(ret_error->text + 13) + 1);
        cut(ret_error->text, "; the next attempt is in ");
        cut(ret_error->text, "; an attempt is under way");
        ret_error->status = QUOIT_UNAVAILABLE;
}

/* Until the channel is READY. 0; -ECONNREFUSED: all addresses have failed; -ETIMEDOUT. */
static int wait_for_channel(struct connection *connection)
{
        uint64_t due_ns =
                clock_now_ns() + (uint64_t)connection->setup.client.limits.connect_ms * 1000000;
        int r = quoit_channel_connect(connection->channel);

        while (r == 0) {
                quoit_channel_state state = quoit_channel_get_state(connection->channel);
                uint64_t now_ns = clock_now_ns();

                if (state == QUOIT_CHANNEL_READY)
                        break;
                if (state == QUOIT_CHANNEL_TRANSIENT_FAILURE)
                        return -ECONNREFUSED;
                if (now_ns >= due_ns)
                        return -ETIMEDOUT;
                r = connection_turn(connection, NULL, 0, (int)((due_ns - now_ns) / 1000000) + 1);
        }
        return r;
}

static void drop(struct connection *connection)
{
        connection->way = http1_way_free(connection->way);
        connection->channel = quoit_channel_free(connection->channel);
        connection->client = quoit_client_free(connection->client);
        connection_setup_deinit(&connection->setup);
}

/* Connects in this way. 0; or a negative errno, *@ret_error says why, and all is dropped. */
static int try_scheme(struct connection *connection, enum scheme scheme, quoit_error *ret_error)
{
        struct connection_setup *setup = &connection->setup;
        int r = connection_setup_init(
                setup, connection->flags, connection->target, scheme, ret_error);

        if (r < 0) {
                connection_setup_deinit(setup);
                return r;
        }
        connection->scheme = scheme;
        setup->client.stepped = true;
        r = quoit_client_new(&setup->client, &connection->client);
        if (r == 0)
                r = quoit_channel_new(
                        connection->client, setup->target, &setup->channel, &connection->channel);
        if (r < 0) {
                fail_open(r, ret_error);
        } else {
                r = wait_for_channel(connection);
                if (r == -ECONNREFUSED)
                        get_reasons(connection, ret_error);
                else if (r < 0)
                        fail_open(r, ret_error);
        }
        if (r < 0)
                drop(connection);
        return r;
}

/* What the user has said, in whatever way; FOUND: nothing. */
static enum scheme forced_scheme(const struct connection_flags *flags, const char *target)
{
        if (flags->scheme != SCHEME_FOUND)
                return (enum scheme)flags->scheme;
        if (!strncmp(target, "http://", 7))
                return SCHEME_PLAINTEXT;
        if (!strncmp(target, "https://", 8) || flags->is_insecure || flags->ca_file ||
                flags->certificate_file || flags->key_file || flags->server_name)
                return SCHEME_TLS;
        return SCHEME_FOUND;
}

static bool ends_with(const char *text, const char *end)
{
        size_t size = strlen(text), end_size = strlen(end);

        return size >= end_size && !strcmp(text + size - end_size, end);
}

/* The port that HTTP has for TLS, and the one that gRPC takes where there is none. */
static bool is_port_of_tls(const char *target)
{
        return ends_with(target, ":443") || ends_with(target, ":8443") || !strchr(target, ':');
}

/* What both ways have failed with, each said once. */
static void join_reasons(
        enum scheme first, const quoit_error *was, const quoit_error *now, quoit_error *ret_error)
{
        const char *clear = first == SCHEME_PLAINTEXT ? was->text : now->text;
        const char *tls = first == SCHEME_PLAINTEXT ? now->text : was->text;
        char text[QUOIT_ERROR_TEXT_BYTES];

        if (!strcmp(clear, tls))
                snprintf(text, sizeof(text), "%s", clear);
        else
                snprintf(text, sizeof(text), "in the clear: %.400s; by TLS: %.400s", clear, tls);
        memcpy(ret_error->text, text, sizeof(text));
        ret_error->status = now->status;
}

enum scheme connection_first_scheme(const char *target)
{
        return is_port_of_tls(target) ? SCHEME_TLS : SCHEME_PLAINTEXT;
}

static int try_both(struct connection *connection, quoit_error *ret_error)
{
        enum scheme first = connection_first_scheme(connection->target);
        enum scheme second = first == SCHEME_TLS ? SCHEME_PLAINTEXT : SCHEME_TLS;
        quoit_error was, now;
        int r = try_scheme(connection, first, &was);

        if (r < 0 && was.status != QUOIT_INVALID_ARGUMENT && r != -ETIMEDOUT) {
                r = try_scheme(connection, second, &now);
                if (r < 0)
                        join_reasons(first, &was, &now, ret_error);
        } else if (r < 0) {
                *ret_error = was;
        }
        return r;
}

/* By HTTP/2, and by HTTP/1.1 where that is all that the server speaks: each if the flags allow it. */
static int try_protocols(struct connection *connection, quoit_error *ret_error)
{
        enum scheme scheme = forced_scheme(connection->flags, connection->target);
        int protocol = connection->flags->protocol, r;
        quoit_error error;

        if (protocol == PROTOCOL_CONNECT || protocol == PROTOCOL_GRPC_WEB)
                return connection_find_http1(connection, scheme, ret_error);
        r = scheme == SCHEME_FOUND ? try_both(connection, ret_error)
                                   : try_scheme(connection, scheme, ret_error);
        if (r < 0 && protocol == PROTOCOL_FOUND && r != -ETIMEDOUT &&
                ret_error->status != QUOIT_INVALID_ARGUMENT &&
                connection_find_http1(connection, scheme, &error) == 0)
                r = 0;
        return r;
}

int connection_try(const struct connection_flags *flags, const char *target,
        struct connection **ret_connection, quoit_error *ret_error)
{
        struct connection *connection = calloc(1, sizeof(*connection));
        int r;

        if (!connection) {
                fail_open(-ENOMEM, ret_error);
                return -ENOMEM;
        }
        connection->flags = flags;
        connection->target = target;
        connection->due_ns = UINT64_MAX;
        connection->begun_ns = clock_now_ns();
        r = try_protocols(connection, ret_error);
        if (r < 0) {
                free(connection);
                return r;
        }
        connection->ready_ns = clock_now_ns();
        *ret_connection = connection;
        return 0;
}

/* Of a host that there is not: a target that was used before, or this machine. */
static const char *target_hint(
        const char *target, const quoit_error *error, char hint[NEAREST_HINT_BYTES])
{
        const char *port = strrchr(target, ':');
        char local[NEAREST_NAME_BYTES];
        struct nearest nearest;

        if (!strstr(error->text, "cannot resolve"))
                return "";
        snprintf(local, sizeof(local), "localhost%s", port ? port : "");
        nearest_init(&nearest, target);
        nearest_try(&nearest, local);
        targets_try(&nearest);
        return strcmp(nearest.best, target) ? nearest_hint(&nearest, hint) : "";
}

int connection_open(const struct connection_flags *flags, const char *target,
        struct connection **ret_connection)
{
        char hint[NEAREST_HINT_BYTES];
        quoit_error error = { 0 };
        int r = connection_try(flags, target, ret_connection, &error);

        if (r == 0) {
                targets_note(target);
                return EXIT_DONE;
        }
        if (error.status == QUOIT_INVALID_ARGUMENT)
                return say_usage("%s", error.text);
        return say_failed("cannot connect to %s: %s%s", target, error.text,
                target_hint(target, &error, hint));
}

struct connection *connection_close(struct connection *connection)
{
        if (!connection)
                return NULL;
        drop(connection);
        free(connection);
        return NULL;
}
