/* SPDX-License-Identifier: MIT */
#pragma once

/* The paths of plain HTTP that have handlers (quoit/http.h). Filled before the server runs, then read by all rings. */

#include <stdbool.h>
#include <stddef.h>

#include <quoit/http.h>

struct http_route;

struct http_routes {
        struct http_route **
                list; /* those that match a path first come first: exact ones, then prefixes by their length */
        size_t count;
};

/* As quoit_server_handle_http_on(). 0, -EINVAL, -EEXIST, -ENOMEM. */
int http_routes_add(struct http_routes *routes, quoit_http_listeners listeners, const char *path,
        quoit_http_handler handler, void *user);

/* NULL: nobody has @path on @listener, one of the kinds. */
const struct http_route *http_routes_find(const struct http_routes *routes,
        quoit_http_listeners listener, const char *path, size_t size);

/* Whether anything is served on @listener. */
bool http_routes_any(const struct http_routes *routes, quoit_http_listeners listener);

/* Takes zeroed memory. */
void http_routes_deinit(struct http_routes *routes);
