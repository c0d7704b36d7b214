/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A server's statistics as channelz messages. All are in @arena; false or NULL: out of memory.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/client.h>
#include <quoit/server.h>
#include <quoit/statistics.h>

#include "grpc/channelz/v1/channelz.quoit.h"

/* What is shown: the service's user. */
struct channelz {
        quoit_server *server;
        size_t client_count;
        quoit_client *clients[];
};

/* The ids of the one server, then of its listeners, then of its connections: channelz requires all ids to be different. */
#define CHANNELZ_SERVER 1

static inline int64_t channelz_listener_id(unsigned index)
{
        return CHANNELZ_SERVER + 1 + (int64_t)index;
}

/* Ids of connections begin at 1. */
static inline int64_t channelz_connection_id(const quoit_server *server, uint64_t id)
{
        return channelz_listener_id(quoit_server_listener_count(server)) - 1 + (int64_t)id;
}

bool channelz_describe_server(
        const quoit_server *server, grpc_channelz_v1_Server *to, upb_Arena *arena);

/* Listener @index, which exists. */
bool channelz_describe_listener(
        const quoit_server *server, unsigned index, grpc_channelz_v1_Socket *to, upb_Arena *arena);

bool channelz_describe_connection(const quoit_server *server,
        const quoit_connection_statistics *connection, grpc_channelz_v1_Socket *to,
        upb_Arena *arena);

/* A client's, of which it began the streams; @id is channelz'. */
bool channelz_describe_own_connection(int64_t id, const quoit_connection_statistics *connection,
        grpc_channelz_v1_Socket *to, upb_Arena *arena);

/* Small things that describe clients too. NULL, or an empty text: no memory, or nothing to show. */
upb_StringView channelz_text(const char *text, upb_Arena *arena);
google_protobuf_Timestamp *channelz_time(uint64_t monotonic_ns, upb_Arena *arena);
bool channelz_set_socket(
        grpc_channelz_v1_SocketRef *to, int64_t id, const char *name, upb_Arena *arena);

/* A reference to the connection. */
bool channelz_refer(const quoit_server *server, const quoit_connection_statistics *connection,
        grpc_channelz_v1_SocketRef *to, upb_Arena *arena);
