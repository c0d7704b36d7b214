/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/endpoint.h"

/*
 * The addresses of a host's TCP port, as the system's resolver has them (getaddrinfo(3)), in its order (RFC 6724): up to @count_max. It
 * blocks, perhaps for half a minute: not for a ring's thread. How many; or 0, with what is wrong in @problem, cut to @problem_bytes.
 */
unsigned resolve_tcp(const char *host, uint16_t port, struct endpoint *ret_addresses,
        unsigned count_max, char *problem, size_t problem_bytes);
