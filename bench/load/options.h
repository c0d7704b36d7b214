/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/load/method.h"

enum { OPTIONS_MISUSED = 2 }; /* exit status */

struct options_message {
        unsigned char *bytes; /* NULL: empty */
        size_t size;
};

/* The command line, checked. Texts are argv's. */
struct options {
        const char *target; /* HOST:PORT, as given */
        char host[256];
        const char *port;
        const char *path;

        uint32_t connections;
        uint32_t streams;
        enum method_kind kind;
        struct options_message message;
        uint32_t messages;

        uint64_t calls; /* CALLS_UNLIMITED with duration_seconds */
        double duration_seconds;
        double warmup_seconds;
        double rate; /* 0: closed loop */

        int64_t expect_messages; /* EXPECT_ANY */
        int64_t expect_bytes; /* EXPECT_ANY */
        bool expects_message;
        struct options_message expect_message;

        double mix_percent; /* 0: no second method */
        const char *mix_path;
        struct options_message mix_message;

        bool idle;
        bool first_call;
        bool json;
};

/* Prints one line and exits for wrong options; prints the help and exits for --help. */
void options_parse(struct options *options, int argc, char **argv);
void options_deinit(struct options *options);
