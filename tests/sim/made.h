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
        uint32_t timeout_ms; /* that the service config gives a call; 0: none */
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
        quoit_call *parent; /* that it is made for; NULL: none. Only used by made_begin() */
        bool is_late; /* it begins when all faults are over, and waits until it is answered */
        bool must_end; /* it is to be one that ends by itself, or by its deadline */
        void (*on_end)(quoit_status status, void *user); /* NULL: nobody waits for it */
        bool (*parent_is_over)(const void *user); /* with a parent */
        void *user; /* handed to these */
        const void *thread; /* that it is on: here.h */
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
        quoit_status status; /* once it is over */
        bool is_done, was_cancelled, has_headers, counts_credits;
        bool waits_for_ready, has_deadline;
        bool reads_part; /* its caller does not read all replies */
        uint64_t deadline_ns; /* with that: not earlier */
};

/* ---- one ---- */

/* The next one, of any kind, for its caller to fill in what is not of made_begin(). NULL: there are enough. */
struct made *made_new(const struct rules *rules);

/* The same for one that begins when all faults are over, to see that none of them lasts. */
struct made *made_new_late(const struct rules *rules);

/* Begins it, with what chance decides. 0; or as quoit_outcall_start(): it was never made. */
int made_begin(struct made *made, quoit_channel *channel);

/* What chance decides, for who begins it in another way. It is not moved. */
struct made_request {
        const quoit_method *method;
        quoit_call_options options;
        quoit_metadata field; /* of these */
        char id[16]; /* of that. Zero-terminated on the wire too: a peer's value is not */
};

void made_prepare(struct made *made, quoit_channel *channel, struct made_request *ret_request);

bool made_sends_many(const struct made *made);

/* A request of it. NULL: no memory, or no @arena. */
const struct upb_Message *made_ask(const struct made *made, struct upb_Arena *arena);

/* It gets a reply. */
void made_note_reply(struct made *made, const struct upb_Message *message);

/* Its caller knows its end. @attempt: that has answered; 0: that is not known. */
void made_note_end(struct made *made, const quoit_error *error, unsigned attempt);

void made_cancel(struct made *made);

/* It ends without its caller doing anything, if there is room for connections. */
bool made_ends(const struct made *made);

/* ---- all of a run ---- */

/* There are none. */
void made_begin_run(void);

unsigned made_count(void);
struct made *made_at(unsigned id);

/* Those of the calling thread that do not end by themselves. */
void made_cancel_endless(void);

/* None goes on that ends by itself. */
bool made_are_served(void);

/* A handler begins with @call. Which of the client's it is, and *@ret_attempt of it, from 1; -1: none. */
int made_note_served(const quoit_call *call, unsigned *ret_attempt);

/* Whether the call of that number is over. */
bool made_has_ended(unsigned id);

/* When the client is gone: all have ended. */
void made_check_ended(void);

/* And its channels' counters are right. */
void made_check_all(const quoit_retry_statistics *retries);

/* Prints what those that go on wait for, for people. */
void made_print(void);
