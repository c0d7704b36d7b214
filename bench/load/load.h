/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/load/connection.h"
#include "bench/load/errors.h"
#include "bench/load/latency.h"
#include "bench/load/method.h"
#include "bench/load/options.h"
#include "bench/load/schedule.h"

#define METHODS_MAX 2

/* One run: the state that all connections share, and the results. */
struct load {
        const struct options *options;
        struct method methods[METHODS_MAX];
        struct schedule schedule;
        struct connection *connections;
        unsigned char *inbox; /* what a read brings, for whichever connection */
        int epoll_fd;

        uint64_t now_ns; /* when the last read was */
        uint64_t heard_ns; /* when the last one with bytes was */
        uint64_t ready_count; /* connections that were ever ready */
        uint64_t lost_count; /* that are gone */
        uint64_t in_flight; /* calls */
        bool giving_up; /* what is still in flight has no answer */

        /* Results, of what was measured: */
        struct latency latencies[METHODS_MAX];
        uint64_t calls; /* good ones */
        uint64_t warmup_calls;
        struct errors errors; /* also those of the warm-up */
        uint64_t ended_ns; /* the last call */
        uint64_t behind_ns; /* the most that we were ever late ourselves */
        uint64_t began_ns;
        uint64_t cpu_ns; /* our own */
        size_t bytes_in;
        size_t bytes_out;
};

#define LOAD_READ_BYTES_MAX (256u << 10)

/* 0 or a negative errno. */
int load_init(struct load *load, const struct options *options);
void load_deinit(struct load *load);

/* Waits for the next events and handles them. True: there is an event on a descriptor that is not a connection's. */
bool load_turn(struct load *load);

/* ---- called by connections ---- */

void load_on_ready(struct load *load, uint32_t streams_max);
void load_on_lost(struct load *load, const char *why);
void load_on_read(struct load *load, size_t size);
void load_on_call_begin(struct load *load, uint64_t now_ns);

/* @problem: NULL for a good answer. Its latency is not taken into account otherwise, unless we
 * are giving up: then it has been that long at least. */
void load_on_call_end(
        struct load *load, const struct schedule_call *call, const char *problem, uint64_t now_ns);

/* A call began @late_ns after it should have, though its connection had room. */
void load_on_begun_late(struct load *load, uint64_t late_ns);
