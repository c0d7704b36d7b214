/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What generated code needs of a server. Users call PACKAGE_SERVICE_register(), which is generated.
 */

#include <quoit/call.h>
#include <quoit/export.h>
#include <quoit/method.h>

QUOIT_BEGIN_DECLS

/* A server, opaque: server.h. */
typedef struct quoit_server quoit_server;

/*
 * Adds @service to @server, before quoit_server_run(). @implementation and @user must outlive the server and are only passed
 * on: @user to every handler of the service.
 * 0; -EEXIST when a service of that name is registered; -EBUSY when the server runs; -ENOMEM.
 */
QUOIT_API int quoit_server_register(
        quoit_server *server, const quoit_service *service, const void *implementation, void *user);

QUOIT_END_DECLS
