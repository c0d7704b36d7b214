/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * channelz: grpc.channelz.v1.Channelz, which gRPC's tools (grpcdebug, for example) use to look at a running server: its
 * listeners, its connections, and their traffic. See gRPC's proposal A14.
 *
 *      quoit_channelz_register(server);
 *
 * It shows who is connected: offer it only if every client is allowed to know that. <quoit/statistics.h> has the same
 * figures for programs that show them in another way.
 */

#include <quoit/export.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/*
 * Registers grpc.channelz.v1.Channelz with @server, the only server that it shows: GetServers, GetServer, GetServerSockets and
 * GetSocket; there are no channels. Returns 0 or an error of quoit_server_register().
 */
QUOIT_API int quoit_channelz_register(quoit_server *server);

QUOIT_END_DECLS
