/* SPDX-License-Identifier: MIT */
#include "test_server.h"

#include <stdlib.h>
#include <string.h>

static int change(quoit_health *health, const calls_HealthChange *request, const char *service)
{
        switch (calls_HealthChange_action(request)) {
        case calls_HealthChange_SET:
                return quoit_health_set(
                        health, service, (quoit_health_status)calls_HealthChange_status(request));
        case calls_HealthChange_FORGET:
                quoit_health_forget(health, service);
                break;
        case calls_HealthChange_SUSPEND:
                quoit_health_suspend(health);
                break;
        case calls_HealthChange_RESUME:
                quoit_health_resume(health);
                break;
        }
        return 0;
}

static void set_health(quoit_call *call, const calls_HealthChange *request, void *user)
{
        struct test_server *test = user;
        upb_StringView service = calls_HealthChange_service(request);
        char *name = service.size > 0 ? strndup(service.data, service.size) : strdup("");
        int r = change(test->health, request, name);

        free(name);
        if (r < 0)
                quoit_call_finishf(call, QUOIT_INVALID_ARGUMENT, "%s", strerror(-r));
        else
                calls_Calls_SetHealth_reply(call, calls_Empty_new(quoit_call_arena(call)));
}

void health_add(calls_Calls_service *service)
{
        service->SetHealth = set_health;
}
