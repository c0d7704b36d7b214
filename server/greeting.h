/* SPDX-License-Identifier: MIT */
#pragma once

/* What a client began with that took the wrong door: HTTP/1, TLS, a proxy's header, something else altogether. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connection;

enum greeting {
        GREETING_UNCLEAR, /* as far as it has come */
        GREETING_HTTP1,
        GREETING_TLS,
        GREETING_PROXY_V1,
        GREETING_PROXY_V2,
        GREETING_DAMAGED, /* HTTP/2's preface, all but */
        GREETING_OTHER,
};

/* Says what these bytes (at least one) begin, given that they are not HTTP/2's preface. @whole: no more will come. Pure. */
enum greeting greeting_look(const uint8_t *data, size_t size, bool whole);

/*
 * The peer of @connection does not speak HTTP/2. Has it sent enough to tell what it does speak? Then a line is in the log, and HTTP/1
 * has its answer queued. @whole: it won't send more. False: wait for more.
 */
bool greeting_answer(struct connection *connection, bool whole);
