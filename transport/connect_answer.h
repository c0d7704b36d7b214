/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The answer of an HTTP/1.1 proxy to CONNECT (RFC 9110 section 9.3.6, RFC 9112), sans-I/O. Of what a proxy sends only its status line is
 * kept. A status of 2xx opens the tunnel: what follows the empty line is the server's, whatever Content-Length says. Interim answers
 * (1xx, but not 101, which nobody has asked for) are passed over. Lines may end in LF alone.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONNECT_ANSWER_LINE_BYTES 96 /* of a status line that are kept */

struct connect_answer {
        size_t bytes_max; /* of all of it, up to the empty line */
        size_t bytes; /* that have come */
        size_t line_size; /* of the line that has begun, without its end */
        unsigned status; /* once the status line has come, and its fields follow; else 0 */
        bool has_cr; /* the last byte was one: the line may end with the next */
        size_t kept_size; /* of @kept */
        char kept[CONNECT_ANSWER_LINE_BYTES]; /* the beginning of the status line */
};

/* It may take @bytes_max. */
void connect_answer_init(struct connect_answer *answer, size_t bytes_max);

/*
 * The proxy has sent @size bytes more; *@ret_used of them were the answer's.
 * 1: the tunnel is open; 0: more is to come. Or what is wrong:
 *      -ECONNREFUSED   another status: connect_answer_text()
 *      -EPROTO         this is not HTTP/1.1
 *      -EMSGSIZE       more than `bytes_max`
 * After that, and after 1, it is not fed any more.
 */
int connect_answer_feed(
        struct connect_answer *answer, const uint8_t *data, size_t size, size_t *ret_used);

/* The status line, or what came in its place, as far as it is kept, and as a person can read it. */
void connect_answer_text(
        const struct connect_answer *answer, char ret_text[static CONNECT_ANSWER_LINE_BYTES + 1]);
