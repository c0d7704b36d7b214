/* SPDX-License-Identifier: MIT */
#include "link/limits.h"

#include <unistd.h>

#include "core/cgroup_memory.h"

#define DEFAULT(member, value)                                                                     \
        do {                                                                                       \
                if (limits->member == 0)                                                           \
                        limits->member = (value);                                                  \
        } while (0)

/*
 * Half of the memory. The rest is for the program, the kernel's sockets, and free memory that the system has not got back
 * yet.
 */
static size_t memory_bytes(void)
{
        uint64_t machine_bytes =
                (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
        uint64_t limit_bytes = cgroup_memory_limit_bytes();

        return (limit_bytes < machine_bytes ? limit_bytes : machine_bytes) / 2;
}

void limits_complete(quoit_limits *limits)
{
        DEFAULT(message_receive_bytes_max, 4 << 20);
        DEFAULT(message_send_bytes_max, INT32_MAX);
        DEFAULT(compress_bytes_min, 256);
        DEFAULT(compress_ring_bytes_max, 1 << 20);
        DEFAULT(call_queue_bytes_max, 64 << 10);
        DEFAULT(call_queue_bytes_hard_max, 32 << 20);
        if (limits->call_queue_bytes_hard_max < limits->call_queue_bytes_max)
                limits->call_queue_bytes_hard_max = limits->call_queue_bytes_max;
        DEFAULT(header_fields_max, 128);
        DEFAULT(header_bytes_max, 8 << 10);
        DEFAULT(header_bytes_hard_max, 16 << 10);
        if (limits->header_bytes_hard_max < limits->header_bytes_max)
                limits->header_bytes_hard_max =
                        limits->header_bytes_max; /* so that an oversize request can be answered */
        DEFAULT(metadata_out_bytes_max, 16 << 10);
        DEFAULT(connections_max, 65536);
        DEFAULT(connections_per_address_max, limits->connections_max);
        DEFAULT(streams_max, 128);
        DEFAULT(stream_window_bytes, 256 << 10);
        DEFAULT(connection_window_bytes, 1 << 20);
        DEFAULT(window_bytes_max, 4 << 20);
        DEFAULT(frame_bytes_max, 128 << 10);
        DEFAULT(connection_receive_bytes_max, 32 << 20);
        DEFAULT(connection_send_bytes_max, 16 << 20);
        DEFAULT(control_queue_max, 1000);
        DEFAULT(continuation_frames_max, 8);
        DEFAULT(empty_frames_max, 100);
        DEFAULT(resets_burst_max, 10 * 1000);
        DEFAULT(resets_per_second, 10 * 1000);
        DEFAULT(glitches_burst_max, 10000);
        DEFAULT(glitches_per_second, 330);
        DEFAULT(header_block_ms, 10 * 1000);
        DEFAULT(handshake_ms, 10 * 1000);
        DEFAULT(handshake_bytes_max, 128 << 10);
        DEFAULT(stall_ms, 60 * 1000);
        DEFAULT(window_stall_ms, 600 * 1000);
        DEFAULT(read_bytes_per_second_min, 100);
        DEFAULT(request_stall_ms, 60 * 1000);
        DEFAULT(request_bytes_per_second_min, 100);
        DEFAULT(keepalive_ms, 2 * 3600 * 1000);
        DEFAULT(keepalive_timeout_ms, 20 * 1000);
        DEFAULT(http1_silence_ms, 620 * 1000);
        DEFAULT(ping_interval_min_ms, 300 * 1000);
        DEFAULT(ping_interval_idle_min_ms, 2 * 3600 * 1000);
        DEFAULT(ping_strikes_max, 2);
        DEFAULT(connection_idle_ms, UINT32_MAX);
        DEFAULT(connection_age_ms, UINT32_MAX);
        DEFAULT(connection_age_grace_ms, UINT32_MAX);
        DEFAULT(turn_calls_max, 128);
        DEFAULT(turn_bytes_max, 256 << 10);
        DEFAULT(turn_work_us, 1000);
        DEFAULT(memory_bytes_max, memory_bytes());
        DEFAULT(memory_stall_ms, 10 * 1000);
        DEFAULT(calls_max, 262144);
        DEFAULT(retry_pushback_ms, 1000);
        DEFAULT(peer_log_lines_per_second, 10);
        DEFAULT(offloaded_max, 10000);
        DEFAULT(worker_wait_ms, 1000);
        DEFAULT(handshakes_queued_max, 1000);
        DEFAULT(drain_ms, 30 * 1000);
        DEFAULT(slow_handler_ms, 100);
        DEFAULT(handler_end_ms, 30 * 1000);
        DEFAULT(stop_hold_ms, 1000);
}
