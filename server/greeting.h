/* SPDX-License-Identifier: MIT */
#pragma once

/* What a client began with that took the wrong door: HTTP/1, TLS, something else altogether. */

#include <stddef.h>
#include <stdint.h>

struct connection;

/* In the log, if the session did not understand @data because it is no HTTP/2 that the peer began with. TLS: no @data. */
void greeting_explain(const struct connection *connection, const uint8_t *data, size_t size);
