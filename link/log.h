/* SPDX-License-Identifier: MIT */
#pragma once

/* Lines for the log of a server's or client's user, and how many a second peers can cause. */

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <quoit/log.h>

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

struct log {
        quoit_log_fn on_log; /* NULL: nothing is logged */
        void *user; /* of that */
        uint32_t peer_lines_per_second;
        struct log_gate peers; /* what they cause */
        struct log_gate
                details; /* the same in good order, DEBUG: it shall not be in the way of the others */
};

void log_init(struct log *log, quoit_log_fn on_log, void *user, uint32_t peer_lines_per_second);
void log_deinit(struct log *log);

/* Logs one line, if there is a log. Any thread. */
void log_write(struct log *log, quoit_log_level level, const char *format, va_list arguments)
        __attribute__((format(printf, 3, 0)));

/*
 * The same for what a peer did, or can cause as often as it likes: at most @peer_lines_per_second. @now_ns: the ring's
 * clock.
 */
void log_write_peer(struct log *log, quoit_log_level level, uint64_t now_ns, const char *format,
        va_list arguments) __attribute__((format(printf, 4, 0)));
