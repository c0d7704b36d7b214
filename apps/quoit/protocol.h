/* SPDX-License-Identifier: MIT */
#pragma once

/* What calls are made by. */
enum protocol {
        PROTOCOL_GRPC, /* over HTTP/2 */
        PROTOCOL_FOUND, /* that; over HTTP/1.1, where a server speaks nothing else, one of those below */
        PROTOCOL_CONNECT, /* over HTTP/1.1: connectrpc.com/docs/protocol */
        PROTOCOL_GRPC_WEB, /* over HTTP/1.1: grpc's doc/PROTOCOL-WEB.md */
};

/* "grpc", "connect", "grpc-web"; FOUND is "auto". */
const char *protocol_name(enum protocol protocol);
