/* SPDX-License-Identifier: MIT */
#pragma once

/* --observe FILE: what a channel's interceptors see, and what its metrics are in the end, a line each. */

#include <quoit/quoit.h>

/* @channel is observed. What is seen is in the file @path. */
void observe(quoit_channel *channel, const char *path);

/* Its client is freed. */
void observe_end(void);
