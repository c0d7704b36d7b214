/* SPDX-License-Identifier: MIT */
#pragma once

/* Calls that the client of a stage makes, and what they end with. */

#include <quoit/credentials.h>

#include "service.h"
#include "stage.h"

struct sweep_call {
        quoit_method_kind kind;
        enum act act;
        uint32_t count, size; /* of the request */
        unsigned asks; /* messages of those that send many */
        quoit_call_options options;
        quoit_status ends_with; /* also, and if nothing fails: OK unless told */
        quoit_outcall *call;
        quoit_credentials_request *request; /* of its credentials, which somebody has to answer */
        unsigned replies;
        bool is_given_up; /* as a message could not be sent */
        bool is_done;
        quoit_status status;
};

/* Its kind, with three messages where there are many, of @size bytes. */
struct sweep_call call_of(quoit_method_kind kind, uint32_t size);

/* Asynchronous. A call that could not begin is done. */
void call_begin(struct stage *stage, struct sweep_call *call);
void call_wait(struct stage *stage, struct sweep_call *call);
/* Both; true: OK, which it is unless something was to fail. */
bool call_make(struct stage *stage, struct sweep_call *call);

/* By functions that wait. */
void call_make_blocking(struct stage *stage, struct sweep_call *call);

/* What was to fail alone has failed: the channel has what it needs, so a call that waits for it succeeds. */
void call_check_recovery(struct stage *stage);
