/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a server's call sends besides messages: response headers and trailers, as gRPC's HTTP/2 mapping
 * has them (PROTOCOL-HTTP2, "Responses"). Field lists may be NULL; what they and @text point to lives
 * until the stream is closed. If memory is short the stream is reset.
 */

#include <stddef.h>

#include <quoit/status.h>

struct quoit_call;
struct fields;

void response_submit_headers(struct quoit_call *call, const struct fields *headers);

/* Behind the data: from call_pull(), or instead of the data that is left. @text is percent-encoded. */
void response_submit_trailers(struct quoit_call *call, quoit_status status, const char *text,
        size_t text_size, const struct fields *trailers);

/* Headers and trailers in one, where there is no message, and nothing that the application added to the headers. */
void response_submit_trailers_only(struct quoit_call *call, quoit_status status, const char *text,
        size_t text_size, const struct fields *trailers);

/*
 * RST_STREAM with the error code that says most of @status. None for UNAVAILABLE: its code, REFUSED_STREAM, would
 * say that nothing was done; the server is stopping then, and closing the connection says it.
 */
void response_reset(struct quoit_call *call, quoit_status status);

/* An HTTP status, and the static @text for whoever reads it: not gRPC's. */
void response_submit_http(struct quoit_call *call, const char *http_status, const char *text);
