/* SPDX-License-Identifier: MIT */
#include "services/channelz_describe.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000ll

/* ---- small things ---- */

upb_StringView channelz_text(const char *text, upb_Arena *arena)
{
        size_t size = strlen(text);
        char *copy = upb_Arena_Malloc(arena, size);

        if (!copy)
                return upb_StringView_FromDataAndSize(NULL, 0);
        memcpy(copy, text, size);
        return upb_StringView_FromDataAndSize(copy, size);
}

static int64_t now_ns(clockid_t clock)
{
        struct timespec time;

        clock_gettime(clock, &time);
        return time.tv_sec * NS_PER_S + time.tv_nsec;
}

/* @monotonic_ns on the wall clock; NULL for never: the field is left out. */
google_protobuf_Timestamp *channelz_time(uint64_t monotonic_ns, upb_Arena *arena)
{
        int64_t ns = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC) + (int64_t)monotonic_ns;
        google_protobuf_Timestamp *time =
                monotonic_ns ? google_protobuf_Timestamp_new(arena) : NULL;

        if (!time)
                return NULL;
        google_protobuf_Timestamp_set_seconds(time, ns / NS_PER_S);
        google_protobuf_Timestamp_set_nanos(time, (int32_t)(ns % NS_PER_S));
        return time;
}

/* ---- addresses, as quoit_call_peer() and quoit_server_listener_address() spell them ---- */

/* The part of @text behind @prefix; NULL: it does not begin with it. */
static const char *behind(const char *text, const char *prefix)
{
        size_t size = strlen(prefix);

        return strncmp(text, prefix, size) == 0 ? text + size : NULL;
}

/*
 * Parses "HOST:PORT", with an IPv6 address in brackets. Puts the bytes of the address into @bytes, without a zone; 0: not an
 * address.
 */
static size_t parse_tcp(const char *text, unsigned char bytes[16], int *ret_port)
{
        char host[QUOIT_ADDRESS_BYTES];
        const char *colon = strrchr(text, ':');
        size_t size = colon ? (size_t)(colon - text) : 0;

        if (size == 0 || size >= sizeof(host))
                return 0;
        *ret_port = atoi(colon + 1);
        if (text[0] == '[' && text[size - 1] == ']') {
                memcpy(host, text + 1, size - 2);
                host[size - 2] = '\0';
                host[strcspn(host, "%")] = '\0';
                return inet_pton(AF_INET6, host, bytes) == 1 ? 16 : 0;
        }
        memcpy(host, text, size);
        host[size] = '\0';
        return inet_pton(AF_INET, host, bytes) == 1 ? 4 : 0;
}

static bool set_tcp(grpc_channelz_v1_Address *to, const unsigned char *bytes, size_t size, int port,
        upb_Arena *arena)
{
        grpc_channelz_v1_Address_TcpIpAddress *tcp =
                grpc_channelz_v1_Address_mutable_tcpip_address(to, arena);
        char *copy = tcp ? upb_Arena_Malloc(arena, size) : NULL;

        if (!copy)
                return false;
        memcpy(copy, bytes, size);
        grpc_channelz_v1_Address_TcpIpAddress_set_ip_address(
                tcp, upb_StringView_FromDataAndSize(copy, size));
        grpc_channelz_v1_Address_TcpIpAddress_set_port(tcp, port);
        return true;
}

static bool set_unix(grpc_channelz_v1_Address *to, const char *path, upb_Arena *arena)
{
        grpc_channelz_v1_Address_UdsAddress *address =
                grpc_channelz_v1_Address_mutable_uds_address(to, arena);

        if (!address)
                return false;
        grpc_channelz_v1_Address_UdsAddress_set_filename(address, channelz_text(path, arena));
        return true;
}

static bool set_other(grpc_channelz_v1_Address *to, const char *name, upb_Arena *arena)
{
        grpc_channelz_v1_Address_OtherAddress *address =
                grpc_channelz_v1_Address_mutable_other_address(to, arena);

        if (!address)
                return false;
        grpc_channelz_v1_Address_OtherAddress_set_name(address, channelz_text(name, arena));
        return true;
}

static bool describe_address(grpc_channelz_v1_Address *to, const char *text, upb_Arena *arena)
{
        const char *path = behind(text, "unix:");
        const char *tcp = behind(text, "ipv4:");
        unsigned char bytes[16];
        size_t size;
        int port;

        if (!to)
                return false;
        if (path)
                return set_unix(to, path, arena);
        if (!tcp)
                tcp = behind(text, "ipv6:");
        size = parse_tcp(tcp ? tcp : text, bytes, &port);
        return size > 0 ? set_tcp(to, bytes, size, port, arena) : set_other(to, text, arena);
}

/* ---- servers ---- */

static bool describe_calls(
        const quoit_server *server, grpc_channelz_v1_ServerData *to, upb_Arena *arena)
{
        quoit_server_statistics statistics;

        if (!to)
                return false;
        quoit_server_get_statistics(server, &statistics);
        grpc_channelz_v1_ServerData_set_calls_started(to, (int64_t)statistics.calls_started);
        grpc_channelz_v1_ServerData_set_calls_succeeded(to, (int64_t)statistics.calls_succeeded);
        grpc_channelz_v1_ServerData_set_calls_failed(to, (int64_t)statistics.calls_failed);
        grpc_channelz_v1_ServerData_set_last_call_started_timestamp(
                to, channelz_time(statistics.last_call_ns, arena));
        return true;
}

bool channelz_set_socket(
        grpc_channelz_v1_SocketRef *to, int64_t id, const char *name, upb_Arena *arena)
{
        if (!to)
                return false;
        grpc_channelz_v1_SocketRef_set_socket_id(to, id);
        grpc_channelz_v1_SocketRef_set_name(to, channelz_text(name, arena));
        return true;
}

bool channelz_describe_server(
        const quoit_server *server, grpc_channelz_v1_Server *to, upb_Arena *arena)
{
        grpc_channelz_v1_ServerRef *reference = grpc_channelz_v1_Server_mutable_ref(to, arena);
        bool ok = reference &&
                  describe_calls(server, grpc_channelz_v1_Server_mutable_data(to, arena), arena);

        if (reference)
                grpc_channelz_v1_ServerRef_set_server_id(reference, CHANNELZ_SERVER);
        for (unsigned i = 0; ok && i < quoit_server_listener_count(server); i++)
                ok = channelz_set_socket(grpc_channelz_v1_Server_add_listen_socket(to, arena),
                        channelz_listener_id(i), quoit_server_listener_address(server, i), arena);
        return ok;
}

/* ---- sockets ---- */

bool channelz_describe_listener(
        const quoit_server *server, unsigned index, grpc_channelz_v1_Socket *to, upb_Arena *arena)
{
        const char *address = quoit_server_listener_address(server, index);

        return channelz_set_socket(grpc_channelz_v1_Socket_mutable_ref(to, arena),
                       channelz_listener_id(index), address, arena) &&
               describe_address(grpc_channelz_v1_Socket_mutable_local(to, arena), address, arena) &&
               grpc_channelz_v1_Socket_mutable_data(to, arena);
}

bool channelz_refer(const quoit_server *server, const quoit_connection_statistics *connection,
        grpc_channelz_v1_SocketRef *to, upb_Arena *arena)
{
        return channelz_set_socket(to, channelz_connection_id(server, connection->id),
                connection->peer_address, arena);
}

static google_protobuf_Int64Value *window(int64_t bytes, upb_Arena *arena)
{
        google_protobuf_Int64Value *value = google_protobuf_Int64Value_new(arena);

        if (value)
                google_protobuf_Int64Value_set_value(value, bytes);
        return value;
}

/* @is_ours: the streams were begun on this side. */
static bool describe_traffic(const quoit_connection_statistics *connection, bool is_ours,
        grpc_channelz_v1_SocketData *to, upb_Arena *arena)
{
        if (!to)
                return false;
        grpc_channelz_v1_SocketData_set_streams_started(to, (int64_t)connection->streams_started);
        grpc_channelz_v1_SocketData_set_streams_succeeded(
                to, (int64_t)connection->streams_succeeded);
        grpc_channelz_v1_SocketData_set_streams_failed(to, (int64_t)connection->streams_failed);
        grpc_channelz_v1_SocketData_set_messages_sent(to, (int64_t)connection->messages_sent);
        grpc_channelz_v1_SocketData_set_messages_received(
                to, (int64_t)connection->messages_received);
        grpc_channelz_v1_SocketData_set_keep_alives_sent(to, (int64_t)connection->keepalives_sent);
        if (is_ours)
                grpc_channelz_v1_SocketData_set_last_local_stream_created_timestamp(
                        to, channelz_time(connection->last_stream_ns, arena));
        else
                grpc_channelz_v1_SocketData_set_last_remote_stream_created_timestamp(
                        to, channelz_time(connection->last_stream_ns, arena));
        grpc_channelz_v1_SocketData_set_last_message_sent_timestamp(
                to, channelz_time(connection->last_sent_ns, arena));
        grpc_channelz_v1_SocketData_set_last_message_received_timestamp(
                to, channelz_time(connection->last_received_ns, arena));
        /* channelz names a window after the side that may send by it */
        grpc_channelz_v1_SocketData_set_local_flow_control_window(
                to, window(connection->send_window_bytes, arena));
        grpc_channelz_v1_SocketData_set_remote_flow_control_window(
                to, window(connection->receive_window_bytes, arena));
        return true;
}

static bool describe_security(const char *cipher, grpc_channelz_v1_Security *to, upb_Arena *arena)
{
        grpc_channelz_v1_Security_Tls *tls =
                to ? grpc_channelz_v1_Security_mutable_tls(to, arena) : NULL;

        if (tls)
                grpc_channelz_v1_Security_Tls_set_standard_name(
                        tls, upb_StringView_FromString(cipher));
        return tls;
}

static bool describe_connection(const quoit_connection_statistics *connection, bool is_ours,
        grpc_channelz_v1_Socket *to, upb_Arena *arena)
{
        if (connection->tls_cipher &&
                !describe_security(connection->tls_cipher,
                        grpc_channelz_v1_Socket_mutable_security(to, arena), arena))
                return false;
        return describe_traffic(connection, is_ours,
                       grpc_channelz_v1_Socket_mutable_data(to, arena), arena) &&
               describe_address(grpc_channelz_v1_Socket_mutable_local(to, arena),
                       connection->local_address, arena) &&
               describe_address(grpc_channelz_v1_Socket_mutable_remote(to, arena),
                       connection->peer_address, arena);
}

bool channelz_describe_connection(const quoit_server *server,
        const quoit_connection_statistics *connection, grpc_channelz_v1_Socket *to,
        upb_Arena *arena)
{
        return channelz_refer(
                       server, connection, grpc_channelz_v1_Socket_mutable_ref(to, arena), arena) &&
               describe_connection(connection, false, to, arena);
}

bool channelz_describe_own_connection(int64_t id, const quoit_connection_statistics *connection,
        grpc_channelz_v1_Socket *to, upb_Arena *arena)
{
        return channelz_set_socket(grpc_channelz_v1_Socket_mutable_ref(to, arena), id,
                       connection->peer_address, arena) &&
               describe_connection(connection, true, to, arena);
}
