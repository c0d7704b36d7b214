/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/load/method.h"
#include "bench/load/schedule.h"
#include "core/list.h"

/* One call in flight: how much of the request was sent, and what the answer was so far. */
struct stream {
        struct list link; /* among those with something to send */
        const struct method *method;
        struct schedule_call call;
        uint32_t id; /* 0: free for the next call */

        int64_t window; /* what the server takes; below 0 after its SETTINGS shrank it */
        uint32_t messages_sent; /* whole ones */
        size_t message_sent; /* of the next one, in bytes */
        bool half_closed; /* all was sent */

        int http_status; /* 0: not seen yet */
        const char *fault; /* the first thing wrong with the answer; NULL: nothing */
        int64_t messages; /* whole ones */
        int64_t bytes; /* of these */
        uint32_t message_bytes; /* of the one that is coming */
        uint32_t message_left;
        unsigned char prefix[MESSAGE_PREFIX_BYTES];
        uint8_t prefix_have; /* all of it: in a message */
        uint32_t unacknowledged; /* DATA that no WINDOW_UPDATE gave back */
};

/* Takes a free one into use. */
void stream_begin(struct stream *stream, uint32_t id, const struct method *method,
        const struct schedule_call *call, uint32_t window);

/* There is something to send as far as the call goes, whatever the windows say. */
bool stream_wants_to_send(const struct stream *stream);

/* The next message to be sent is the last one. */
bool stream_is_at_last_message(const struct stream *stream);

/* The answer's header blocks, headers and trailers alike. @ends: the trailers. */
void stream_take_fields(struct stream *stream, const struct hpack_fields *fields, bool ends);

/* The answer's next bytes. */
void stream_take_data(struct stream *stream, const unsigned char *bytes, size_t size);

/* The server has ended it: NULL for a good answer, else what is wrong, in @text if it likes.
 * @trailers are what came last; NULL: DATA did. */
const char *stream_verdict(
        struct stream *stream, const struct hpack_fields *trailers, char *text, size_t text_size);
