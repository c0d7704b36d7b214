/* SPDX-License-Identifier: MIT */
#pragma once

/* Interceptors of a channel that note what they see of its calls. */

#include "stage.h"

struct seen {
        char text[2000];
        unsigned ends; /* of the observer below */
        unsigned attempts, attempt_ends;
        quoit_outcall_summary summary; /* the last one */
        quoit_attempt attempt; /* the last one that ended */
        bool has_address; /* it had */
        size_t sent_size, received_size;
};

/* Each test clears it. */
extern struct seen seen;

/* Calls, in order: names are what an interceptor is added with. */
extern const quoit_client_interceptor observer;
extern const quoit_client_interceptor attempts_observer;

void intercept(struct stage *stage, const quoit_client_interceptor *interceptor, const char *name);
unsigned ends(void);

/* For a service config: attempts begin 100 s after each other, or when one fails. */
#define HEDGING                                                                                    \
        "{\"methodConfig\": [{\"name\": [{}], \"hedgingPolicy\": {\"maxAttempts\": 3, "            \
        "\"hedgingDelay\": \"100s\", \"nonFatalStatusCodes\": [\"NOT_FOUND\"]}}]}"
