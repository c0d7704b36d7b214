/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The methods of all paths that the router does not know. Their calls go the way of any other, through admission and
 * interceptors, and then hear UNIMPLEMENTED with the path that they asked for, and whether its service is known.
 */

#include "call/call.h"

extern const struct route unknown_service_route;
extern const struct route unknown_method_route;

static inline bool route_is_unknown(const struct route *route)
{
        return route == &unknown_service_route || route == &unknown_method_route;
}
