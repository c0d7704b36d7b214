/* SPDX-License-Identifier: MIT */
#include "transport/bdp.h"

#include "core/clock.h"

void bdp_ask(struct bdp *bdp, uint64_t now_ns)
{
        bdp->asked_ns = now_ns;
        bdp->bytes = 0;
}

bool bdp_answered(struct bdp *bdp, uint32_t window_bytes_max, uint64_t now_ns)
{
        uint64_t rtt_ns = now_ns > bdp->asked_ns ? now_ns - bdp->asked_ns : 1;
        uint64_t bytes = bdp->bytes;
        uint64_t bandwidth = bytes * NS_PER_S / rtt_ns;

        if (bdp->asked_ns == 0)
                return false; /* nobody has asked */
        bdp->asked_ns = 0;
        bdp->bytes = 0;
        /*
         * Who is held up by the window has half of it on the way when the PING goes out: the window is opened by halves.
         * Less than a third: it was not what held the peer up.
         */
        if (bytes < bdp->window_bytes / 3 || bandwidth <= bdp->bandwidth)
                return false;
        bdp->bandwidth = bandwidth;
        if (bdp->window_bytes >= window_bytes_max)
                return false;
        bdp->window_bytes =
                bdp->window_bytes < window_bytes_max / 2 ? 2 * bdp->window_bytes : window_bytes_max;
        return true;
}
