/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What all calls of a ring together may cost it in one turn by single large steps: messages that are decompressed, compressed or
 * parsed. Each connection has its own measure (call_group_is_worn()), but a thousand connections may have a
 * bomb each, and who asks for little would wait for all of them. Beyond it such calls wait for the next turn, in the order in which they came.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring_share {
        uint64_t turn_ns; /* the turn, by its time, of which the rest tells */
        uint64_t work_ns;
        bool has_waiters; /* somebody was refused in it, ... */
        bool had_waiters; /* ... or in the one before */
};

static inline void ring_share_look(struct ring_share *share, uint64_t now_ns)
{
        if (share->turn_ns != now_ns)
                *share =
                        (struct ring_share){ .turn_ns = now_ns, .had_waiters = share->has_waiters };
}

static inline void ring_share_take(struct ring_share *share, uint64_t now_ns, uint64_t work_ns)
{
        ring_share_look(share, now_ns);
        share->work_ns += work_ns;
}

/* False: later. @in_line: it has waited its turn; others may not go ahead of those who do. */
static inline bool ring_share_allows(
        struct ring_share *share, uint64_t now_ns, uint64_t work_ns_max, bool in_line)
{
        bool allows;

        ring_share_look(share, now_ns);
        allows = share->work_ns <= work_ns_max &&
                 (in_line || !(share->has_waiters || share->had_waiters));
        share->has_waiters |= !allows;
        return allows;
}
