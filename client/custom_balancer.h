/* SPDX-License-Identifier: MIT */
#pragma once

/* A user's policy (quoit_balancer), as one of spread.h. */

#include "client/spread.h"

extern const struct spread_policy custom_balancer;
