/* SPDX-License-Identifier: MIT */
#pragma once

/* The messages of Connect's streams and of gRPC-Web, one behind the other: a byte of flags, four of the size, and so many bytes. */

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"

enum {
        FRAME_HEAD_BYTES = 5,
        FRAME_COMPRESSED = 0x01,
        FRAME_CONNECT_END = 0x02, /* JSON: the status and the trailers */
        FRAME_WEB_TRAILERS = 0x80, /* "name: value\r\n" each */
};

/* Adds one. 0; -EMSGSIZE, -ENOMEM. */
int frame_add(struct bytes *bytes, uint8_t flags, upb_StringView data);

/* What has arrived of them. All zeros but for @bytes_max is nothing. */
struct frames {
        size_t bytes_max; /* of one message */
        uint8_t head[FRAME_HEAD_BYTES];
        size_t head_size;
        struct bytes data;
};

void frames_deinit(struct frames *frames);

/*
 * Takes what comes next. Each message that is whole is handed to @on_frame, and lives until that returns. 0; -EMSGSIZE: one is larger
 * than @bytes_max; -ENOMEM; or what @on_frame has returned, if it is not 0: no further one is handed out.
 */
int frames_take(struct frames *frames, const char *bytes, size_t size,
        int (*on_frame)(uint8_t flags, upb_StringView data, void *user), void *user);

/* One has begun, and is not whole. */
bool frames_is_cut(const struct frames *frames);
