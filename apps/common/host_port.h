/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HOST_PORT_BYTES 512 /* enough for any host */

/* Prints "HOST:PORT", with brackets around an address of IPv6 that has none. False: there is no room for all of it. */
bool host_port_print(char text[HOST_PORT_BYTES], const char *host, unsigned port);
