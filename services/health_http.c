/* SPDX-License-Identifier: MIT */

/* The health of a server for probes that speak HTTP: /healthz and /readyz. */

#include <string.h>

#include "services/health.h"

#define SERVICE_BYTES 256 /* longer names are not known */

static void reply(quoit_call *call, unsigned status, const char *text)
{
        (void)quoit_call_add_header(call, "cache-control", upb_StringView_FromString("no-store"));
        (void)quoit_http_reply(call,
                &(quoit_http_answer){
                        .status = status, .body = text, .size = strlen(text), .is_static = true });
}

static void on_healthz(quoit_call *call, void *user)
{
        if (health_is_leaving(user))
                reply(call, 503, "stopping\n");
        else
                reply(call, 200, "ok\n");
}

/* The service of the query, "" if it has none. False: it is too long to be known. */
static bool asked_service(const quoit_call *call, char ret_service[SERVICE_BYTES])
{
        static const char name[] = "service=";
        const char *query = quoit_http_query(call), *value = "";
        size_t size;

        for (; *query; query += *query == '&') {
                size = strcspn(query, "&");
                if (strncmp(query, name, strlen(name)) == 0)
                        value = query + strlen(name);
                query += size;
        }
        size = strcspn(value, "&");
        if (size >= SERVICE_BYTES)
                return false;
        memcpy(ret_service, value, size);
        ret_service[size] = '\0';
        return true;
}

static void on_readyz(quoit_call *call, void *user)
{
        char service[SERVICE_BYTES];
        quoit_health_status status;

        if (!asked_service(call, service) || quoit_health_get(user, service, &status) < 0)
                reply(call, 404, "unknown service\n");
        else if (status == QUOIT_HEALTH_SERVING)
                reply(call, 200, "ok\n");
        else
                reply(call, 503,
                        status == QUOIT_HEALTH_NOT_SERVING ? "NOT_SERVING\n" : "UNKNOWN\n");
}

int quoit_health_handle_http(
        quoit_health *health, quoit_server *server, quoit_http_listeners listeners)
{
        int r = quoit_server_handle_http_on(server, listeners, "/healthz", on_healthz, health);

        return r < 0 ? r
                     : quoit_server_handle_http_on(server, listeners, "/readyz", on_readyz, health);
}
