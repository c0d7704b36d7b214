/* SPDX-License-Identifier: MIT */
#include <quoit/channelz.h>

#include <errno.h>
#include <stdlib.h>

#include <quoit/hooks.h>

#include "services/channelz_clients.h"
#include "services/channelz_describe.h"

static const quoit_server *server_of(const void *user)
{
        return ((const struct channelz *)user)->server;
}

static void on_get_servers(
        quoit_call *call, const grpc_channelz_v1_GetServersRequest *request, void *user)
{
        upb_Arena *arena = quoit_call_arena(call);
        grpc_channelz_v1_GetServersResponse *response =
                grpc_channelz_v1_GetServersResponse_new(arena);
        bool ok = response;

        if (ok && grpc_channelz_v1_GetServersRequest_start_server_id(request) <= CHANNELZ_SERVER) {
                grpc_channelz_v1_Server *server =
                        grpc_channelz_v1_GetServersResponse_add_server(response, arena);

                ok = server && channelz_describe_server(server_of(user), server, arena);
        }
        if (ok)
                grpc_channelz_v1_GetServersResponse_set_end(response, true);
        grpc_channelz_v1_Channelz_GetServers_reply(call, ok ? response : NULL);
}

static void on_get_server(
        quoit_call *call, const grpc_channelz_v1_GetServerRequest *request, void *user)
{
        int64_t id = grpc_channelz_v1_GetServerRequest_server_id(request);
        upb_Arena *arena = quoit_call_arena(call);
        grpc_channelz_v1_GetServerResponse *response;
        grpc_channelz_v1_Server *server;

        if (id != CHANNELZ_SERVER) {
                channelz_fail_unknown(call, "server", id);
                return;
        }
        response = grpc_channelz_v1_GetServerResponse_new(arena);
        server = response ? grpc_channelz_v1_GetServerResponse_mutable_server(response, arena)
                          : NULL;
        if (server && !channelz_describe_server(server_of(user), server, arena))
                server = NULL;
        grpc_channelz_v1_Channelz_GetServer_reply(call, server ? response : NULL);
}

/* ---- sockets: only connections; listeners are shown in their server ---- */

/* The first id of a connection that channelz calls @socket_id or higher. */
static uint64_t connection_at(const quoit_server *server, int64_t socket_id)
{
        int64_t first = channelz_connection_id(server, 1);

        return socket_id > first ? (uint64_t)(socket_id - first) + 1 : 1;
}

/* Reads one more than is wanted, to see whether this is the last page. NULL: no memory. */
static grpc_channelz_v1_GetServerSocketsResponse *make_page(
        const quoit_server *server, uint64_t first, size_t wanted, quoit_call *call)
{
        upb_Arena *arena = quoit_call_arena(call);
        quoit_connection_statistics *connections =
                quoit_call_alloc(call, (wanted + 1) * sizeof(*connections));
        grpc_channelz_v1_GetServerSocketsResponse *response =
                connections ? grpc_channelz_v1_GetServerSocketsResponse_new(arena) : NULL;
        size_t count;

        if (!response)
                return NULL;
        count = quoit_server_get_connections(server, first, connections, wanted + 1);
        grpc_channelz_v1_GetServerSocketsResponse_set_end(response, count <= wanted);
        for (size_t i = 0; i < count && i < wanted; i++) {
                if (!channelz_refer(server, connections + i,
                            grpc_channelz_v1_GetServerSocketsResponse_add_socket_ref(
                                    response, arena),
                            arena))
                        return NULL;
        }
        return response;
}

static void on_get_server_sockets(
        quoit_call *call, const grpc_channelz_v1_GetServerSocketsRequest *request, void *user)
{
        int64_t id = grpc_channelz_v1_GetServerSocketsRequest_server_id(request);
        int64_t wanted = grpc_channelz_v1_GetServerSocketsRequest_max_results(request);
        int64_t start = grpc_channelz_v1_GetServerSocketsRequest_start_socket_id(request);
        grpc_channelz_v1_GetServerSocketsResponse *response;

        if (id != CHANNELZ_SERVER) {
                channelz_fail_unknown(call, "server", id);
                return;
        }
        response = make_page(server_of(user), connection_at(server_of(user), start),
                channelz_page_size(wanted), call);
        grpc_channelz_v1_Channelz_GetServerSockets_reply(call, response);
}

/* Whether there is a socket with @id; it is then described in @to. False in *@ret_ok: there is no memory. */
static bool find_socket(const quoit_server *server, int64_t id, grpc_channelz_v1_Socket *to,
        upb_Arena *arena, bool *ret_ok)
{
        unsigned listeners = quoit_server_listener_count(server);
        quoit_connection_statistics connection;

        if (id >= channelz_listener_id(0) && id < channelz_listener_id(listeners)) {
                *ret_ok = channelz_describe_listener(
                        server, (unsigned)(id - channelz_listener_id(0)), to, arena);
                return true;
        }
        if (id < channelz_connection_id(server, 1) ||
                quoit_server_get_connections(server, connection_at(server, id), &connection, 1) ==
                        0 ||
                channelz_connection_id(server, connection.id) != id)
                return false;
        *ret_ok = channelz_describe_connection(server, &connection, to, arena);
        return true;
}

static void on_get_socket(
        quoit_call *call, const grpc_channelz_v1_GetSocketRequest *request, void *user)
{
        int64_t id = grpc_channelz_v1_GetSocketRequest_socket_id(request);
        upb_Arena *arena = quoit_call_arena(call);
        grpc_channelz_v1_GetSocketResponse *response =
                grpc_channelz_v1_GetSocketResponse_new(arena);
        grpc_channelz_v1_Socket *socket =
                response ? grpc_channelz_v1_GetSocketResponse_mutable_socket(response, arena)
                         : NULL;
        bool ok = false;

        if (socket && !find_socket(server_of(user), id, socket, arena, &ok) &&
                !channelz_find_own_socket(user, id, socket, arena, &ok))
                channelz_fail_unknown(call, "socket", id);
        else
                grpc_channelz_v1_Channelz_GetSocket_reply(call, ok ? response : NULL);
}

static void on_free(void *user)
{
        free(user);
}

static int register_service(struct channelz *channelz)
{
        static const grpc_channelz_v1_Channelz_service service = {
                .GetTopChannels = channelz_on_get_top_channels,
                .GetServers = on_get_servers,
                .GetServer = on_get_server,
                .GetServerSockets = on_get_server_sockets,
                .GetChannel = channelz_on_get_channel,
                .GetSubchannel = channelz_on_get_subchannel,
                .GetSocket = on_get_socket,
        };

        return grpc_channelz_v1_Channelz_register(channelz->server, &service, channelz);
}

int quoit_channelz_register_clients(
        quoit_server *server, quoit_client *const *clients, size_t count)
{
        static const quoit_server_hooks hooks = { .on_free = on_free };
        struct channelz *channelz;
        int r;

        if (count > QUOIT_CHANNELZ_CLIENTS_MAX)
                return -E2BIG;
        channelz = malloc(sizeof(*channelz) + count * sizeof(*clients));
        if (!channelz)
                return -ENOMEM;
        channelz->server = server;
        channelz->client_count = count;
        for (size_t i = 0; i < count; i++)
                channelz->clients[i] = clients[i];
        r = quoit_server_hook(server, &hooks, channelz);
        if (r < 0) {
                free(channelz);
                return r;
        }
        return register_service(channelz);
}

int quoit_channelz_register(quoit_server *server)
{
        return quoit_channelz_register_clients(server, NULL, 0);
}
