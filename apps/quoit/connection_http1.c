/* SPDX-License-Identifier: MIT */
#include "connection_http1.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../common/clock.h"
#include "upb/mem/arena.h"
#include "upb/wire/decode.h"
#include "upb/wire/encode.h"

#define CONNECT_MS 10000
#define MESSAGE_BYTES_MAX ((size_t)4 << 20)

/* ---- finding ---- */

static int try_scheme(
        struct connection *connection, enum scheme scheme, bool looks, quoit_error *ret_error)
{
        const struct connection_flags *flags = connection->flags;
        uint64_t limit_ms = flags->connect_ms ? flags->connect_ms : CONNECT_MS;
        uint64_t deadline_ns = clock_now_ns() + limit_ms * 1000000;
        struct wire wire;
        int r = connection_setup_init(
                &connection->setup, flags, connection->target, scheme, ret_error);

        if (r == 0)
                r = http1_way_new(flags, connection->setup.target, scheme, deadline_ns,
                        &connection->way, ret_error);
        if (r == 0 && looks) {
                r = http1_way_try(connection->way, deadline_ns, ret_error);
        } else if (r == 0) {
                r = http1_way_connect(connection->way, deadline_ns, &wire, ret_error);
                if (r == 0)
                        wire_close(&wire);
        }
        if (r < 0) {
                connection->way = http1_way_free(connection->way);
                connection_setup_deinit(&connection->setup);
        }
        connection->scheme = scheme;
        return r;
}

static int refuse_proxy(quoit_error *ret_error)
{
        ret_error->status = QUOIT_INVALID_ARGUMENT;
        snprintf(ret_error->text, sizeof(ret_error->text), "--proxy: not by HTTP/1.1");
        return -EINVAL;
}

int connection_find_http1(struct connection *connection, enum scheme scheme, quoit_error *ret_error)
{
        int wanted = connection->flags->protocol, r;
        bool is_found = wanted == PROTOCOL_FOUND;
        enum scheme other;

        if (connection->flags->proxy && *connection->flags->proxy)
                return refuse_proxy(ret_error);
        connection->protocol = is_found ? PROTOCOL_CONNECT : (enum protocol)wanted;
        connection->is_protocol_found = is_found;
        if (scheme != SCHEME_FOUND)
                return try_scheme(connection, scheme, is_found, ret_error);
        scheme = connection_first_scheme(connection->target);
        other = scheme == SCHEME_TLS ? SCHEME_PLAINTEXT : SCHEME_TLS;
        r = try_scheme(connection, scheme, true, ret_error);
        if (r < 0 && r != -ETIMEDOUT && ret_error->status != QUOIT_INVALID_ARGUMENT) {
                quoit_error error;

                r = try_scheme(connection, other, true, &error);
        }
        return r;
}

/* ---- calling ---- */

void connection_call_http1(
        struct connection *connection, struct http1_call *call, struct http1_end *ret_end)
{
        size_t most = connection->flags->message_bytes_max;
        struct http1_end other;

        call->way = connection->way;
        call->protocol = connection->protocol;
        call->message_bytes_max = most ? most : MESSAGE_BYTES_MAX;
        http1_call_run(call, ret_end);
        if (!connection->is_protocol_found)
                return;
        connection->is_protocol_found = !ret_end->is_known;
        if (!ret_end->is_foreign)
                return;
        call->protocol = PROTOCOL_GRPC_WEB;
        http1_call_run(call, &other);
        if (other.is_foreign)
                return;
        *ret_end = other;
        if (!other.is_known)
                return;
        connection->protocol = PROTOCOL_GRPC_WEB;
        connection->is_protocol_found = false;
}

static int on_message(upb_StringView bytes, void *user)
{
        const struct http1_question *question = user;
        const upb_MiniTable *table = question->method->reply;
        upb_Arena *arena = upb_Arena_New();
        upb_Message *reply = arena ? upb_Message_New(table, arena) : NULL;
        int r = -ENOMEM;

        if (reply)
                r = upb_Decode(bytes.data, bytes.size, reply, table, NULL, 0, arena) ==
                                    kUpb_DecodeStatus_Ok
                            ? 0
                            : -EBADMSG;
        if (r == 0)
                question->on_reply(reply, question->user);
        if (arena)
                upb_Arena_Free(arena);
        return r;
}

static int add(struct http1_call *call, const struct upb_Message *request)
{
        upb_StringView bytes;
        char *data;

        if (upb_Encode(request, call->method->request, 0, call->arena, &data, &bytes.size) !=
                kUpb_EncodeStatus_Ok)
                return -ENOMEM;
        bytes.data = data;
        return http1_call_add(call, bytes);
}

quoit_status connection_ask_http1(struct connection *connection,
        const struct http1_question *question, quoit_error *ret_error)
{
        struct http1_question asked = *question;
        struct http1_call call = { .method = question->method,
                .metadata = question->metadata,
                .deadline_ns = question->deadline_ns,
                .stop_fd = -1,
                .arena = upb_Arena_New(),
                .on_message = on_message,
                .user = &asked };
        struct http1_end end = { .status = QUOIT_RESOURCE_EXHAUSTED };

        if (call.arena && add(&call, question->request) == 0)
                connection_call_http1(connection, &call, &end);
        ret_error->status = end.status;
        snprintf(ret_error->text, sizeof(ret_error->text), "%s: %.*s",
                quoit_status_name(end.status), (int)end.message.size,
                end.message.size ? end.message.data : "");
        http1_call_deinit(&call);
        if (call.arena)
                upb_Arena_Free(call.arena);
        return end.status;
}
