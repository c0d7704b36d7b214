/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/limits.h>

/* Gives each limit that is 0 its default. */
void limits_complete(quoit_limits *limits);
