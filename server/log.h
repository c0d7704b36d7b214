/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Lines for the log of a server's user, and how many of them a second may be about what peers do.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <quoit/server.h>

struct quoit_server;

/* One line to the log, if there is one. From any of the server's threads. */
void server_log(struct quoit_server *server, quoit_log_level level, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/*
 * The same, of what a peer did, or can have happen as often as it likes: no more lines than `peer_log_lines_per_second`.
 * @now_ns: the ring's.
 */
void server_log_peer(struct quoit_server *server, quoit_log_level level, uint64_t now_ns,
        const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * How many lines a second may be written about what peers do: they must not be able to fill a disk. A bucket of tokens,
 * shared by all rings. What is kept quiet is counted, and told of with the next line.
 */
struct log_gate {
        pthread_mutex_t mutex;
        uint64_t seen_ns; /* the bucket was looked at */
        uint64_t tokens_ns; /* what is in it, in time: a line costs 1 s / @lines_per_second */
        uint64_t quiet; /* lines since the last one */
};

void log_gate_init(struct log_gate *gate);
void log_gate_deinit(struct log_gate *gate);

/*
 * Whether a line may be written now, and in *@ret_quiet how many before it were not. Ten seconds' worth may come at
 * once. @now_ns: monotonic. Any thread.
 */
bool log_gate_open(
        struct log_gate *gate, uint32_t lines_per_second, uint64_t now_ns, uint64_t *ret_quiet);
