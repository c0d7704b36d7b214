/* SPDX-License-Identifier: MIT */
#pragma once

/* What a recording has of a call: an entry for each of its events, as the call's client has seen them. */

#include <quoit/call.h>
#include <quoit/client.h>

#include "recording.h"

struct recorded {
        struct recording *recording;
        uint64_t id; /* of the call, from 1 on */
        uint64_t sequence; /* of the entry before */
        bool keeps_secrets; /* the values of secrets.h's names are written too */
};

/* It begins: its method, metadata, deadline and peer. */
void entries_add_call(struct recorded *recorded, const quoit_call *call);

/* A message, of the client or of the server. */
void entries_add_request(struct recorded *recorded, upb_StringView message);
void entries_add_reply(struct recorded *recorded, upb_StringView message);

void entries_add_half_close(struct recorded *recorded);

/* The headers of the response. */
void entries_add_headers(struct recorded *recorded, const quoit_outcall *call);

/* The end, in the outcall's on_done (NULL: there was none): its status and trailers; or that the client has cancelled it. */
void entries_add_end(struct recorded *recorded, const quoit_outcall *call, quoit_status status);
void entries_add_cancel(struct recorded *recorded);
