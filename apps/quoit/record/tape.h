/* SPDX-License-Identifier: MIT */
#pragma once

/* A recording that was read: its calls, in the order in which they began. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/client.h>

enum tape_event_type {
        TAPE_REQUEST,
        TAPE_REPLY,
        TAPE_HALF_CLOSE,
        TAPE_CANCEL, /* by the client: the last one */
};

struct tape_event {
        enum tape_event_type type;
        uint64_t at_ns; /* since the call began */
        upb_StringView message; /* of REQUEST and REPLY */
};

struct tape_call {
        uint64_t id; /* in the file */
        size_t number; /* in the file, from 1 on */
        const char *path; /* "/pkg.Service/Method" */
        uint64_t at_ns; /* when it began, since the first call did; not before the one before it */
        uint64_t end_ns; /* when it ended, since it began; of a call that has not: its last event */
        uint32_t timeout_ms; /* 0: none */
        quoit_metadata *metadata; /* what was redacted is left out */
        size_t metadata_count;
        struct tape_event *events;
        size_t event_count, event_room;
        size_t reply_count;
        bool has_ended; /* the file has its end: it was cancelled, or: */
        bool was_cancelled;
        bool is_damaged; /* a message is not whole in the file */
        quoit_status status;
        upb_StringView status_message, status_details;
};

struct tape {
        char *bytes; /* the file; the calls refer to it */
        struct upb_Arena *arena;
        struct tape_call **calls;
        size_t count, room;
        size_t ended; /* those that have */
};

/*
 * Reads the file @path ("-": standard input). A file that ends within an entry, as that of a program that was killed, is read up to there, and
 * that is said. EXIT_DONE, or an exit status, when all was said. Free it by tape_deinit(), which takes one of zeros too.
 */
int tape_read(struct tape *tape, const char *path);
void tape_deinit(struct tape *tape);

/* How many calls have run at the same time, at most; at least 1. */
size_t tape_width(const struct tape *tape);
