/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A server's statistics as channelz messages. All are in @arena; false or NULL: out of memory.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/server.h>
#include <quoit/statistics.h>

#include "grpc/channelz/v1/channelz.quoit.h"

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

/* A reference to the connection. */
bool channelz_refer(const quoit_server *server, const quoit_connection_statistics *connection,
        grpc_channelz_v1_SocketRef *to, upb_Arena *arena);
