/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The messages of grpc.health.v1.Health.Watch, as a client needs them, with the tables that protoc-gen-quoit would make of the .proto file:
 * libquoit has its generated code beside a server's services, where the client's rooms do not reach.
 */

#include <stdint.h>

#include <quoit/service.h>

#include "upb/base/string_view.h"

struct upb_Arena;
struct upb_Message;

/* Of HealthCheckResponse.ServingStatus. */
#define HEALTH_STATUS_SERVING 1

extern const quoit_method health_watch;

/* NULL: no memory. @service must live as long as it. */
struct upb_Message *health_request_new(struct upb_Arena *arena, upb_StringView service);

/* The `status` of a response. */
int32_t health_response_status(const struct upb_Message *response);
