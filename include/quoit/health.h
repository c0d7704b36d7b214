/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Health checking: grpc.health.v1.Health (Check, List, Watch), as grpc's doc/health-checking.md specifies it. Load balancers,
 * Kubernetes and gRPC's own clients use it.
 *
 *      quoit_health *health;
 *
 *      quoit_health_register(server, &health);
 *      quoit_health_set(health, "api.Api", QUOIT_HEALTH_SERVING);
 *
 * When the server stops, all services become NOT_SERVING. Watchers get that ahead of the GOAWAY; then their streams end with
 * UNAVAILABLE, so that they do not delay the stop.
 *
 * A watcher that reads slowly can miss changes, but never the last one. The streams of watchers count as all others do
 * (`streams_max` in limits.h).
 */

#include <quoit/export.h>
#include <quoit/http.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/* The health of a server. Its functions can be called from any thread. */
typedef struct quoit_health quoit_health;

/* The health of a service; the numbers are those of grpc.health.v1.HealthCheckResponse.ServingStatus. */
typedef enum quoit_health_status {
        QUOIT_HEALTH_UNKNOWN = 0, /* not known */
        QUOIT_HEALTH_SERVING = 1, /* send calls here */
        QUOIT_HEALTH_NOT_SERVING = 2, /* send calls elsewhere */
} quoit_health_status;

/*
 * Registers grpc.health.v1.Health with @server. At first "", the whole server, is SERVING, and no other service is known.
 * @ret_health can be NULL; *@ret_health belongs to the server and lives until quoit_server_free(). Returns 0 or an error of
 * quoit_server_register().
 */
QUOIT_API int quoit_health_register(quoit_server *server, quoit_health **ret_health);

/*
 * Sets the status of @service ("package.Service", copied; "" is the whole server) and sends it to those who watch it. Any name
 * can be used, registered or not. 0; -EINVAL for another status; -ENOMEM: call it again, or somebody who watches may not hear of it.
 */
QUOIT_API int quoit_health_set(
        quoit_health *health, const char *service, quoit_health_status status);

/*
 * Puts what is reported of @service into *@ret_status: NOT_SERVING while all are suspended, or the server stops. 0; -ENOENT: it is not
 * known, and *@ret_status is untouched.
 */
QUOIT_API int quoit_health_get(
        quoit_health *health, const char *service, quoit_health_status *ret_status);

/* Forgets @service: Check answers NOT_FOUND, and those who watch it get SERVICE_UNKNOWN. */
QUOIT_API void quoit_health_forget(quoit_health *health, const char *service);

/*
 * Reports all services as NOT_SERVING until quoit_health_resume(): for a program that lets its load balancer turn away before
 * it stops. Statuses that are set in between are reported after that.
 */
QUOIT_API void quoit_health_suspend(quoit_health *health);

/* Ends quoit_health_suspend(). */
QUOIT_API void quoit_health_resume(quoit_health *health);

/*
 * Answers probes that speak HTTP and not gRPC, on @listeners of the server:
 *
 *      /healthz    whether the process is well: 200 "ok", or 503 "stopping" while all services are suspended and when the server
 *                  stops. What a service reports of itself does not count: a restart, which is what follows where this is a liveness
 *                  probe, would not help it
 *      /readyz     whether calls may come: 200 "ok" if the whole server ("") is SERVING, or else 503 and what it is;
 *                  /readyz?service=NAME asks for a service, and is 404 if that is not known
 *
 * Before quoit_server_run(). 0, or an error of quoit_server_handle_http_on().
 */
QUOIT_API int quoit_health_handle_http(
        quoit_health *health, quoit_server *server, quoit_http_listeners listeners);

QUOIT_END_DECLS
