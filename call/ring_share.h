/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What all calls of a ring together may cost it in one turn by single large steps: messages that are decompressed, compressed or
 * parsed. Each connection has its own measure (call_group_is_over_budget()), but a thousand connections may have a
 * bomb each, and who asks for little would wait for all of them. Beyond it such calls wait in line for the next turn.
 *
 * Bytes are read before the line is served. So who comes with bytes steps back while somebody is in line from the turn
 * before: that is where the line has left off, and who steps back stands behind it.
 */

#include <stdbool.h>
#include <stdint.h>

struct ring_share {
        uint64_t turn; /* the ring's, by its number, of which `work_ns` tells */
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

/* False: later. @in_line: it has waited its turn; others may not go ahead of those who do. Turns are numbered from 1. */
static inline bool ring_share_allows(
        struct ring_share *share, uint64_t turn, uint64_t work_ns_max, bool in_line)
{
        ring_share_look(share, turn);
        if (share->work_ns > work_ns_max) {
                if (in_line)
                        share->left_turn = turn;
                return false;
        }
        /* whoever was left in line has its next chance in the very next turn */
        return in_line || share->left_turn == 0 || share->left_turn + 1 != turn;
}
