/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Rings that a server lends (quoit_server_rings() of <quoit/server.h>) and that a client works on (`lent` of quoit_client_options): so
 * that a handler calls another service on its own thread.
 */

#include <quoit/export.h>

QUOIT_BEGIN_DECLS

/* A server's rings, opaque. They belong to the server. */
typedef struct quoit_rings quoit_rings;

QUOIT_END_DECLS
