/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a service config says about load balancing: loadBalancingConfig, the first of its policies that is known (grpc.service_config,
 * and gRPC's proposals A42, A48, A50, A58, A62, A76); else the older loadBalancingPolicy.
 */

#include <stdbool.h>

struct balancing;
struct json;
struct place;

/* Of a config's @object at @whole. As all readers of service_config_read.h; *@ret_is_said: it says something. */
int balancing_read(const struct place *whole, const struct json *object,
        struct balancing *ret_balancing, bool *ret_is_said);
