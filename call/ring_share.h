/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How much time all calls of a ring together can take in one turn for large steps: decompressing, compressing and parsing
 * messages. Each connection has a limit of its own (call_group_is_over_budget()). But a thousand connections can send a bomb
 * each, and small calls would wait for all of them. When the time is used up, calls with large steps wait in line for the
 * next turn.
 *
 * Bytes are read before the line is served. So calls whose bytes have just arrived must not go first while calls of the
 * turn before are still in line: they join the end of the line.
 */

#include <stdbool.h>
#include <stdint.h>

struct ring_share {
        uint64_t turn; /* the number of the ring's turn in which `work_ns` was spent */
        uint64_t work_ns;
        uint64_t left_turn; /* the last in which the line was not served to its end; 0: none */
};

static inline void ring_share_look(struct ring_share *share, uint64_t turn)
{
        if (share->turn == turn)
                return;
        share->turn = turn;
        share->work_ns = 0;
}

static inline void ring_share_take(struct ring_share *share, uint64_t turn, uint64_t work_ns)
{
        ring_share_look(share, turn);
        share->work_ns += work_ns;
}

/* False: the call must wait. @in_line: it has waited in line, so it goes before calls that have not. Turns are numbered from 1. */
static inline bool ring_share_allows(
        struct ring_share *share, uint64_t turn, uint64_t work_ns_max, bool in_line)
{
        ring_share_look(share, turn);
        if (share->work_ns > work_ns_max) {
                if (in_line)
                        share->left_turn = turn;
                return false;
        }
        /* calls that were left in line go first in the next turn */
        return in_line || share->left_turn == 0 || share->left_turn + 1 != turn;
}
