/* SPDX-License-Identifier: MIT */
#include "transport/output.h"

#include <string.h>

#include "transport/stream.h"

uint8_t *output_extend(struct output *output, size_t size)
{
        uint8_t *place = output->block + output->block_used;
        struct iovec *last = output->iov + output->iov_count - 1;

        assert(OUTPUT_BLOCK_BYTES - output->block_used >= size);
        if (output->iov_count > 0 && (uint8_t *)last->iov_base + last->iov_len == place) {
                last->iov_len += size;
        } else {
                assert(output->iov_count < OUTPUT_IOV_MAX);
                output->iov[output->iov_count++] = (struct iovec){ place, size };
        }
        output->block_used += size;
        output->bytes += size;
        return place;
}

void output_copy(struct output *output, const void *data, size_t size)
{
        memcpy(output_extend(output, size), data, size);
}

void output_refer(struct output *output, const void *data, size_t size, struct stream *stream)
{
        assert(output->iov_count < OUTPUT_IOV_MAX);
        output->iov[output->iov_count++] = (struct iovec){ (void *)data, size };
        output->bytes += size;
        output->pinned[output->pinned_count++] = stream;
        stream->pins++;
}
