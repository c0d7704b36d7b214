/* SPDX-License-Identifier: MIT */
#pragma once

/* Lines for the log of a server's user, and how many a second peers can cause. */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <quoit/server.h>

struct quoit_server;

/* Logs one line, if there is a log. From any of the server's threads. */
void server_log(struct quoit_server *server, quoit_log_level level, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/*
 * The same for what a peer did, or can cause as often as it likes: at most `peer_log_lines_per_second`. @now_ns: the ring's
 * clock.
 */
void server_log_peer(struct quoit_server *server, quoit_log_level level, uint64_t now_ns,
        const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * Limits the lines a second that peers can cause: they must not be able to fill a disk. A token bucket, shared by all rings.
 * Lines that are left out are counted, and the next line is preceded by their number.
 */
struct log_gate {
        pthread_mutex_t mutex;
        uint64_t seen_ns; /* when the bucket was filled last */
        uint64_t tokens_ns; /* what is in it, in time: a line costs 1 s / @lines_per_second */
        uint64_t quiet; /* lines left out since the last one */
};

void log_gate_init(struct log_gate *gate);
void log_gate_deinit(struct log_gate *gate);

/*
 * Whether a line may be written now. *@ret_quiet: how many were left out before it. A burst can be ten seconds' worth.
 * @now_ns: monotonic. Any thread.
 */
bool log_gate_open(
        struct log_gate *gate, uint32_t lines_per_second, uint64_t now_ns, uint64_t *ret_quiet);
