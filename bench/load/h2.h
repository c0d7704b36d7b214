/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* What RFC 9113 numbers, and how a frame begins. */

enum h2_type {
        H2_DATA,
        H2_HEADERS,
        H2_PRIORITY,
        H2_RST_STREAM,
        H2_SETTINGS,
        H2_PUSH_PROMISE,
        H2_PING,
        H2_GOAWAY,
        H2_WINDOW_UPDATE,
        H2_CONTINUATION,
};

enum h2_flag {
        H2_FLAG_END_STREAM = 0x1, /* DATA, HEADERS */
        H2_FLAG_ACK = 0x1, /* SETTINGS, PING */
        H2_FLAG_END_HEADERS = 0x4,
        H2_FLAG_PADDED = 0x8,
        H2_FLAG_PRIORITY = 0x20,
};

enum h2_setting {
        H2_SETTING_HEADER_TABLE_SIZE = 1,
        H2_SETTING_ENABLE_PUSH = 2,
        H2_SETTING_MAX_CONCURRENT_STREAMS = 3,
        H2_SETTING_INITIAL_WINDOW_SIZE = 4,
        H2_SETTING_MAX_FRAME_SIZE = 5,
};

enum h2_error {
        H2_NO_ERROR = 0,
        H2_CANCEL = 8,
};

#define H2_FRAME_HEADER_BYTES 9
#define H2_SETTING_BYTES 6
#define H2_FRAME_BYTES_MAX 16384 /* until SETTINGS say more */
#define H2_FRAME_BYTES_LIMIT ((1u << 24) - 1) /* what SETTINGS may say at most */
#define H2_WINDOW_INITIAL 65535
#define H2_WINDOW_MAX INT32_MAX
#define H2_HEADER_TABLE_BYTES 4096
#define H2_STREAM_ID_MAX INT32_MAX

struct h2_frame {
        uint32_t length;
        uint32_t stream_id;
        uint8_t type;
        uint8_t flags;
};

static inline uint32_t h2_get_u16(const unsigned char *bytes)
{
        return (uint32_t)bytes[0] << 8 | bytes[1];
}

static inline uint32_t h2_get_u32(const unsigned char *bytes)
{
        return h2_get_u16(bytes) << 16 | h2_get_u16(bytes + 2);
}

static inline unsigned char *h2_put_u16(unsigned char *to, uint32_t value)
{
        to[0] = (unsigned char)(value >> 8);
        to[1] = (unsigned char)value;
        return to + 2;
}

static inline unsigned char *h2_put_u32(unsigned char *to, uint32_t value)
{
        return h2_put_u16(h2_put_u16(to, value >> 16), value & 0xffff);
}

static inline struct h2_frame h2_get_frame(const unsigned char *bytes)
{
        return (struct h2_frame){
                .length = h2_get_u16(bytes) << 8 | bytes[2],
                .type = bytes[3],
                .flags = bytes[4],
                .stream_id = h2_get_u32(bytes + 5) & H2_STREAM_ID_MAX,
        };
}

/* Returns behind the nine bytes. */
static inline unsigned char *h2_put_frame(unsigned char *to, struct h2_frame frame)
{
        to = h2_put_u16(to, frame.length >> 8);
        *to++ = (unsigned char)frame.length;
        *to++ = frame.type;
        *to++ = frame.flags;
        return h2_put_u32(to, frame.stream_id);
}

/* As RFC 9113 section 7 calls it. */
const char *h2_error_name(uint32_t code);
