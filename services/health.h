/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <quoit/health.h>

/* Whether all services are suspended, or the server stops. Any thread. */
bool health_is_leaving(quoit_health *health);
