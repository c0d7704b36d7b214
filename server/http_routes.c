/* SPDX-License-Identifier: MIT */
#include "server/http_routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/http.h"
#include "server/server.h"

static bool is_path(const char *path, size_t size)
{
        size_t plain = strcspn(path, "?#*");

        if (*path != '/')
                return false;
        return plain == size || (plain == size - 1 && path[plain] == '*' && path[plain - 1] == '/');
}

static struct http_route *route_new(
        quoit_http_listeners listeners, const char *path, quoit_http_handler handler, void *user)
{
        size_t size = strlen(path);
        bool is_prefix = path[size - 1] == '*';
        struct http_route *route = calloc(1, sizeof(*route) + size + 1);

        if (!route)
                return NULL;
        route->route.method = &http_method;
        route->route.user = user;
        route->handler = handler;
        route->listeners = listeners;
        route->is_prefix = is_prefix;
        route->path_size = size - is_prefix;
        memcpy(route->path, path, route->path_size);
        return route;
}

/* Whether @route is tried before @other. */
static bool goes_before(const struct http_route *route, const struct http_route *other)
{
        if (route->is_prefix != other->is_prefix)
                return other->is_prefix;
        return route->path_size > other->path_size;
}

/* Whether some request would belong to both. */
static bool collides(const struct http_route *route, const struct http_route *other)
{
        return (route->listeners & other->listeners) && route->is_prefix == other->is_prefix &&
               strcmp(route->path, other->path) == 0;
}

static int insert(struct http_routes *routes, struct http_route *route)
{
        struct http_route **list;
        size_t at = routes->count;

        for (size_t i = 0; i < routes->count; i++) {
                if (collides(route, routes->list[i]))
                        return -EEXIST;
        }
        list = realloc(routes->list, (routes->count + 1) * sizeof(struct http_route *));
        if (!list)
                return -ENOMEM;
        for (; at > 0 && goes_before(route, list[at - 1]); at--)
                list[at] = list[at - 1];
        list[at] = route;
        routes->list = list;
        routes->count++;
        return 0;
}

int http_routes_add(struct http_routes *routes, quoit_http_listeners listeners, const char *path,
        quoit_http_handler handler, void *user)
{
        struct http_route *route;
        int r;

        if (!is_path(path, strlen(path)) || listeners < QUOIT_HTTP_ORDINARY ||
                listeners > QUOIT_HTTP_ALL)
                return -EINVAL;
        route = route_new(listeners, path, handler, user);
        r = route ? insert(routes, route) : -ENOMEM;
        if (r < 0)
                free(route);
        return r;
}

static bool matches(const struct http_route *route, const char *path, size_t size)
{
        if (route->is_prefix ? size < route->path_size : size != route->path_size)
                return false;
        return memcmp(route->path, path, route->path_size) == 0;
}

const struct http_route *http_routes_find(const struct http_routes *routes,
        quoit_http_listeners listener, const char *path, size_t size)
{
        for (size_t i = 0; i < routes->count; i++) {
                if ((routes->list[i]->listeners & listener) && matches(routes->list[i], path, size))
                        return routes->list[i];
        }
        return NULL;
}

bool http_routes_any(const struct http_routes *routes, quoit_http_listeners listener)
{
        for (size_t i = 0; i < routes->count; i++) {
                if (routes->list[i]->listeners & listener)
                        return true;
        }
        return false;
}

void http_routes_deinit(struct http_routes *routes)
{
        for (size_t i = 0; i < routes->count; i++)
                free(routes->list[i]);
        free(routes->list);
        *routes = (struct http_routes){ 0 };
}

int quoit_server_handle_http_on(quoit_server *server, quoit_http_listeners listeners,
        const char *path, quoit_http_handler handler, void *user)
{
        int r;

        if (atomic_load(&server->running))
                return server_fail(server, -EBUSY,
                        "the server runs already: add HTTP handlers before it starts");
        r = http_routes_add(&server->http_routes, listeners, path, handler, user);
        if (r == -EINVAL)
                return server_fail(server, r,
                        "'%s' is not a path of HTTP: give \"/path\", or \"/prefix/\" and a star",
                        path);
        if (r == -EEXIST)
                return server_fail(server, r, "%s has an HTTP handler already", path);
        return r < 0 ? server_fail(server, r, "out of memory") : 0;
}

int quoit_server_handle_http(
        quoit_server *server, const char *path, quoit_http_handler handler, void *user)
{
        return quoit_server_handle_http_on(server, QUOIT_HTTP_ORDINARY, path, handler, user);
}
