/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which HTTP proxy a channel's connections go by (gRPC's proposal A1), and what it is asked. Only targets of DNS go by one, where gRPC's
 * other kinds of names are addresses of this machine or have been chosen one by one.
 */

#include <quoit/client.h>

#include "client/target.h"

#define PROXY_PROBLEM_BYTES 400

struct proxy {
        char *request; /* the header block of CONNECT, to be freed; NULL: it goes by none */
        struct target target; /* with that: the proxy's own name or addresses */
};

/*
 * The proxy of @url ("": none; NULL: as the environment says now) for a channel to @target, in *@ret_proxy. 0; -EINVAL: there cannot be
 * such a proxy, and @ret_problem says why, without passwords; -ENOMEM.
 */
int proxy_choose(const char *url, const struct target *target, struct proxy *ret_proxy,
        char ret_problem[static PROXY_PROBLEM_BYTES]);
