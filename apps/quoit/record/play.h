/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One call of a tape, made again. Its requests go out when they are due, and never before the replies that were there before them; the end
 * of the call is awaited.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tape.h"

/* How calls are made. */
struct play_options {
        double speed; /* 2: twice as fast; 0: without waiting */
        uint32_t time_ms; /* each call's deadline, in place of the tape's; 0: the tape's */
        const quoit_metadata *metadata; /* of all calls, in place of the tape's of the same names */
        size_t metadata_count;
        bool keeps_replies; /* to compare them */
};

struct play {
        const struct tape_call *call;
        const struct play_options *options;
        quoit_outcall *out; /* NULL: over */
        quoit_method method;
        uint64_t began_ns;
        size_t next; /* of the tape's events */
        size_t replies_due; /* that come before that one */
        /* what has come */
        upb_StringView *replies; /* if they are kept */
        size_t reply_count, reply_room;
        quoit_status status;
        char *status_message; /* with a zero */
        upb_StringView status_details;
        bool is_done;
};

/* Begins it, on the thread of @channel's client. @options must outlive it. NULL, when all was said: the call cannot be made. Free it by play_free(). */
struct play *play_start(
        const struct tape_call *call, const struct play_options *options, quoit_channel *channel);

/* Once it is done. Takes NULL, returns NULL. */
struct play *play_free(struct play *play);

/* When the moment @ns of a tape is, which began at @began_ns. */
uint64_t play_due_ns(const struct play_options *options, uint64_t began_ns, uint64_t ns);

/*
 * Sends what is due at @now_ns. Returns when there is more to do: UINT64_MAX: not before something comes.
 */
uint64_t play_advance(struct play *play, uint64_t now_ns);

void play_cancel(struct play *play);
