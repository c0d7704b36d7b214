/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One call as the suite describes it. A thread of its own walks through it: it waits where the description says so, and does what is
 * next on the client's thread.
 */

#include <pthread.h>
#include <stdbool.h>

#include <quoit/quoit.h>

#include "../names.h"
#include "connectrpc/conformance/v1/client_compat.quoit.h"

typedef CONFORMANCE(ClientCompatRequest) compat_request;
typedef CONFORMANCE(ClientResponseResult) compat_result;

struct invocation {
        quoit_client *client;
        const compat_request *request;
        upb_Arena *arena; /* of all of it */
        const char *problem; /* NULL: the call could be tried, and @result says what came of it */
        compat_result *result;

        /* its own */
        quoit_channel *channel;
        const quoit_method *method;
        const upb_Message **messages; /* to be sent */
        size_t message_count;
        size_t sent;
        unsigned cancel_after; /* so many replies; UINT_MAX: not by their number */
        quoit_outcall *call;
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        /* with the mutex */
        unsigned replies;
        bool is_over;
        bool errand_done;
};

/* Makes the call. @invocation has its first three members, and the rest of it is 0. */
void invoke(struct invocation *invocation);

/* ---- result.c: on the client's thread, with the mutex ---- */

void result_add_payload(struct invocation *invocation, const upb_Message *reply);
void result_finish(struct invocation *invocation, quoit_status status);
