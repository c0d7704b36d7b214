/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a server's call sends besides messages: response headers and trailers, as gRPC's HTTP/2 mapping
 * defines them (PROTOCOL-HTTP2, "Responses"). Field lists can be NULL. Fields and @text must live until
 * the stream is closed. If memory is short the stream is reset.
 */

#include <stdbool.h>
#include <stddef.h>

#include <quoit/status.h>

struct field_block;
struct fields;
struct quoit_call;

void response_submit_headers(struct quoit_call *call, const struct fields *headers);

/* After the data: from call_pull(), or instead of the remaining data. @text is percent-encoded. */
void response_submit_trailers(struct quoit_call *call, quoit_status status, const char *text,
        size_t text_size, const struct fields *trailers);

/* Headers and trailers in one block, for a call without messages and without header fields of the application. */
void response_submit_trailers_only(struct quoit_call *call, quoit_status status, const char *text,
        size_t text_size, const struct fields *trailers);

/*
 * RST_STREAM with the error code that is nearest to @status. None for UNAVAILABLE: its code, REFUSED_STREAM, would say that
 * the call was not processed. The server is stopping then, and closes the connection.
 */
void response_reset(struct quoit_call *call, quoit_status status);

/* The answer to a plain HTTP request: its status, its header fields, then what is queued. */
void response_submit_answer(struct quoit_call *call);

/* The same without a handler: a status, and the static @text for a human reader. */
void response_submit_http(struct quoit_call *call, const char *http_status, const char *text);

/*
 * Sends the first block of a response that is made elsewhere, with what pages of other origins must find there (cors.h). @end: it is all. 0,
 * -ENOMEM.
 */
int response_respond(struct quoit_call *call, struct field_block *block, bool end);
