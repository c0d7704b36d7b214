/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What holds for one method, or for all of a service: where its handlers run, how long they may, and how
 * much may come and go.
 *
 *      quoit_server_set_method(server, "/shop.Orders/ *", &(quoit_method_options){ .deadline_max_ms = 5000 });
 *
 * (without the space, which keeps C's comments apart).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/compression.h>
#include <quoit/export.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/* Zero (or false) in a member: what holds for the server. */
typedef struct quoit_method_options {
        /* Handlers run on worker threads (quoit_server_options.workers), where they may block. */
        bool offload;
        /*
         * The longest that a call may take, whatever grpc-timeout says, and the deadline of calls whose client gave
         * none; over: DEADLINE_EXCEEDED. Milliseconds.
         */
        uint32_t deadline_max_ms;
        /*
         * Calls of the method that are live at once, on all rings; above: RESOURCE_EXHAUSTED, with pushback. For all of a
         * service: each method has as many.
         */
        uint32_t live_calls_max;
        /* Instead of the limit of that name (limits.h), smaller or larger. */
        size_t message_receive_bytes_max;
        /* Likewise. */
        size_t message_send_bytes_max;
        /* Of answers to clients that take it. What the server's option says cannot be undone here; a handler can. */
        quoit_compression compression;
} quoit_method_options;

/*
 * Sets @options, copied, for @path: "/package.Service/method", or "/package.Service/" and a star for all methods of a
 * service. Replaces what was set for them before: what holds for a service comes first, then what differs in a method.
 * Before quoit_server_run(), after the service was registered. 0; -ENOENT for an unknown path; -EINVAL for an unknown compression; -EBUSY.
 */
QUOIT_API int quoit_server_set_method(
        quoit_server *server, const char *path, const quoit_method_options *options);

QUOIT_END_DECLS
