/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * NO_PROXY: the hosts that are reached without the proxy of the environment. A list separated by commas or spaces, in which an entry is
 *      *                   every host
 *      example.com         this name and all below it, in either case
 *      .example.com        only those below it; *.example.com too
 *      10.0.0.1, ::1       this address; in [brackets] too
 *      10.0.0.0/8, fd00::/8
 *                          these addresses
 * Names and addresses can be followed by :PORT, and are for this port alone then. Names are not looked up. What is none of these
 * matches nothing. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

/* Whether @host, a name or an address without brackets, at @port is in @list. */
bool no_proxy_has(const char *list, const char *host, uint16_t port);

/* Whether @host is this machine: "localhost", or an address of 127.0.0.0/8, or ::1. */
bool no_proxy_is_here(const char *host);
