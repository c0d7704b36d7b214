/* SPDX-License-Identifier: MIT */
#include "server/server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <quoit/cors.h>
#include <quoit/version.h>

#include "call/cors.h"
#include "call/generic.h"
#include "codec/compression.h"
#include "link/limits.h"
#include "server/shard.h"

#define WORKERS_MAX 4096
#define WORKERS_DEFAULT 10 /* as many as gRPC's Python examples give a ThreadPoolExecutor */

int server_fail(struct quoit_server *server, int error, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(server->problem, sizeof(server->problem), format, arguments);
        va_end(arguments);
        return error;
}

/* What is wrong with the options; NULL: nothing. */
static const char *find_fault(const quoit_server_options *options)
{
        const quoit_limits *limits = &options->limits;

        if (options->rings > QUOIT_RINGS_MAX)
                return "rings: at most 1024";
        if (options->workers > WORKERS_MAX || options->handshake_threads > WORKERS_MAX)
                return "workers, handshake_threads: at most 4096";
        if (options->unix_mode > 0777)
                return "unix_mode: only permission bits, such as 0660";
        if (!compression_is_known(options->compression))
                return "compression: no such algorithm";
        if (options->protocols & ~QUOIT_PROTOCOLS_ALL)
                return "protocols: no such protocol";
        if ((unsigned)options->engine > QUOIT_ENGINE_EPOLL)
                return "engine: no such engine";
        /* RFC 9113 section 6.9.1 */
        if (limits->stream_window_bytes > INT32_MAX ||
                limits->connection_window_bytes > INT32_MAX || limits->window_bytes_max > INT32_MAX)
                return "limits: a window has at most 2147483647 bytes";
        /* RFC 9113 section 6.5.2; 0 is the default */
        if (limits->frame_bytes_max > 0 &&
                (limits->frame_bytes_max < 1 << 14 || limits->frame_bytes_max >= 1 << 24))
                return "limits: frame_bytes_max is from 16384 to 16777215";
        return NULL;
}

int quoit_server_new(const quoit_server_options *options, quoit_server **ret_server)
{
        const char *fault = options ? find_fault(options) : NULL;
        quoit_server *server;

        if (fault) {
                if (options->on_log)
                        options->on_log(options->log_user, QUOIT_LOG_ERROR, fault);
                return -EINVAL;
        }
        server = calloc(1, sizeof(*server));
        if (!server)
                return -ENOMEM;
        if (options)
                server->options = *options;
        if (server->options.rings == 0)
                server->options.rings = 1;
        if (server->options.workers == 0)
                server->options.workers = WORKERS_DEFAULT;
        if (server->options.handshake_threads == 0)
                server->options.handshake_threads = 1;
        limits_complete(&server->options.limits);
        workers_init(&server->workers);
        addresses_init(&server->addresses);
        log_init(&server->log, server->options.on_log, server->options.log_user,
                server->options.limits.peer_log_lines_per_second);
        complaints_init(&server->complaints);
        workers_init(&server->handshakers);
        pthread_mutex_init(&server->refusal_mutex, NULL);
        meetings_init(&server->meetings);
        rings_init(&server->lent, server->options.rings);
        *ret_server = server;
        return 0;
}

quoit_server *quoit_server_free(quoit_server *server)
{
        if (!server)
                return NULL;
        for (unsigned i = 0; i < server->listener_count; i++) {
                if (!server->listeners[i].is_taken)
                        close(server->listeners[i].fd);
                quoit_tls_free(server->listeners[i].tls);
        }
        workers_deinit(&server->workers);
        workers_deinit(&server->handshakers);
        pthread_mutex_destroy(&server->refusal_mutex);
        meetings_deinit(&server->meetings);
        rings_deinit(&server->lent);
        for (unsigned i = 0; server->shards && i < server->options.rings; i++)
                shard_free_unfinished(server->shards + i);
        router_deinit(&server->router);
        http_routes_deinit(&server->http_routes);
        transcode_deinit(&server->transcode);
        json_types_deinit(&server->json_types);
        hooks_deinit(&server->hooks);
        addresses_deinit(&server->addresses);
        log_deinit(&server->log);
        complaints_deinit(&server->complaints);
        free(server->interceptors);
        cors_free(server->cors);
        for (unsigned i = 0; server->shards && i < server->options.rings; i++)
                census_deinit(&server->shards[i].census);
        free(server->shards);
        free(server);
        return NULL;
}

quoit_rings *quoit_server_rings(quoit_server *server)
{
        return &server->lent;
}

/* ---- services ---- */

/* Others are answered UNIMPLEMENTED: the router knows their service, not their path. */
static bool is_routed(const quoit_method *method, const void *implementation)
{
        return method->is_implemented && method->is_implemented(implementation);
}

/* All, or none. */
static int add_routes(
        quoit_server *server, const quoit_service *service, const void *implementation, void *user)
{
        struct route route = {
                .file = service->file, .implementation = implementation, .user = user
        };
        size_t count = 0;
        int r = router_reserve(&server->router, service->method_count);

        while (r == 0 && count < service->method_count) {
                route.method = service->methods + count;
                if (is_routed(route.method, implementation))
                        r = router_add(&server->router, &route);
                count += r == 0;
        }
        while (r < 0 && count-- > 0) {
                if (is_routed(service->methods + count, implementation))
                        router_remove_last(&server->router, service->methods + count);
        }
        return r;
}

int quoit_server_register(
        quoit_server *server, const quoit_service *service, const void *implementation, void *user)
{
        int r;

        if (atomic_load(&server->running))
                return server_fail(server, -EBUSY,
                        "the server runs already: register services before it starts");
        r = router_add_service(&server->router, service);
        if (r == -EEXIST)
                return server_fail(server, r, "service %s is registered already", service->name);
        if (r < 0)
                return server_fail(server, r, "out of memory");
        r = add_routes(server, service, implementation, user);
        if (r < 0) {
                server->router.service_count--;
                return server_fail(server, r, "service %s: %s", service->name, strerror(-r));
        }
        return 0;
}

int quoit_server_register_generic(quoit_server *server, const quoit_generic_handler *handler,
        const quoit_method_options *options, void *user)
{
        struct route route = { .method = &generic_method, .implementation = handler, .user = user };
        int r;

        if (options)
                route.options = *options;
        if (atomic_load(&server->running))
                return server_fail(server, -EBUSY,
                        "the server runs already: register the generic handler before it starts");
        if (!compression_is_known(route.options.compression))
                return server_fail(server, -EINVAL, "generic handler: no such compression");
        if (route.options.protocols & ~QUOIT_PROTOCOLS_ALL)
                return server_fail(server, -EINVAL, "generic handler: no such protocol");
        r = router_set_generic(&server->router, &route);
        if (r == -EEXIST)
                return server_fail(server, r, "the server has a generic handler already");
        return r < 0 ? server_fail(server, r, "out of memory") : 0;
}

int quoit_server_set_method(
        quoit_server *server, const char *path, const quoit_method_options *options)
{
        ssize_t set;

        if (atomic_load(&server->running))
                return server_fail(server, -EBUSY,
                        "the server runs already: set options of methods before it starts");
        if (!compression_is_known(options->compression))
                return server_fail(server, -EINVAL, "%s: no such compression", path);
        if (options->protocols & ~QUOIT_PROTOCOLS_ALL)
                return server_fail(server, -EINVAL, "%s: no such protocol", path);
        set = router_set_options(&server->router, path, options);
        if (set < 0)
                return server_fail(server, (int)set, "out of memory");
        if (set == 0)
                return server_fail(server, -ENOENT,
                        "no method %s: give /package.Service/Method of a service that is "
                        "registered",
                        path);
        return 0;
}

int quoit_server_intercept(quoit_server *server, const quoit_interceptor *interceptor, void *user)
{
        struct interceptors *interceptors = server->interceptors;

        if (atomic_load(&server->running))
                return server_fail(server, -EBUSY,
                        "the server runs already: add interceptors before it starts");
        if (!interceptors)
                interceptors = server->interceptors = calloc(1, sizeof(*interceptors));
        if (!interceptors)
                return server_fail(server, -ENOMEM, "out of memory");
        if (interceptors->count == INTERCEPTORS_MAX)
                return server_fail(
                        server, -E2BIG, "there are %d interceptors already", INTERCEPTORS_MAX);
        interceptors->list[interceptors->count].functions = interceptor;
        interceptors->list[interceptors->count++].user = user;
        return 0;
}

int quoit_server_set_cors(quoit_server *server, const quoit_cors_options *options)
{
        struct cors_problem problem;
        struct cors *cors = NULL;
        int r = 0;

        if (atomic_load(&server->running))
                return server_fail(server, -EBUSY,
                        "the server runs already: say which pages may call before it starts");
        if (options->origin_count > 0)
                r = cors_new(options, &cors, &problem);
        if (r == -EINVAL)
                return server_fail(server, r, "CORS: '%s' %s", problem.origin, problem.what);
        if (r < 0)
                return server_fail(server, r, "out of memory");
        cors_free(server->cors);
        server->cors = cors;
        return 0;
}

void server_note_refusal(struct quoit_server *server, enum refusal_call call, int error)
{
        struct refusal refusal = {
                .call = call,
                .error = error,
                .rings = server->options.rings,
                .ring_bytes = base_kernel_bytes(SHARD_ENTRIES_MIN),
                .ring_bytes_full = base_kernel_bytes(RING_SQ_ENTRIES),
        };

        pthread_mutex_lock(&server->refusal_mutex);
        if (!server->refusal[0]) {
                server->refused = refusal;
                refusal_explain(&refusal, server->refusal);
        }
        pthread_mutex_unlock(&server->refusal_mutex);
}

void server_forget_refusal(quoit_server *server)
{
        server->refusal[0] = '\0'; /* the next refusal has its own text */
}

int server_fail_refused(quoit_server *server, int error)
{
        server_fail(server, error, "%s", server->refusal);
        server_forget_refusal(server);
        return error;
}

void server_wake_shards(quoit_server *server)
{
        atomic_fetch_add(&server->wakers, 1);
        for (unsigned i = 0; server->shards && i < server->options.rings; i++) {
                if (atomic_load(&server->shards[i].wakeable))
                        ring_wake(&server->shards[i].base.ring);
        }
        atomic_fetch_sub(&server->wakers, 1);
}

void quoit_server_drain(quoit_server *server, uint32_t drain_ms)
{
        atomic_store(&server->drain_ms, drain_ms);
        atomic_fetch_add(&server->drains, 1);
        server_wake_shards(server);
}

void quoit_server_stop(quoit_server *server)
{
        if (atomic_fetch_add(&server->stops, 1) == 0)
                quoit_server_drain(server, server->options.limits.drain_ms);
        else
                server_wake_shards(server);
}

const char *quoit_server_problem(const quoit_server *server)
{
        if (!server)
                return "there is no server: quoit_server_new() failed, and said why to on_log";
        return server->problem;
}
