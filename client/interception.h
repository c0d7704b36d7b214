/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The interceptors of a channel, and what they see of a call (quoit/client_interceptor.h): it starts when it is begun, and only then
 * waits for a connection; its attempts begin and end on the way; its end is told last. On its ring, never inside nghttp2's callbacks,
 * unless it says otherwise.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/client_interceptor.h>

struct quoit_outcall;

/* A channel's. Fixed before its first call. */
struct client_interceptors {
        struct {
                const quoit_client_interceptor *functions;
                void *user;
        } list[QUOIT_CLIENT_INTERCEPTORS_MAX];
        unsigned count;
        bool see_attempts; /* one of them does */
};

/* A call's part, in its arena. */
struct interception {
        const struct client_interceptors *interceptors;
        unsigned starts; /* interceptors that have seen the call start */
        bool is_starting : 1; /* one of them sees it now */
        bool is_held : 1;
        bool has_started : 1; /* no further one will see it start */
        bool has_ended : 1; /* all have seen its end */
        unsigned open; /* attempts */
        uint64_t idle_since_ns; /* when the last one ended, while none is open; 0: there was none */
        quoit_outcall_summary summary; /* all of it is known at the end */
};

/* An attempt: a part of the call that has its stream. */
struct attempt {
        uint64_t began_ns;
        quoit_attempt_kind kind;
        quoit_attempt_kind next_kind; /* of the one that follows, when this one has been left */
        bool is_open : 1; /* interceptors will see its end */
        bool is_new : 1; /* those that want to have not seen it */
};

/* @call is begun: it has an interception if its channel has interceptors. 0 or -ENOMEM. */
int interception_init(struct quoit_outcall *call);

/* Shows it to them, until one holds or ends it. Then, or if there are none, the call goes on its way by outcall_go(). */
void interception_start(struct quoit_outcall *call);

/* Whether one of them holds @call. */
bool interception_holds(const struct quoit_outcall *call);

/* What @call, as its caller knows it, has sent or is about to tell. No-ops without interceptors. */
void interception_sent(struct quoit_outcall *call, const quoit_message_info *info);
void interception_received(struct quoit_outcall *call, const quoit_message_info *info);
void interception_headers(struct quoit_outcall *call);

/* Its caller is about to hear of its end. */
void interception_note_end(struct quoit_outcall *call);

/* Shows them its end, if that has been told, no attempt is open and nobody holds it. */
void interception_settle(struct quoit_outcall *call);

/* ---- attempts --------------------------------------------------------------------------------- */

/* @call, or an attempt of it, begins to wait for a connection. They see it later. Also inside nghttp2's callbacks. */
void interception_open_attempt(struct quoit_outcall *call, quoit_attempt_kind kind);

/* They see it now. */
void interception_tell_attempt(struct quoit_outcall *call);

/* It is over, with @status, and its balancer has not heard of it yet. No-op if none is open. */
void interception_close_attempt(struct quoit_outcall *call, quoit_status status);
