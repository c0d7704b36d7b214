/* SPDX-License-Identifier: MIT */
#include "top_sample.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <grpc/channelz/v1/channelz.quoit.h>

#include "../common/clock.h"
#include "say.h"

/* One call of it. */
enum { RPC_MS = 10000 };

struct taking {
        struct connection *connection;
        quoit_call_options options;
        upb_Arena *arena;
        struct top_sample *sample;
};

/* A name of the server's, as far as there is room. */
static void set_name(char *name, size_t room, upb_StringView text)
{
        snprintf(name, room, "%.*s", (int)text.size, text.data);
        for (; *name; name++)
                if ((unsigned char)*name < ' ' || (unsigned char)*name >= 0x7f)
                        *name = '?';
}

static quoit_status channelz(struct taking *taking, const char *method, const upb_Message *request,
        const upb_Message **ret_reply, quoit_error *ret_error)
{
        return connection_unary(taking->connection,
                quoit_service_method(&quoit_grpc__channelz__v1__Channelz_service, method), request,
                &taking->options, taking->arena, ret_reply, ret_error);
}

/* The exit status of a call that has failed. */
static int fail(const struct taking *taking, quoit_status status, const quoit_error *error)
{
        if (status == QUOIT_UNIMPLEMENTED)
                say("%s: the server has no channelz (grpc.channelz.v1.Channelz)",
                        taking->connection->target);
        else
                say("%s: channelz: %s", taking->connection->target, error->text);
        return EXIT_CALL + (int)status;
}

/* ---- connections ---- */

static void set_address(struct top_socket *socket, const grpc_channelz_v1_Address *address)
{
        const grpc_channelz_v1_Address_TcpIpAddress *tcp =
                address ? grpc_channelz_v1_Address_tcpip_address(address) : NULL;
        const grpc_channelz_v1_Address_UdsAddress *local =
                address ? grpc_channelz_v1_Address_uds_address(address) : NULL;
        upb_StringView ip = upb_StringView_FromString("");
        char text[INET6_ADDRSTRLEN];

        if (tcp)
                ip = grpc_channelz_v1_Address_TcpIpAddress_ip_address(tcp);
        if ((ip.size == 4 || ip.size == 16) &&
                inet_ntop(ip.size == 4 ? AF_INET : AF_INET6, ip.data, text, sizeof(text)))
                snprintf(socket->remote, sizeof(socket->remote), ip.size == 4 ? "%s:%d" : "[%s]:%d",
                        text, grpc_channelz_v1_Address_TcpIpAddress_port(tcp));
        else if (local)
                set_name(socket->remote, sizeof(socket->remote),
                        grpc_channelz_v1_Address_UdsAddress_filename(local));
}

/* A connection may end between two calls: it is left out then, without a word. */
static void take_socket(struct taking *taking, const grpc_channelz_v1_SocketRef *ref)
{
        grpc_channelz_v1_GetSocketRequest *request =
                grpc_channelz_v1_GetSocketRequest_new(taking->arena);
        struct top_socket *socket = &taking->sample->sockets[taking->sample->n_sockets];
        const grpc_channelz_v1_SocketData *data;
        const grpc_channelz_v1_Socket *found;
        const upb_Message *reply;

        *socket = (struct top_socket){ .id = grpc_channelz_v1_SocketRef_socket_id(ref) };
        grpc_channelz_v1_GetSocketRequest_set_socket_id(request, socket->id);
        if (channelz(taking, "GetSocket", UPB_UPCAST(request), &reply, NULL) != QUOIT_OK)
                return;
        found = grpc_channelz_v1_GetSocketResponse_socket(
                (const grpc_channelz_v1_GetSocketResponse *)reply);
        data = found ? grpc_channelz_v1_Socket_data(found) : NULL;
        if (!data)
                return;
        set_name(socket->remote, sizeof(socket->remote), grpc_channelz_v1_SocketRef_name(ref));
        set_address(socket, grpc_channelz_v1_Socket_remote(found));
        socket->started = grpc_channelz_v1_SocketData_streams_started(data);
        socket->succeeded = grpc_channelz_v1_SocketData_streams_succeeded(data);
        socket->failed = grpc_channelz_v1_SocketData_streams_failed(data);
        socket->sent = grpc_channelz_v1_SocketData_messages_sent(data);
        socket->received = grpc_channelz_v1_SocketData_messages_received(data);
        taking->sample->n_sockets++;
}

/* Counts all connections of @server, page by page, and looks at the first of them. */
static int take_sockets(struct taking *taking, struct top_server *server)
{
        int64_t next = 0;
        bool is_end = false;

        while (!is_end) {
                grpc_channelz_v1_GetServerSocketsRequest *request =
                        grpc_channelz_v1_GetServerSocketsRequest_new(taking->arena);
                const grpc_channelz_v1_GetServerSocketsResponse *reply;
                const grpc_channelz_v1_SocketRef *const *refs;
                quoit_error error;
                quoit_status status;
                size_t n;

                grpc_channelz_v1_GetServerSocketsRequest_set_server_id(request, server->id);
                grpc_channelz_v1_GetServerSocketsRequest_set_start_socket_id(request, next);
                status = channelz(taking, "GetServerSockets", UPB_UPCAST(request),
                        (const upb_Message **)&reply, &error);
                if (status == QUOIT_NOT_FOUND) /* it has ended meanwhile */
                        return EXIT_DONE;
                if (status != QUOIT_OK)
                        return fail(taking, status, &error);
                refs = grpc_channelz_v1_GetServerSocketsResponse_socket_ref(reply, &n);
                for (size_t i = 0; i < n; i++)
                        if (taking->sample->n_sockets < TOP_SOCKETS_MAX)
                                take_socket(taking, refs[i]);
                server->connections += (int64_t)n;
                is_end = n == 0 || grpc_channelz_v1_GetServerSocketsResponse_end(reply);
                next = n ? grpc_channelz_v1_SocketRef_socket_id(refs[n - 1]) + 1 : 0;
        }
        return EXIT_DONE;
}

/* ---- servers ---- */

static int take_server(struct taking *taking, const grpc_channelz_v1_Server *found)
{
        struct top_server *server = &taking->sample->servers[taking->sample->n_servers++];
        const grpc_channelz_v1_ServerRef *ref = grpc_channelz_v1_Server_ref(found);
        const grpc_channelz_v1_ServerData *data = grpc_channelz_v1_Server_data(found);

        *server = (struct top_server){ .id = ref ? grpc_channelz_v1_ServerRef_server_id(ref) : 0 };
        if (ref)
                set_name(server->name, sizeof(server->name), grpc_channelz_v1_ServerRef_name(ref));
        if (data) {
                server->started = grpc_channelz_v1_ServerData_calls_started(data);
                server->succeeded = grpc_channelz_v1_ServerData_calls_succeeded(data);
                server->failed = grpc_channelz_v1_ServerData_calls_failed(data);
        }
        return take_sockets(taking, server);
}

static int take_servers(struct taking *taking)
{
        grpc_channelz_v1_GetServersRequest *request =
                grpc_channelz_v1_GetServersRequest_new(taking->arena);
        const grpc_channelz_v1_GetServersResponse *reply;
        const grpc_channelz_v1_Server *const *servers;
        quoit_error error;
        size_t n;
        quoit_status called = channelz(
                taking, "GetServers", UPB_UPCAST(request), (const upb_Message **)&reply, &error);
        int status = EXIT_DONE;

        if (called != QUOIT_OK)
                return fail(taking, called, &error);
        servers = grpc_channelz_v1_GetServersResponse_server(reply, &n);
        for (size_t i = 0; i < n && i < TOP_SERVERS_MAX && status == EXIT_DONE; i++)
                status = take_server(taking, servers[i]);
        return status;
}

int top_sample_take(struct connection *connection, const struct metadata_flags *metadata,
        struct top_sample *ret_sample)
{
        struct taking taking = { .connection = connection, .sample = ret_sample };
        struct metadata fields = { 0 };
        int status;

        taking.arena = upb_Arena_New();
        if (!taking.arena)
                return say_failed("out of memory");
        *ret_sample = (struct top_sample){ .taken_ns = clock_now_ns() };
        status = metadata_make(metadata, false, taking.arena, &fields);
        taking.options = (quoit_call_options){
                .timeout_ms = RPC_MS, .metadata = fields.list, .metadata_count = fields.count
        };
        if (status == EXIT_DONE)
                status = take_servers(&taking);
        upb_Arena_Free(taking.arena);
        return status;
}
