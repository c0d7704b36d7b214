/* SPDX-License-Identifier: MIT */
#pragma once

/* What a client began with that took the wrong door: HTTP/1, TLS, something else altogether. */

#include <stddef.h>
#include <stdint.h>

struct connection;

/* In the log, if @data, which the session did not understand, is the first from a peer and no HTTP/2. On a port in the clear. */
void greeting_explain(const struct connection *connection, const uint8_t *data, size_t size);
