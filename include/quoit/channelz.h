/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * channelz: grpc.channelz.v1.Channelz, which gRPC's tools (grpcdebug, for example) use to look at a running server: its
 * listeners, its connections, and their traffic; and at clients of the same process. See gRPC's proposal A14.
 *
 *      quoit_channelz_register(server);
 *
 * It shows who is connected: offer it only if every client is allowed to know that. <quoit/statistics.h> and
 * <quoit/client_statistics.h> have the same figures for programs that show them in another way.
 */

#include <stddef.h>

#include <quoit/client.h>
#include <quoit/export.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/*
 * Registers grpc.channelz.v1.Channelz with @server, the only server that it shows; there are no channels. Returns 0 or an error of
 * quoit_server_register().
 */
QUOIT_API int quoit_channelz_register(quoit_server *server);

/* The most clients that one server shows. */
#define QUOIT_CHANNELZ_CLIENTS_MAX 1000

/*
 * The same, and it shows the channels of @clients, @count of them; the array is copied. They must live until the server has ended: until
 * quoit_server_run() has returned. -E2BIG: more than QUOIT_CHANNELZ_CLIENTS_MAX; -ENOMEM. Ids of what belongs to clients are
 * 1000000000000000 times the client's place in @clients, from 1 on, and more.
 */
QUOIT_API int quoit_channelz_register_clients(
        quoit_server *server, quoit_client *const *clients, size_t count);

QUOIT_END_DECLS
