/* SPDX-License-Identifier: MIT */
#include "transport/stream.h"

#include <assert.h>

void stream_set_state(struct stream *stream, enum stream_state state)
{
        static const unsigned allowed[] = {
                [STREAM_IDLE] =
                        1u << STREAM_OPEN | 1u << STREAM_CLOSED, /* a request that was never sent */
                [STREAM_OPEN] = 1u << STREAM_HALF_CLOSED_REMOTE | 1u << STREAM_HALF_CLOSED_LOCAL |
                                1u << STREAM_CLOSED,
                [STREAM_HALF_CLOSED_REMOTE] = 1u << STREAM_CLOSED,
                [STREAM_HALF_CLOSED_LOCAL] = 1u << STREAM_CLOSED,
                [STREAM_CLOSED] = 0,
        };

        assert(allowed[stream->state] & 1u << state);
        stream->state = state;
}
