/* SPDX-License-Identifier: MIT */
#include "client/client_limits.h"

#include <errno.h>

#include "link/limits.h"

#define DEFAULT(member, value)                                                                     \
        do {                                                                                       \
                if (limits->member == 0)                                                           \
                        limits->member = (value);                                                  \
        } while (0)

#define FRAME_BYTES_MIN (1 << 14) /* RFC 9113, section 6.5.2 */
#define FRAME_BYTES_MAX ((1 << 24) - 1)

static bool is_allowed(const quoit_client_limits *limits)
{
        return limits->stream_window_bytes <= INT32_MAX &&
               limits->connection_window_bytes <= INT32_MAX &&
               limits->window_bytes_max <= INT32_MAX &&
               limits->frame_bytes_max >= FRAME_BYTES_MIN &&
               limits->frame_bytes_max <= FRAME_BYTES_MAX;
}

int client_limits_complete(quoit_client_limits *limits)
{
        DEFAULT(message_receive_bytes_max, 4 << 20);
        DEFAULT(message_send_bytes_max, INT32_MAX);
        DEFAULT(compress_bytes_min, 256);
        DEFAULT(call_queue_bytes_max, 64 << 10);
        DEFAULT(call_queue_bytes_hard_max, 32 << 20);
        if (limits->call_queue_bytes_hard_max < limits->call_queue_bytes_max)
                limits->call_queue_bytes_hard_max = limits->call_queue_bytes_max;
        DEFAULT(replay_bytes_max, 256 << 10);
        DEFAULT(replay_channel_bytes_max, 16 << 20);
        DEFAULT(calls_queued_max, 10000);
        DEFAULT(metadata_out_bytes_max, 16 << 10);
        DEFAULT(header_fields_max, 128);
        DEFAULT(header_bytes_max, 8 << 10);
        DEFAULT(header_bytes_hard_max, 16 << 10);
        if (limits->header_bytes_hard_max < limits->header_bytes_max)
                limits->header_bytes_hard_max = limits->header_bytes_max;
        DEFAULT(streams_max, 10000);
        DEFAULT(stream_window_bytes, 256 << 10);
        DEFAULT(connection_window_bytes, 1 << 20);
        DEFAULT(window_bytes_max, 4 << 20);
        DEFAULT(frame_bytes_max, 128 << 10);
        DEFAULT(connection_receive_bytes_max, 32 << 20);
        DEFAULT(connection_send_bytes_max, 16 << 20);
        DEFAULT(proxy_answer_bytes_max, 8 << 10);
        DEFAULT(connect_ms, 20 * 1000);
        DEFAULT(attempt_delay_ms, 250);
        DEFAULT(backoff_initial_ms, 1000);
        DEFAULT(backoff_max_ms, 120 * 1000);
        DEFAULT(resolution_ms, 30 * 1000);
        DEFAULT(resolution_ms_min, 30 * 1000);
        DEFAULT(resolution_period_ms, UINT32_MAX);
        DEFAULT(idle_ms, 30 * 60 * 1000);
        DEFAULT(connection_spare_ms, 60 * 1000);
        DEFAULT(keepalive_ms, UINT32_MAX);
        DEFAULT(keepalive_timeout_ms, 20 * 1000);
        DEFAULT(stall_ms, 60 * 1000);
        DEFAULT(tls_sessions_max, 32);
        DEFAULT(slow_callback_ms, 100);
        DEFAULT(log_lines_per_second, 10);
        return is_allowed(limits) ? 0 : -EINVAL;
}

void client_limits_of_base(const quoit_client_limits *limits, quoit_limits *ret_limits)
{
        *ret_limits = (quoit_limits){
                .message_receive_bytes_max = limits->message_receive_bytes_max,
                .call_queue_bytes_max = limits->call_queue_bytes_max,
                .call_queue_bytes_hard_max = limits->call_queue_bytes_hard_max,
                .header_fields_max = limits->header_fields_max,
                .header_bytes_max = limits->header_bytes_max,
                .header_bytes_hard_max = limits->header_bytes_hard_max,
                .streams_max = limits->streams_max,
                .stream_window_bytes = limits->stream_window_bytes,
                .connection_window_bytes = limits->connection_window_bytes,
                .window_bytes_max = limits->window_bytes_max,
                .frame_bytes_max = limits->frame_bytes_max,
                .connection_receive_bytes_max = limits->connection_receive_bytes_max,
                .connection_send_bytes_max = limits->connection_send_bytes_max,
                .handshake_ms = limits->connect_ms,
                .connection_idle_ms = limits->idle_ms,
                .keepalive_ms = limits->keepalive_ms,
                .keepalive_timeout_ms = limits->keepalive_timeout_ms,
                .stall_ms = limits->stall_ms,
                .window_stall_ms =
                        UINT32_MAX, /* a server may read as slowly as the caller's deadline allows */
                .request_stall_ms = UINT32_MAX, /* and answer as slowly */
                .ping_interval_idle_min_ms = 300 * 1000,
                .memory_bytes_max = SIZE_MAX,
                .memory_stall_ms = UINT32_MAX,
                .slow_handler_ms = UINT32_MAX,
                .handler_end_ms = UINT32_MAX,
        };
        limits_complete(ret_limits); /* the rest as a server has it */
}
