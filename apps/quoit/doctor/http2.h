/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "report.h"
#include "wire.h"

/* What a server says to HTTP/2's preface. */
enum speech {
        SPEECH_HTTP2,
        SPEECH_HTTP1,
        SPEECH_TLS, /* an alert: it wants TLS */
        SPEECH_OTHER,
        SPEECH_CLOSED, /* it ends the connection, without a word */
        SPEECH_SILENT, /* until the deadline */
};

/* Of the first @size bytes, at least one. Pure. */
enum speech http2_speech(const unsigned char *bytes, size_t size);

/*
 * Sends the preface, reads the server's SETTINGS and the answer to a PING, and says what they are. Where it is not HTTP/2 nothing is
 * said, but by http2_complain().
 */
enum speech http2_check(struct report *report, struct wire *wire);

/* Says that it is not HTTP/2, and what to do. */
void http2_complain(struct report *report, enum speech speech, bool is_tls);
