/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Options of one method, or of all methods of a service: where its handlers run, how long calls may take, and how large
 * messages may be.
 *
 *      quoit_server_set_method(server, "/shop.Orders/ *", &(quoit_method_options){ .deadline_max_ms = 5000 });
 *
 * (without the space, which is there because of C's comments).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/compression.h>
#include <quoit/export.h>
#include <quoit/protocol.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/* Zero (or false) in a member: the server's option or limit applies. */
typedef struct quoit_method_options {
        /* Handlers run on worker threads (quoit_server_options.workers), where they may block. */
        bool offload;
        /*
         * The longest that a call may take, whatever grpc-timeout says, and the deadline of calls whose client set none; above:
         * DEADLINE_EXCEEDED. Milliseconds.
         */
        uint32_t deadline_max_ms;
        /*
         * Calls of the method that are live at once, on all rings; above: RESOURCE_EXHAUSTED, with pushback. When set for a
         * service, it applies to each method separately.
         */
        uint32_t live_calls_max;
        /* In place of the limit of that name (limits.h); smaller or larger. */
        size_t message_receive_bytes_max;
        /* Likewise. */
        size_t message_send_bytes_max;
        /* Of answers to clients that accept it. This cannot turn the server's compression off; a handler can. */
        quoit_compression compression;
        /* It can be called by these alone. A call by another one is answered as if the server did not know that protocol. */
        quoit_protocols protocols;
} quoit_method_options;

/*
 * Sets @options, copied, for @path: "/package.Service/method", or "/package.Service/" and a star for all methods of a service.
 * Replaces options that were set for them before: so set those of a service first, then those of single methods. Before
 * quoit_server_run(), after the service was registered.
 * 0; -ENOENT for an unknown path; -EINVAL for an unknown compression or protocol; -EBUSY when the server runs.
 */
QUOIT_API int quoit_server_set_method(
        quoit_server *server, const char *path, const quoit_method_options *options);

QUOIT_END_DECLS
