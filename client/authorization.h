/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What an attempt of a call says of who calls: it is asked of the channel's credentials, then of the call's (credentials.h), once the channel
 * is READY and before an address is picked. Meanwhile the call does not wait in its channel's queue.
 */

#include <stdbool.h>
#include <stddef.h>

#include <quoit/credentials.h>

struct field_block;
struct grant;
struct quoit_outcall;

struct authorization {
        quoit_call_credentials *credentials; /* of the call; NULL: none. Its reference */
        quoit_credentials_request *request; /* of a call that is AUTHORIZING */
        struct grant *grants[2]; /* the channel's, the call's; NULL: none, or not yet */
        unsigned asked; /* how many of both it has */
};

/* Whether @call, which waits in the queue, has all that it needs. If not, it has left the queue: it waits for that, or has failed. */
bool authorization_complete(struct quoit_outcall *call);

/* How many fields it has, and these. */
size_t authorization_count(const struct quoit_outcall *call);
void authorization_add(const struct quoit_outcall *call, struct field_block *block);

/* The attempt has begun, or is over: what it has, or waits for, is not needed any more. */
void authorization_drop(struct quoit_outcall *call);

/* Whether the call may say who calls. If not, it has failed. It waits. */
bool authorization_allowed(struct quoit_outcall *call);
