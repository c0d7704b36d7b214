/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The method of all paths that the router does not know. Their calls go the way of any other, through admission and
 * interceptors, and then hear UNIMPLEMENTED with the path that they asked for.
 */

#include "call/call.h"

extern const struct route unknown_route;
