/* SPDX-License-Identifier: MIT */
#include "test_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Handlers of plain HTTP, on quoit/http.h. */

#define LARGE_BYTES (1 << 20)

static char large[LARGE_BYTES];

/* The number in the query. */
static unsigned number(const quoit_call *call)
{
        return (unsigned)strtoul(quoit_http_query(call), NULL, 10);
}

static void reply_text(quoit_call *call, unsigned status, const char *text)
{
        quoit_http_reply(
                call, &(quoit_http_answer){ .status = status, .body = text, .size = strlen(text) });
}

/* What it was asked: a line for method, path and query, and "x-echo" back as a field. */
static void on_echo(quoit_call *call, void *user)
{
        upb_StringView echo,
                text = quoit_call_format(call, "%s %s %s %s\n", quoit_http_method(call),
                        quoit_call_path(call), quoit_http_query(call), (const char *)user);

        if (quoit_call_metadata(call, "x-echo", &echo))
                quoit_call_add_header(call, "x-echo", echo);
        quoit_http_reply(call, &(quoit_http_answer){ .body = text.data, .size = text.size });
}

/* A static body of the query's size, of another type. */
static void on_large(quoit_call *call, void *user)
{
        size_t size = number(call);

        (void)user;
        quoit_http_reply(call, &(quoit_http_answer){ .content_type = "application/octet-stream",
                                       .body = large,
                                       .size = size < LARGE_BYTES ? size : LARGE_BYTES,
                                       .is_static = true });
}

static void on_copied(quoit_call *call, void *user)
{
        size_t size = number(call);
        char *body = malloc(size + 1);

        (void)user;
        if (!body)
                abort();
        memset(body, 'c', size);
        quoit_http_reply(call, &(quoit_http_answer){ .body = body, .size = size });
        free(body);
}

static void on_status(quoit_call *call, void *user)
{
        (void)user;
        if (quoit_http_reply(call,
                    &(quoit_http_answer){ .status = number(call), .body = "x", .size = 1 }) < 0)
                reply_text(call, 0, "no such status");
}

static void on_finish(quoit_call *call, void *user)
{
        (void)user;
        quoit_call_finish(call, (quoit_status)number(call), "the handler's 100 %");
}

static void answer_late(quoit_call *call, void *arg)
{
        (void)arg;
        reply_text(call, 0, "late");
}

static void on_later(quoit_call *call, void *user)
{
        (void)user;
        quoit_call_after(call, number(call), answer_late, NULL);
}

static void on_forgotten(quoit_call *call, void *user)
{
        (void)call;
        (void)user;
}

/* Mistakes: a message of gRPC's, headers ahead, two answers, a field's value that is none. */
static void on_misuse(quoit_call *call, void *user)
{
        (void)user;
        quoit_call_send_headers(call);
        if (quoit_call_send_bytes(call, "x", 1) != -EINVAL ||
                quoit_http_reply(call, &(quoit_http_answer){ .content_type = "a\r\nb: c" }) !=
                        -EINVAL)
                abort();
        reply_text(call, 0, "first");
        reply_text(call, 0, "second");
}

static void on_message(quoit_call *call, void *user)
{
        struct calls_Empty *message = calls_Empty_new(quoit_call_arena(call));

        (void)user;
        calls_Calls_Wait_reply(call, message);
}

int http_add(struct test_server *test, quoit_http_listeners probes)
{
        static const struct {
                const char *path;
                quoit_http_handler handler;
                const char *user;
        } handlers[] = {
                { "/echo", on_echo, "exact" },
                { "/files/*", on_echo, "files" },
                { "/files/deep/*", on_echo, "deep" },
                { "/files/one", on_echo, "one" },
                { "/large", on_large, NULL },
                { "/copied", on_copied, NULL },
                { "/status", on_status, NULL },
                { "/finish", on_finish, NULL },
                { "/later", on_later, NULL },
                { "/forgotten", on_forgotten, NULL },
                { "/misuse", on_misuse, NULL },
                { "/message", on_message, NULL },
        };
        int r = quoit_health_handle_http(test->health, test->server, probes);

        memset(large, 's', sizeof(large));
        for (size_t i = 0; r == 0 && i < sizeof(handlers) / sizeof(*handlers); i++)
                r = quoit_server_handle_http(test->server, handlers[i].path, handlers[i].handler,
                        (void *)handlers[i].user);
        return r;
}
