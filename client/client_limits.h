/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/client.h>
#include <quoit/limits.h>

/* Replaces each limit that is 0 by its default. 0; -EINVAL: one that HTTP/2 does not allow. */
int client_limits_complete(quoit_client_limits *limits);

/* The limits of its connections and exchanges: what link/ and below read. */
void client_limits_of_base(const quoit_client_limits *limits, quoit_limits *ret_limits);
