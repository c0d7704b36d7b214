/* SPDX-License-Identifier: MIT */
#include "server/log_gate.h"

#include "core/clock.h"

#define BURST_NS (10 * NS_PER_S)

void log_gate_init(struct log_gate *gate)
{
        *gate = (struct log_gate){ .tokens_ns = BURST_NS };
        pthread_mutex_init(&gate->mutex, NULL);
}

void log_gate_deinit(struct log_gate *gate)
{
        pthread_mutex_destroy(&gate->mutex);
}

bool log_gate_open(
        struct log_gate *gate, uint32_t lines_per_second, uint64_t now_ns, uint64_t *ret_quiet)
{
        uint64_t cost_ns = NS_PER_S / lines_per_second;
        bool opens;

        pthread_mutex_lock(&gate->mutex);
        /* rings' clocks are not quite the same */
        if (now_ns > gate->seen_ns) {
                uint64_t more_ns = gate->seen_ns > 0 ? now_ns - gate->seen_ns : 0;

                gate->tokens_ns =
                        more_ns < BURST_NS - gate->tokens_ns ? gate->tokens_ns + more_ns : BURST_NS;
                gate->seen_ns = now_ns;
        }
        opens = gate->tokens_ns >= cost_ns;
        if (opens) {
                gate->tokens_ns -= cost_ns;
                *ret_quiet = gate->quiet;
                gate->quiet = 0;
        } else {
                gate->quiet++;
        }
        pthread_mutex_unlock(&gate->mutex);
        return opens;
}
