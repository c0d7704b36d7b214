/* SPDX-License-Identifier: MIT */
#pragma once

/* The flags of quoit bench. */

#include <stdbool.h>
#include <stdint.h>

#include "../connection_flags.h"
#include "../flags.h"
#include "../metadata_flags.h"
#include "../output_flags.h"
#include "../schema_flags.h"

/* All zeros: no flag was given. */
struct bench_options {
        struct connection_flags connection;
        struct metadata_flags metadata;
        struct schema_flags schema;
        struct output_flags output;
        const char *data; /* -d */
        const char *table; /* --data-csv */
        unsigned messages;
        bool ping_pong;
        uint32_t timeout_ms;
        unsigned requests;
        uint32_t duration_ms;
        uint32_t warmup_ms;
        unsigned concurrency;
        unsigned connections;
        unsigned threads;
        const char *rate;
        bool by_chance;
        unsigned seed;
        bool is_csv;
        const char *html;
        bool compares;
};

extern const struct flag_group bench_groups[];

/* Fills in what was not given, and checks what was. EXIT_DONE, or an exit status, when all was said. */
int bench_options_check(struct bench_options *options);
