/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One call of the client (caller.h), as its caller sees it, and what its server has seen of it: that it ends once, that it gets what was
 * asked for, and that it runs as often as its policy allows.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/client.h>

#include "service.h"

enum policy_kind { POLICY_NONE, POLICY_RETRY, POLICY_HEDGING, POLICIES };

/* How calls of a method are tried again. */
struct policy {
        enum policy_kind kind;
        unsigned attempts_max; /* 1: there is none */
};

/* What holds for all calls of a run. */
struct rules {
        const quoit_channel *channel; /* that there is now; NULL: none */
        const bool *server_stops; /* the run's own is about to stop for good */
        struct policy policies[4]; /* by the method's kind */
        bool is_gentle; /* connections end only as servers end them when they stop */
        bool is_steady; /* and the only server does not stop: it only ends connections in an orderly way */
        bool is_throttled; /* a service config says so */
};

struct made {
        const struct rules *rules;
        quoit_outcall *call; /* NULL: it has ended */
        const quoit_channel *channel; /* which may have been freed since */
        unsigned id;
        quoit_method_kind kind;
        struct policy policy;
        enum act act;
        uint32_t count, size;
        unsigned asks_left; /* to be sent, of a stream */
        uint32_t messages;
        unsigned served; /* handlers that it has had */
        unsigned attempts; /* bits: those that handlers have had */
        unsigned last_attempt; /* of these; 0: none */
        unsigned answered; /* the attempt whose response has begun; 0: none */
        bool is_done, was_cancelled, has_headers, counts_credits;
        bool waits_for_ready, has_deadline;
        uint64_t deadline_ns; /* with that: not earlier */
};

/* Begins one, with what chance decides. The caller has filled in `rules` and `id`. 0 or as quoit_outcall_start(). */
int made_begin(struct made *made, quoit_channel *channel);

void made_cancel(struct made *made);

/* It ends without its caller doing anything, if there is room for connections. */
bool made_ends(const struct made *made);

/* A handler begins with its attempt of that number, from 1. */
void made_note_served(struct made *made, unsigned attempt);

/* The channel's counters, when all calls are known. */
void made_check_counts(
        const struct made *all, unsigned count, const quoit_retry_statistics *retries);

/* Prints what it waits for, for people. */
void made_print(const struct made *made);
