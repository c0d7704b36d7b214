/* SPDX-License-Identifier: MIT */
#include "core/buffers.h"
#include "core/engine/uring.h"
#include "core/probe.h"
#include "core/refusal.h"

#include <errno.h>
#include <stdlib.h>

enum { PROBE_ENTRIES = 4, PROBE_GROUP = 1, PROBE_OPERATIONS = 256 };

/* It can only be tried: it is a flag of a registration. */
static bool has_incremental_buffers(struct ring *ring)
{
        struct io_uring_buf_ring *entries;
        int r;

        entries = io_uring_setup_buf_ring(
                &ring->uring->io, PROBE_ENTRIES, PROBE_GROUP, IOU_PBUF_RING_INC, &r);
        if (!entries)
                return false;
        io_uring_free_buf_ring(&ring->uring->io, entries, PROBE_ENTRIES, PROBE_GROUP);
        return true;
}

static bool can(const struct io_uring_probe *operations, int operation)
{
        return io_uring_opcode_supported(operations, operation);
}

static int probe_ring(struct ring *ring, struct probe_features *ret_features)
{
        struct io_uring_probe *operations =
                calloc(1, sizeof(*operations) + PROBE_OPERATIONS * sizeof(*operations->ops));
        unsigned features = ring->uring->io.features;
        int r;

        if (!operations)
                return -ENOMEM;
        r = io_uring_register_probe(&ring->uring->io, operations, PROBE_OPERATIONS);
        if (r < 0) {
                ring->refused_call = REFUSAL_CALL_REGISTER;
                free(operations);
                return r;
        }
        *ret_features = (struct probe_features){
                .recv_bundle = features & IORING_FEAT_RECVSEND_BUNDLE,
                .send_zc = can(operations, IORING_OP_SENDMSG_ZC),
                .buffer_incremental = has_incremental_buffers(ring),
                .wait_min = features & IORING_FEAT_MIN_TIMEOUT,
        };
        free(operations);
        return 0;
}

int probe_run(struct probe_features *ret_features, struct refusal *ret_refusal)
{
        struct ring_options ring_options = { .sq_entries = PROBE_ENTRIES };
        struct buffers_options buffers_options = { .count = PROBE_ENTRIES, .buffer_bytes = 4096 };
        struct buffers buffers;
        struct ring ring;
        int r = ring_init(&ring, &ring_options);

        if (r == 0) {
                r = buffers_init(&buffers, &ring, &buffers_options);
                if (r == 0) {
                        if (ret_features)
                                r = probe_ring(&ring, ret_features);
                        buffers_deinit(&buffers);
                }
                ring_deinit(&ring);
        }
        if (r < 0 && ret_refusal) {
                ret_refusal->call = ring.refused_call;
                ret_refusal->error = r;
        }
        return r;
}
