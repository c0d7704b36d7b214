/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HOST_PORT_BYTES 512 /* enough for any host */

/* Prints "HOST:PORT", with brackets around an address of IPv6 that has none. False: there is no room for all of it. */
bool host_port_print(char text[HOST_PORT_BYTES], const char *host, unsigned port);

/*
 * Whether a variable NAME_PORT has a URL. Kubernetes (for a Service with that NAME) and Docker's links set such ones, as
 * BACKEND_PORT=tcp://10.0.0.1:50051: that is the address of another service, and nobody has meant it for us.
 */
bool host_port_is_foreign(const char *text);
