/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The seed's service, passed on to the backend: so a browser has it from the address that its page is from. Its `user` is a struct
 * backend. A reader that is slow slows the backend's stream down, and a call whose browser is gone ends at the backend too.
 */

#include "api.quoit.h"

#define RELAY_TIMEOUT_MS 10000 /* of a unary call */

extern const api_Api_service relay_service;
