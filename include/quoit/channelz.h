/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * channelz: grpc.channelz.v1.Channelz, by which gRPC's tools (grpcdebug, for one) look at a running server: its listeners, its
 * connections, and what went over them. As gRPC's proposal A14 says.
 *
 *      quoit_channelz_register(server);
 *
 * It tells who is connected: offer it where only those come who may know that. The figures are those of <quoit/statistics.h>,
 * for programs that show them in another way.
 */

#include <quoit/export.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/*
 * Registers grpc.channelz.v1.Channelz with @server, of which alone it tells: GetServers, GetServer, GetServerSockets and
 * GetSocket; there are no channels. 0 or as quoit_server_register().
 */
QUOIT_API int quoit_channelz_register(quoit_server *server);

QUOIT_END_DECLS
