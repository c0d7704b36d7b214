/* SPDX-License-Identifier: MIT */
#include "link/log.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/clock.h"

#define LOG_LINE_BYTES 512
#define BURST_NS (10 * NS_PER_S)

/* ---- how often ---- */

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
        /* another ring's clock may be a little behind */
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

/* ---- lines ---- */

void log_init(struct log *log, quoit_log_fn on_log, void *user, uint32_t peer_lines_per_second)
{
        log->on_log = on_log;
        log->user = user;
        log->peer_lines_per_second = peer_lines_per_second;
        log_gate_init(&log->peers);
        log_gate_init(&log->details);
}

void log_deinit(struct log *log)
{
        log_gate_deinit(&log->peers);
        log_gate_deinit(&log->details);
}

void log_write(struct log *log, quoit_log_level level, const char *format, va_list arguments)
{
        char line[LOG_LINE_BYTES];

        if (!log->on_log)
                return;
        vsnprintf(line, sizeof(line), format, arguments);
        log->on_log(log->user, level, line);
}

static void write_quiet(struct log *log, quoit_log_level level, uint64_t quiet)
{
        char line[LOG_LINE_BYTES];

        if (quiet == 0)
                return;
        snprintf(line, sizeof(line), "%" PRIu64 " lines about peers were left out", quiet);
        log->on_log(log->user, level, line);
}

void log_write_peer(struct log *log, quoit_log_level level, uint64_t now_ns, const char *format,
        va_list arguments)
{
        bool is_detail = level == QUOIT_LOG_DEBUG;
        struct log_gate *gate = is_detail ? &log->details : &log->peers;
        uint64_t quiet;

        if (!log->on_log || !log_gate_open(gate, log->peer_lines_per_second, now_ns, &quiet))
                return;
        write_quiet(log, is_detail ? QUOIT_LOG_DEBUG : QUOIT_LOG_INFO, quiet);
        log_write(log, level, format, arguments);
}
