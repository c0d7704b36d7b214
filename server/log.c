/* SPDX-License-Identifier: MIT */
#include "server/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/clock.h"
#include "server/server.h"

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

static void write_log(
        struct quoit_server *server, quoit_log_level level, const char *format, va_list arguments)
{
        char line[LOG_LINE_BYTES];

        vsnprintf(line, sizeof(line), format, arguments);
        server->options.on_log(server->options.log_user, level, line);
}

void server_log(struct quoit_server *server, quoit_log_level level, const char *format, ...)
{
        va_list arguments;

        if (!server->options.on_log)
                return;
        va_start(arguments, format);
        write_log(server, level, format, arguments);
        va_end(arguments);
}

void server_log_peer(struct quoit_server *server, quoit_log_level level, uint64_t now_ns,
        const char *format, ...)
{
        uint32_t lines_per_second = server->options.limits.peer_log_lines_per_second;
        va_list arguments;
        uint64_t quiet;

        if (!server->options.on_log ||
                !log_gate_open(&server->peer_log, lines_per_second, now_ns, &quiet))
                return;
        if (quiet > 0)
                server_log(server, QUOIT_LOG_INFO, "%" PRIu64 " lines about peers were left out",
                        quiet);
        va_start(arguments, format);
        write_log(server, level, format, arguments);
        va_end(arguments);
}
