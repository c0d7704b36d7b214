/* SPDX-License-Identifier: MIT */
#pragma once

/* The protocols that a server speaks on its one port. They carry the same calls: handlers and interceptors see no difference. */

#include <quoit/export.h>

QUOIT_BEGIN_DECLS

/* A protocol; bits, so that several can be combined. */
typedef enum quoit_protocol {
        QUOIT_PROTOCOL_GRPC = 1, /* gRPC over HTTP/2, messages as protobuf or JSON */
        QUOIT_PROTOCOL_GRPC_WEB = 2, /* gRPC-Web, binary and text: for browsers */
        QUOIT_PROTOCOL_CONNECT = 4, /* Connect: also a POST with a JSON body, by curl */
        QUOIT_PROTOCOL_TRANSCODING = 8, /* JSON over HTTP by google.api.http annotations */
        QUOIT_PROTOCOL_HTTP = 16, /* plain HTTP requests, which are no calls of a method */
} quoit_protocol;

/* A set of protocols: values of quoit_protocol, combined with |. 0: all of them. */
typedef unsigned quoit_protocols;

/* All bits that mean something. */
#define QUOIT_PROTOCOLS_ALL 31u

/* "grpc", "grpc-web", "connect", "transcoding" or "http"; "unknown" for anything else. Static. */
QUOIT_API const char *quoit_protocol_name(quoit_protocol protocol);

QUOIT_END_DECLS
