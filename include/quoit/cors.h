/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Cross-origin requests of browsers (the Fetch standard's CORS protocol): which other sites' pages may call this server. Without this no
 * page may but those that come from the server's own origin.
 *
 * It holds for all but plain gRPC, which no browser speaks: handlers of plain HTTP, and the protocols that browsers speak. A preflight of an origin
 * that is named is answered 204, with the method and the fields that it asks for; of another one 403. Answers expose all of their
 * fields, with grpc-status, grpc-message and grpc-status-details-bin. Requests of other origins are served as any: it is the browser that
 * keeps the answer from the page.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/export.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/* Zero (or NULL) in a member takes the default. */
typedef struct quoit_cors_options {
        /*
         * Whose pages may call, @origin_count of them: "https://app.example.com", with the port if it is not the scheme's;
         * "https://" and a star, then ".example.com", for all hosts below one; or a star alone for every page. None: CORS is off
         */
        const char *const *origins;
        size_t origin_count; /* of @origins */
        bool credentials; /* the browser may send cookies and certificates. Not with a star alone */
        uint32_t
                max_age_s; /* how long a browser need not ask again. Default: 7200, the most that Chromium takes */
} quoit_cors_options;

/*
 * Lets pages call @server, as the copied @options say; replaces what was said before. Before quoit_server_run(). 0; -EINVAL: no origin (a path
 * behind it, no scheme, a star elsewhere), or credentials for every page; -EBUSY when the server runs; -ENOMEM. After an error nothing
 * has changed.
 */
QUOIT_API int quoit_server_set_cors(quoit_server *server, const quoit_cors_options *options);

QUOIT_END_DECLS
