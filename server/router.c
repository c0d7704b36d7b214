/* SPDX-License-Identifier: MIT */
#include "server/router.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 64
#define CACHE_LINE_BYTES 64

struct router_slot {
        struct route *
                route; /* NULL: free. A pointer, so that routes stay where they are when the table grows */
        size_t path_size;
        uint64_t hash;
};

static uint64_t hash_add(uint64_t hash, const char *bytes, size_t size)
{
        uint64_t word = 0;

        memcpy(&word, bytes, size);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15;
        return hash ^ hash >> 32;
}

/*
 * Hashes a word a step. The paths in the table are ours, so no peer can make them collide. A path that is looked up is
 * compared with the few next to its place, by their whole hash first.
 */
static uint64_t hash_path(const char *path, size_t size)
{
        uint64_t hash = size;

        for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), path += sizeof(uint64_t))
                hash = hash_add(hash, path, sizeof(uint64_t));
        return hash_add(hash, path, size);
}

/* The slot that holds @path, or the free one where it belongs. */
static struct router_slot *find_slot(
        const struct router *router, const char *path, size_t size, uint64_t hash)
{
        size_t mask = router->slot_count - 1;

        for (size_t i = hash & mask;; i = (i + 1) & mask) {
                struct router_slot *slot = router->slots + i;

                if (!slot->route)
                        return slot;
                if (slot->hash == hash && slot->path_size == size &&
                        memcmp(slot->route->method->path, path, size) == 0)
                        return slot;
        }
}

/* To at least twice as many slots as @route_count. */
static int grow(struct router *router, size_t route_count)
{
        struct router grown = *router;

        grown.slot_count = router->slot_count ? router->slot_count : SLOTS_MIN;
        while (grown.slot_count < route_count * 2)
                grown.slot_count *= 2;
        grown.slots = calloc(grown.slot_count, sizeof(*grown.slots));
        if (!grown.slots)
                return -ENOMEM;
        for (size_t i = 0; i < router->slot_count; i++) {
                struct router_slot *slot = router->slots + i;

                if (slot->route)
                        *find_slot(&grown, slot->route->method->path, slot->path_size, slot->hash) =
                                *slot;
        }
        free(router->slots);
        *router = grown;
        return 0;
}

int router_reserve(struct router *router, size_t count)
{
        size_t route_count = router->route_count + count;

        return route_count * 2 > router->slot_count ? grow(router, route_count) : 0;
}

int router_add(struct router *router, const struct route *route)
{
        const char *path = route->method->path;
        size_t size = strlen(path);
        uint64_t hash = hash_path(path, size);
        struct router_slot *slot;
        struct route *copy;
        int r;

        r = router_reserve(router, 1);
        if (r < 0)
                return r;
        slot = find_slot(router, path, size, hash);
        if (slot->route)
                return -EEXIST;
        copy = malloc(sizeof(*copy));
        if (!copy)
                return -ENOMEM;
        *copy = *route;
        *slot = (struct router_slot){ .route = copy, .path_size = size, .hash = hash };
        router->route_count++;
        return 0;
}

void router_remove_last(struct router *router, const struct quoit_method *method)
{
        size_t size = strlen(method->path);
        struct router_slot *slot =
                find_slot(router, method->path, size, hash_path(method->path, size));

        free(slot->route);
        *slot = (struct router_slot){ 0 };
        router->route_count--;
}

static bool has_service(const struct router *router, const char *name, size_t size)
{
        for (size_t i = 0; i < router->service_count; i++) {
                const char *known = router->services[i]->name;

                if (strlen(known) == size && memcmp(known, name, size) == 0)
                        return true;
        }
        return false;
}

int router_add_service(struct router *router, const struct quoit_service *service)
{
        const struct quoit_service **services;

        if (has_service(router, service->name, strlen(service->name)))
                return -EEXIST;
        services = realloc(router->services, (router->service_count + 1) * sizeof(*services));
        if (!services)
                return -ENOMEM;
        services[router->service_count++] = service;
        router->services = services;
        return 0;
}

bool router_has_service_of(const struct router *router, const char *path, size_t size)
{
        const char *end = size > 0 ? memrchr(path, '/', size) : NULL;

        return end && end > path && has_service(router, path + 1, (size_t)(end - path) - 1);
}

const struct route *router_find(const struct router *router, const char *path, size_t size)
{
        if (router->slot_count == 0)
                return NULL;
        return find_slot(router, path, size, hash_path(path, size))->route;
}

static bool path_matches(const char *pattern, const char *path)
{
        size_t size = strlen(pattern);

        if (size >= 2 && strcmp(pattern + size - 2, "/*") == 0)
                return strncmp(pattern, path, size - 1) == 0;
        return strcmp(pattern, path) == 0;
}

/* On a cache line of its own: all rings write it. */
static atomic_uint *live_calls_new(void)
{
        atomic_uint *live = aligned_alloc(CACHE_LINE_BYTES, CACHE_LINE_BYTES);

        if (live)
                atomic_init(live, 0);
        return live;
}

int router_set_generic(struct router *router, const struct route *route)
{
        struct route *copy;

        if (router->generic)
                return -EEXIST;
        copy = malloc(sizeof(*copy));
        if (!copy)
                return -ENOMEM;
        *copy = *route;
        if (copy->options.live_calls_max > 0) {
                copy->live_calls = live_calls_new();
                if (!copy->live_calls) {
                        free(copy);
                        return -ENOMEM;
                }
        }
        router->generic = copy;
        return 0;
}

const struct route *router_find_generic(const struct router *router, const char *path, size_t size)
{
        const char *end = router->generic && size > 0 ? memrchr(path, '/', size) : NULL;

        return end && *path == '/' && end > path ? router->generic : NULL;
}

ssize_t router_set_options(
        struct router *router, const char *path, const quoit_method_options *options)
{
        ssize_t count = 0;

        for (size_t i = 0; i < router->slot_count; i++) {
                struct route *route = router->slots[i].route;

                if (!route || !path_matches(path, route->method->path))
                        continue;
                if (options->live_calls_max > 0 && !route->live_calls)
                        route->live_calls = live_calls_new();
                if (options->live_calls_max > 0 && !route->live_calls)
                        return -ENOMEM;
                route->options = *options;
                count++;
        }
        return count;
}

bool router_has_offloaded(const struct router *router)
{
        for (size_t i = 0; i < router->slot_count; i++) {
                if (router->slots[i].route && router->slots[i].route->options.offload)
                        return true;
        }
        return router->generic && router->generic->options.offload;
}

void router_deinit(struct router *router)
{
        for (size_t i = 0; i < router->slot_count; i++) {
                if (router->slots[i].route)
                        free(router->slots[i].route->live_calls);
                free(router->slots[i].route);
        }
        if (router->generic)
                free(router->generic->live_calls);
        free(router->generic);
        free(router->slots);
        free(router->services);
        *router = (struct router){ 0 };
}
