/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a thread's calls came to: those that began in the measured time, by when they were due. Of a fixed size, whatever their number.
 * The thread writes; others may read the timeline and what is atomic.
 */

#include <stdint.h>

#include <quoit/status.h>

#include "hdr.h"
#include "timeline.h"

#define TALLY_STATUSES (QUOIT_UNAUTHENTICATED + 1)
#define TALLY_MESSAGE_BYTES 256

struct tally {
        /*
         * In ns: of calls that ended with OK, and of those that were given up, by their deadline or at the end of the run: these took at
         * least so long, and without them a server that answers nothing would look fast.
         */
        struct hdr latency;
        struct hdr failed_latency; /* of all others: how fast they failed */
        struct timeline timeline;
        uint64_t begin_ns; /* of the measured time, CLOCK_MONOTONIC */
        uint64_t end_ns;   /* the last call's */
        uint64_t statuses[TALLY_STATUSES];
        char messages[TALLY_STATUSES]
                     [TALLY_MESSAGE_BYTES]; /* the first one of each status that has some */
        _Atomic uint64_t calls;                             /* that ended */
        _Atomic uint64_t failed;                            /* with a status other than OK */
        uint64_t warmup_calls;
        uint64_t unfinished; /* calls that were given up, in @statuses as CANCELLED */
        uint64_t requests;   /* messages */
        uint64_t replies;
        uint64_t request_bytes; /* of messages, as protobuf */
        uint64_t reply_bytes;
        uint64_t
                late_ns; /* the most that a call began after it was due, though nothing kept it but this program */
        uint64_t cpu_ns; /* the thread's */
};

/* 0 or -ENOMEM. */
int tally_init(struct tally *tally);
void tally_deinit(struct tally *tally);

/* A measured call that is over. What it sent and received was counted when it did. */
struct tally_call {
        uint64_t due_ns; /* latency counts from here */
        uint64_t end_ns;
        quoit_status status;
        const char *message; /* with a status other than OK; NULL: none */
        bool is_given_up; /* it has no answer */
};

void tally_record(struct tally *tally, const struct tally_call *call);

/* A measured call has sent a message of @bytes. */
static inline void tally_count_request(struct tally *tally, size_t bytes)
{
        tally->requests++;
        tally->request_bytes += bytes;
}

/* It has received one. */
static inline void tally_count_reply(struct tally *tally, size_t bytes)
{
        tally->replies++;
        tally->reply_bytes += bytes;
}

/* Adds all of @from, whose timeline's slots may become longer. */
void tally_add(struct tally *tally, struct tally *from);
