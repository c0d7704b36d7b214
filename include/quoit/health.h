/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Health checking: grpc.health.v1.Health (Check, List, Watch), as grpc's doc/health-checking.md says. Load balancers, Kubernetes
 * and gRPC's own clients ask it.
 *
 *      quoit_health *health;
 *
 *      quoit_health_register(server, &health);
 *      quoit_health_set(health, "api.Api", QUOIT_HEALTH_SERVING);
 *
 * When the server stops, all that is known becomes NOT_SERVING, which is sent to those who watch ahead of the GOAWAY; then their
 * streams end with UNAVAILABLE, so that they don't keep the server.
 *
 * Who watches and reads slowly misses changes, never the last one. The streams of watchers count as any others
 * (`streams_max` in limits.h).
 */

#include <quoit/export.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/* What is known of a server's health. Its functions may be called from any thread. */
typedef struct quoit_health quoit_health;

/* How a service is; numbers are those of grpc.health.v1.HealthCheckResponse.ServingStatus. */
typedef enum quoit_health_status {
        QUOIT_HEALTH_UNKNOWN = 0, /* not said */
        QUOIT_HEALTH_SERVING = 1, /* send it calls */
        QUOIT_HEALTH_NOT_SERVING = 2, /* send them elsewhere */
} quoit_health_status;

/*
 * Registers grpc.health.v1.Health with @server, where "", the whole server, is SERVING and nothing else is known yet.
 * *@ret_health, unless NULL is given, is the server's: it lives until quoit_server_free(). 0 or as
 * quoit_server_register().
 */
QUOIT_API int quoit_health_register(quoit_server *server, quoit_health **ret_health);

/*
 * Says that @service ("package.Service", copied; any name is fine; "" is the whole server) is @status from now on, and
 * tells those who watch it. Nobody checks it against what is registered. 0, -EINVAL for another status, -ENOMEM.
 */
QUOIT_API int quoit_health_set(
        quoit_health *health, const char *service, quoit_health_status status);

/* Forgets @service: Check answers NOT_FOUND, those who watch are told SERVICE_UNKNOWN. */
QUOIT_API void quoit_health_forget(quoit_health *health, const char *service);

/*
 * From now on all that is known is told as NOT_SERVING, until quoit_health_resume(): for a program that lets its load balancer turn
 * away before it stops. What is set meanwhile is told then.
 */
QUOIT_API void quoit_health_suspend(quoit_health *health);

/* Ends that. */
QUOIT_API void quoit_health_resume(quoit_health *health);

QUOIT_END_DECLS
