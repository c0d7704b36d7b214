/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The methods for all paths that the router does not know. Their calls pass admission and interceptors as others do. Then
 * they end UNIMPLEMENTED, with a text that has the path and says whether its service is known.
 */

#include "call/call.h"

extern const struct route unknown_service_route;
extern const struct route unknown_method_route;

static inline bool route_is_unknown(const struct route *route)
{
        return route == &unknown_service_route || route == &unknown_method_route;
}
