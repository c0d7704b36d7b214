/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The life of one call of a client: an exchange, what its response says, and what the caller has heard of it. It waits in its channel
 * until it is begun on a connection. What may begin again goes back to its channel (outcall_retry.h).
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/client.h>
#include <quoit/stub.h>

#include "call/call.h"
#include "call/exchange.h"
#include "call/fields.h"
#include "client/authorization.h"
#include "client/client.h"
#include "client/hedging.h"
#include "client/interception.h"
#include "client/retry.h"
#include "link/owner.h"

struct client_connection;
struct channel;
struct subchannel;

enum outcall_state {
        OUTCALL_WAITING, /* for a connection, or for room on one */
        OUTCALL_AUTHORIZING, /* for what its credentials say (authorization.h) */
        OUTCALL_OPEN, /* it has a stream */
        OUTCALL_LEAVING, /* its stream has failed, and is about to be closed; then it is PAUSED */
        OUTCALL_PAUSED, /* between two attempts */
        OUTCALL_HEDGED, /* its attempts are calls of their own (hedging.h) */
        OUTCALL_ENDED, /* it has a status; the caller may have to hear of messages before that */
        OUTCALL_DONE, /* on_done has run */
};

/* What the server's header blocks say. The strings are in the call's arena. */
struct response {
        unsigned http_status; /* 0: none yet */
        bool is_grpc : 1; /* the content-type is */
        bool bad_encoding : 1; /* one that we do not know */
        bool has_status : 1;
        bool bad_status : 1;
        bool out_of_memory : 1;
        bool oversize : 1; /* more fields than allowed, once decoded */
        bool has_headers : 1; /* they have arrived, and not trailers in their place */
        enum pushback pushback;
        uint64_t pushback_ns; /* with PUSHBACK_WAIT */
        quoit_status status;
        upb_StringView message; /* decoded */
        upb_StringView content_type; /* that is not gRPC's; no data: there is none */
        struct fields headers, trailers;
};

struct quoit_outcall {
        struct exchange exchange; /* first: the session hands its stream back */
        struct channel *channel;
        struct list link; /* in the channel */
        struct list queued; /* in the channel, or at a subchannel, while it waits */
        struct subchannel *subchannel; /* where it has begun; NULL: nowhere. balancer.h writes it */
        uint64_t hash; /* of its key, if that ... */
        const quoit_method *method;
        const quoit_outcall_handler *handler;
        void *user;
        struct call_child child; /* of the call that it is made for, while both run */
        quoit_stub_target target; /* of a stub */
        /* Of a call that another thread waits for: gets messages, decompressed, in place of on_message. 0, or -ENOBUFS: memory is short. */
        int (*on_bytes)(struct quoit_outcall *call, const uint8_t *data, size_t size);
        const struct upb_Message *reply; /* in on_done: the one that there is, or NULL */
        enum outcall_state state;
        bool is_check : 1; /* feed.h's: it is of one connection */
        bool was_unprocessed : 1; /* where it has begun: no more is known about that server */
        bool hash_is_known : 1; /* ... is there; or ... */
        bool hash_is_random : 1; /* ... a random number in place of it */
        bool wait_for_ready : 1;
        bool awaits_config : 1; /* what its channel's service config says of it is not known yet */
        bool is_patient : 1; /* ... and may say that it waits for READY */
        bool half_closed : 1; /* by the caller */
        bool wants_writable : 1; /* quoit_outcall_writable() has said false */
        bool headers_told : 1;
        bool was_refused : 1; /* the server has refused to process it, once */
        bool has_left : 1; /* an attempt is over, and its balancer has not heard of that */
        bool has_failed : 1; /* the status is ours: nothing is delivered any more */
        quoit_status left_status; /* of that attempt */
        quoit_status status; /* before its end: of the attempt that failed last */
        upb_StringView message; /* with the status; static, or in the arena, and zero-terminated */
        struct retry retry;
        struct timer pause; /* between two attempts */
        struct hedging *hedging; /* of a hedged call; NULL: it is not */
        struct quoit_outcall
                *face; /* of an attempt: the call that the caller knows; NULL: it is that itself */
        struct list sibling; /* of an attempt that may win, in that call's */
        size_t given_bytes; /* of an attempt: how much of what that call keeps it has */
        size_t send_bytes_max; /* of a message */
        struct interception *interception; /* NULL: nobody intercepts it */
        struct attempt
                attempt; /* of what is intercepted: the one that it is at, or that it has left */
        struct attachment *attachments;
        struct fields fields; /* metadata to be sent */
        struct authorization authorization; /* and what an attempt has besides */
        struct response response;
};

static inline struct quoit_outcall *outcall_of(struct exchange *exchange)
{
        return CONTAINER_OF(exchange, struct quoit_outcall, exchange);
}

static inline struct quoit_outcall *outcall_of_stream(struct stream *stream)
{
        return outcall_of(exchange_of_stream(stream));
}

/* The call as the caller knows it. */
static inline struct quoit_outcall *outcall_known(const struct quoit_outcall *call)
{
        return call->face ? call->face : (struct quoit_outcall *)call;
}

/* Whose response the caller gets: its own, or that of the attempt that has won. */
static inline struct quoit_outcall *outcall_subject(const struct quoit_outcall *call)
{
        return (struct quoit_outcall *)(call->hedging && call->hedging->winner
                                                ? call->hedging->winner
                                                : call);
}

/* The same; while none has won, the oldest attempt, if there is one. */
static inline struct quoit_outcall *outcall_leader(const struct quoit_outcall *call)
{
        struct quoit_outcall *subject = outcall_subject(call);

        if (subject != call || !call->hedging || list_is_empty(&call->hedging->attempts))
                return subject;
        return CONTAINER_OF(call->hedging->attempts.next, struct quoit_outcall, sibling);
}

static inline bool outcall_is_over(const struct quoit_outcall *call)
{
        return call->state >= OUTCALL_ENDED;
}

/* Whether the calling thread is its ring's. If not, the log says that @function was called there. */
bool outcall_is_here(const struct quoit_outcall *call, const char *function);

/* Its channel's service config is known. No-op for a call that has not awaited it. */
void outcall_configure(struct quoit_outcall *call);

/* A call that waits in its @channel. 0, or as quoit_outcall_start(). */
int outcall_new(struct channel *channel, const quoit_method *method,
        const quoit_call_options *options, const quoit_outcall_handler *handler, void *user,
        struct quoit_outcall **ret_call);

/* Its interceptors have seen it start: it waits for a connection, or its first attempt does. */
void outcall_go(struct quoit_outcall *call);

/* An attempt of the hedged @call, which the caller queues, or frees. 0 or -ENOMEM. */
int outcall_new_attempt(struct quoit_outcall *call, struct quoit_outcall **ret_attempt);

/* One that was never queued. */
void outcall_free_new(struct quoit_outcall *call);

/* A call that the channel makes by itself, on @subchannel and nowhere else; its handler's user is that. 0; -ENOMEM. */
int outcall_new_check(struct subchannel *subchannel, const quoit_method *method,
        const quoit_outcall_handler *handler, void *user, struct quoit_outcall **ret_call);

/* It begins on @connection, one of @subchannel's. 0, also if it has ended instead; -EAGAIN: no room there; -ESHUTDOWN: it takes no calls. */
int outcall_begin(struct quoit_outcall *call, struct subchannel *subchannel,
        struct client_connection *connection);

/* The server's status: messages that have arrived are still delivered. @message as of struct quoit_outcall. No-op if it has ended. */
void outcall_finish(struct quoit_outcall *call, quoit_status status, upb_StringView message);

/* The same with a copy of @text, where the server has ended the attempt, or is gone, without a status that could stand; the policy may have it begin again. */
void outcall_finish_attempt(struct quoit_outcall *call, quoit_status status, const char *text);

/* Ends it from here: what has arrived is dropped, and its stream is reset. @text is static. No-op if it has ended. */
void outcall_fail(struct quoit_outcall *call, quoit_status status, const char *text);

/* The same with any status, for an interceptor, and a copy of @text. */
void outcall_refuse(struct quoit_outcall *call, quoit_status status, const char *text);

/* The same as outcall_fail() with a copy of @text. */
void outcall_fail_copy(struct quoit_outcall *call, quoit_status status, const char *text);

/* The same where another attempt may do better: only if it is not tried again. */
void outcall_fail_attempt(struct quoit_outcall *call, quoit_status status, const char *text);

/* It has to end at @deadline_ns, if not earlier. UINT64_MAX: it need not. */
void outcall_limit_time(struct quoit_outcall *call, uint64_t deadline_ns);

/* Copies @field into the metadata that it sends. 0, or as quoit_outcall_start(). */
int outcall_add_metadata(struct quoit_outcall *call, const quoit_metadata *field);

/* The one place where its state changes; asserts that the step is allowed. */
void outcall_set_state(struct quoit_outcall *call, enum outcall_state state);

/* It becomes a call of the group @to: its connection's, or that of the channel's calls without one. */
void outcall_move(struct quoit_outcall *call, struct call_group *to);

/* on_done is next. */
void outcall_set_done(struct quoit_outcall *call);

/* Frees it if it is DONE and nothing uses it. Also inside nghttp2's callbacks. */
void outcall_release(struct quoit_outcall *call);

/* It may have an event. */
void outcall_wake(struct quoit_outcall *call);

/* link_owner.run_call, and the same for calls that have no connection. */
enum dispatched outcall_run(struct exchange *exchange, bool in_line);
void outcall_run_unconnected(struct exchange *exchange);

/* What the session pulls and writes. */
struct session_pull outcall_pull(struct quoit_outcall *call, size_t size_max);
void outcall_write(struct quoit_outcall *call, struct output *output, size_t size);

/* It has something to send, if it has a stream. */
void outcall_ask_to_send(struct quoit_outcall *call);

/* As the public functions of these names, on the client's thread. */
int outcall_send(struct quoit_outcall *call, const struct upb_Message *message);
/* The same for the @size bytes of a message that is encoded already. */
int outcall_send_bytes(struct quoit_outcall *call, const uint8_t *bytes, size_t size);
void outcall_half_close(struct quoit_outcall *call);
void outcall_get_error(quoit_status status, upb_StringView message, quoit_error *ret_error);
