/* SPDX-License-Identifier: MIT */
#pragma once

/* How many messages a stream may still get: of servers (call.h) and of clients (client.h). */

#include <stdint.h>

/* The credits of a call if none were set: on_message gets every message as it arrives. */
#define QUOIT_CREDITS_UNLIMITED UINT32_MAX
