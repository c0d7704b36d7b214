/* SPDX-License-Identifier: MIT */
#include "frames.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

int frame_add(struct bytes *bytes, uint8_t flags, upb_StringView data)
{
        uint32_t size = htonl((uint32_t)data.size);
        uint8_t head[FRAME_HEAD_BYTES] = { flags };
        int r;

        if (data.size > UINT32_MAX)
                return -EMSGSIZE;
        memcpy(head + 1, &size, sizeof(size));
        r = bytes_add(bytes, head, sizeof(head));
        return r < 0 ? r : bytes_add(bytes, data.data, data.size);
}

void frames_deinit(struct frames *frames)
{
        bytes_deinit(&frames->data);
}

static size_t size_of(const struct frames *frames)
{
        uint32_t size;

        memcpy(&size, frames->head + 1, sizeof(size));
        return ntohl(size);
}

/* As much as is missing, or as there is. */
static size_t piece(size_t size, size_t missing)
{
        return size < missing ? size : missing;
}

int frames_take(struct frames *frames, const char *bytes, size_t size,
        int (*on_frame)(uint8_t flags, upb_StringView data, void *user), void *user)
{
        while (size > 0) {
                size_t count = piece(size, FRAME_HEAD_BYTES - frames->head_size);
                int r;

                memcpy(frames->head + frames->head_size, bytes, count);
                frames->head_size += count;
                bytes += count;
                size -= count;
                if (frames->head_size < FRAME_HEAD_BYTES)
                        return 0;
                if (size_of(frames) > frames->bytes_max)
                        return -EMSGSIZE;
                count = piece(size, size_of(frames) - frames->data.size);
                r = bytes_add(&frames->data, bytes, count);
                if (r < 0)
                        return r;
                bytes += count;
                size -= count;
                if (frames->data.size < size_of(frames))
                        return 0;
                r = on_frame(frames->head[0], bytes_view(&frames->data), user);
                frames->head_size = frames->data.size = 0;
                if (r != 0)
                        return r;
        }
        return 0;
}

bool frames_is_cut(const struct frames *frames)
{
        return frames->head_size > 0;
}
