/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * For libraries that are part of a server, like <quoit/health.h>: they are called at the server's end, and can see its
 * services.
 */

#include <stddef.h>

#include <quoit/export.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/* Callbacks for a part of a server; any may be NULL. Static, or outlives the server. */
typedef struct quoit_server_hooks {
        /*
         * quoit_server_stop() or quoit_server_drain() was called. Runs once, on one of the server's rings, before any peer gets
         * a GOAWAY. What is posted to calls from here (quoit_call_post()) runs ahead of their connections' GOAWAY. Must not
         * block.
         */
        void (*on_stop)(void *user);
        /* The server is being freed, the last hooked first: to free @user. From quoit_server_free(). */
        void (*on_free)(void *user);
} quoit_server_hooks;

/*
 * Makes @server call @hooks with @user. Before quoit_server_run(). 0; -EBUSY when it runs; -ENOMEM. After a failure @user still
 * belongs to the caller.
 */
QUOIT_API int quoit_server_hook(quoit_server *server, const quoit_server_hooks *hooks, void *user);

/* How many services were registered. */
QUOIT_API size_t quoit_server_service_count(const quoit_server *server);

/*
 * Service @index, in the order of registration; NULL past the last. Static. No service is added while the server runs: then
 * these two may be called from any thread.
 */
QUOIT_API const quoit_service *quoit_server_service(const quoit_server *server, size_t index);

QUOIT_END_DECLS
