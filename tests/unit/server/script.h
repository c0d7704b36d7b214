/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Handlers of all four kinds that do what their request says: answer at once, later, or never, send
 * much, fail, stop reading. For tests and for the fuzzer.
 */

#include <stddef.h>

#include <quoit/quoit.h>

enum script_act {
        SCRIPT_ANSWER, /* in order: one message, or Ask.count of them, of Ask.size bytes each */
        SCRIPT_FAIL, /* finish with NOT_FOUND, Ask.payload being the text */
        SCRIPT_FORGET, /* return without any answer */
        SCRIPT_EMPTY, /* finish with OK, without a message */
        SCRIPT_TWICE, /* two messages */
        SCRIPT_HOLD, /* answer when script_finish_held() says so, or when cancelled */
        SCRIPT_POST, /* hold, and answer from a function that was posted */
        SCRIPT_METADATA, /* the request's metadata sent back as headers and as trailers, then as SCRIPT_ANSWER */
        SCRIPT_HEADERS, /* headers at once, the rest as SCRIPT_HOLD */
        SCRIPT_BURST, /* all answers at once, whether there is room or not */
        SCRIPT_ENDLESS, /* answers without end, where many are sent */
        SCRIPT_NULL, /* one message for which there was no memory */
        SCRIPT_STOP_READING, /* no more credits; as many as Ask.count after a post */
        SCRIPT_ACTS,
};

#define SCRIPT_HELD_MAX 256
#define SCRIPT_PAYLOAD_MAX 100000u
#define SCRIPT_BURST_MAX (1u << 20) /* bytes in all */

/* The user of the handlers. Zeroed to begin with. */
struct script {
        quoit_call *held[SCRIPT_HELD_MAX];
        size_t held_count;
        size_t started; /* handlers that were given their first event */
        size_t done; /* on_done */
        size_t messages;
        size_t half_closes;
        size_t cancels; /* on_cancel */
};

/* Registers script.Script; @script is the handlers' user. */
int script_register(quoit_server *server, struct script *script);

/* Finishes all calls that wait for it. */
void script_finish_held(struct script *script);
