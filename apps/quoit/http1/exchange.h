/* SPDX-License-Identifier: MIT */
#pragma once

/* One request of HTTP/1.1 and its answer (RFC 9112), parsed by llhttp. What is sent and what comes do not wait for one another. */

#include "../doctor/wire.h"
#include "../metadata_flags.h"
#include "bytes.h"

enum { ANSWER_FIELD_BYTES_MAX = 65536 }; /* of all heads of the answer, above: -EMSGSIZE */

struct exchange {
        struct wire *wire;
        int stop_fd; /* when it is readable, that is the end: -ECANCELED. -1: none */
        struct upb_Arena *arena; /* of the fields */
        /*
         * The status and the fields are there: names are lower case, and values as they came. Then the body, piece by piece, as it comes.
         * 0 goes on; a negative errno is the end, and is returned.
         */
        int (*on_head)(unsigned status, const struct metadata *fields, void *user);
        int (*on_body)(const char *bytes, size_t size, void *user);
        void *user;
};

/*
 * Sends @request, head and body, and takes the answer to its end. 0; -ETIMEDOUT: the wire's deadline; -EBADMSG: the answer is not
 * HTTP/1.1; -ECONNRESET: it is not whole; or another negative errno.
 */
int exchange_run(struct exchange *exchange, upb_StringView request);
