/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A hedged call (gRPC's proposal A6): its request goes out several times, a delay apart, and the first response that begins counts. Each
 * attempt is a call of its own, which the caller does not know. The caller's call has no stream: it keeps what is sent, for all attempts
 * and until the last one is gone, and it is what the caller's functions get, also from the attempt that wins. On its ring's thread, also
 * inside nghttp2's callbacks.
 */

#include <stdbool.h>

#include <quoit/status.h>

#include "call/writer.h"
#include "client/service_config.h"
#include "core/list.h"
#include "core/timer.h"

struct quoit_outcall;

/* A call's part, in its arena. */
struct hedging {
        struct quoit_outcall *call;
        struct hedging_policy policy; /* its channel's config may be another meanwhile */
        struct list attempts; /* that may still win, the oldest first */
        struct quoit_outcall *winner; /* NULL: there is none yet, or it is gone */
        unsigned begun; /* attempts */
        unsigned left; /* those that are not freed */
        bool stops; /* no further attempt is begun */
        struct timer next; /* begins one */
        size_t stored_bytes; /* counted in the channel's replay budget */
        struct replay_budget
                kept; /* what attempts have written lies in the call, so nothing limits this one */
};

/* @call is to be hedged, by a copy of @policy. 0 or -ENOMEM. */
int hedging_init(struct quoit_outcall *call, const struct hedging_policy *policy);

/* Its first attempt begins. */
void hedging_begin(struct quoit_outcall *call);

/* The caller has sent something on @call, or has half-closed it. */
void hedging_send(struct quoit_outcall *call);

/* The response of @attempt has begun, or is the last one that there will be: it wins, and the others end at once. No-op if it has won. */
void hedging_win(struct quoit_outcall *attempt);

/* @attempt has failed before its response began. True: another one may do better, and it ends unheard. False: it has won. */
bool hedging_try_again(struct quoit_outcall *attempt, quoit_status status);

/* The winner's on_done is next. */
void hedging_set_done(struct quoit_outcall *call);

/* The call has ended, and none has won. */
void hedging_end(struct quoit_outcall *call);

/* @attempt of @call is about to be freed. */
void hedging_forget(struct quoit_outcall *call, const struct quoit_outcall *attempt);
