/* SPDX-License-Identifier: MIT */
#pragma once

/* From a request's :path to its route. Filled before the server runs, then read by all rings. */

#include <stddef.h>
#include <sys/types.h>

#include "call/call.h"

struct router_slot;
struct transcoding_router;
struct quoit_service;

struct router {
        struct router_slot *slots; /* open addressing, a power of two, at most half full */
        size_t slot_count;
        size_t route_count;
        const struct quoit_service **services; /* all that were added, also those without a route */
        size_t service_count;
        struct route *generic; /* for paths that have no route; NULL: none */
        const struct transcoding_router *rules; /* by which other paths call routes; NULL: none */
};

/* Makes room for @count more routes. 0 or -ENOMEM. */
int router_reserve(struct router *router, size_t count);

/* Adds a copy of @route under its method's path. 0, -EEXIST, -ENOMEM. */
int router_add(struct router *router, const struct route *route);

/* Takes back the route of @method, which was added last of all that are left, and in room that was there (router_reserve()) before. */
void router_remove_last(struct router *router, const struct quoit_method *method);

/* Adds @service, whichever of its methods have routes. 0, -EEXIST, -ENOMEM. */
int router_add_service(struct router *router, const struct quoit_service *service);

/* Whether the service of "/package.Service/method" was added. */
bool router_has_service_of(const struct router *router, const char *path, size_t size);

/* Sets the route of the generic handler, a copy. 0, -EEXIST, -ENOMEM. */
int router_set_generic(struct router *router, const struct route *route);

/* The generic handler's route, if @path is "/SERVICE/METHOD"; NULL: there is none. */
const struct route *router_find_generic(const struct router *router, const char *path, size_t size);

/* NULL: unknown. The route lives as long as the router. */
const struct route *router_find(const struct router *router, const char *path, size_t size);

/*
 * Sets the options of the route @path, or of all routes of a service ("/package.Service/" and a star). Returns how many, or
 * -ENOMEM.
 */
ssize_t router_set_options(
        struct router *router, const char *path, const quoit_method_options *options);

/* Whether any route is offloaded. */
bool router_has_offloaded(const struct router *router);

/* Takes zeroed memory. */
void router_deinit(struct router *router);
