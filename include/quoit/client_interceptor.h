/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Interceptors see every call of a channel: at its start, where they may add metadata, refuse it or keep it waiting; each message; the
 * response's headers; its end. Tokens, deadlines, tracing, logs and metrics are made of them.
 *
 *      static void add_token(quoit_outcall *call, void *user)
 *      {
 *              const quoit_metadata token = { "authorization", upb_StringView_FromString(user) };
 *
 *              quoit_outcall_set_metadata(call, &token);
 *      }
 *      static const quoit_client_interceptor authentication = { .on_start = add_token };
 *      ...
 *      quoit_channel_intercept(channel, &authentication, "Bearer abc");
 *
 * They see the call as its caller does: once, however often it is sent (retryPolicy, hedgingPolicy, a server that has not processed it).
 * Those ways to a server are *attempts*, and have two functions of their own, for who counts or traces them. What the channel calls by
 * itself (health checks) is not seen.
 *
 * Order: starts, headers and messages in the order of registration, ends in the reverse. All run on the call's ring, also for calls that
 * another thread waits for, and must not block. A channel without interceptors pays nothing for them.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/client.h>
#include <quoit/export.h>
#include <quoit/message_info.h>
#include <quoit/method.h>
#include <quoit/status.h>

QUOIT_BEGIN_DECLS

/* A summary of a call that is over. */
typedef struct quoit_outcall_summary {
        quoit_status status; /* that the caller has heard */
        bool start_seen; /* on_start of this interceptor was called */
        uint64_t started_ns; /* when it was begun, on CLOCK_MONOTONIC */
        uint64_t duration_ns; /* from then until its caller could hear of its end */
        uint32_t messages_received; /* whole messages that arrived */
        uint32_t messages_sent; /* messages that the caller has sent, each counted once */
        /* Their bytes on the wire, after compression, without the prefix of five bytes. */
        uint64_t bytes_received;
        uint64_t bytes_sent; /* likewise */
        uint32_t retries; /* attempts that its retry policy has begun */
        uint32_t transparent_retries; /* attempts as no server had processed it before */
        uint32_t hedges; /* attempts beside a first one that its hedging policy has begun */
        uint64_t retry_delay_ns; /* in all, how long none was under way between two of them */
} quoit_outcall_summary;

/* Why an attempt was begun. */
typedef enum quoit_attempt_kind {
        QUOIT_ATTEMPT_FIRST, /* it is the call's first one */
        QUOIT_ATTEMPT_RETRY, /* the retry policy says so */
        QUOIT_ATTEMPT_TRANSPARENT, /* no server has processed the one before */
        QUOIT_ATTEMPT_HEDGE, /* the hedging policy says so: others may be under way */
} quoit_attempt_kind;

/* One attempt of a call. What follows @started_ns is known in on_attempt_end only. */
typedef struct quoit_attempt {
        quoit_attempt_kind kind; /* why it was begun */
        uint64_t started_ns; /* when it began to wait for a connection, on CLOCK_MONOTONIC */
        uint64_t duration_ns; /* from then to its end */
        /* The server's, or what failed on the way; CANCELLED if another one has won. */
        quoit_status status;
        const char *address; /* where it went, like "ipv4:127.0.0.1:50051". NULL: nowhere */
        /*
         * Of the messages that there were to send and that have arrived, as they travel, without prefixes. 0 if it went nowhere.
         */
        uint64_t bytes_sent;
        uint64_t bytes_received; /* likewise */
} quoit_attempt;

/*
 * The functions of an interceptor, any of which may be NULL. Static: it must outlive the client. @user is what
 * quoit_channel_intercept() was given. Several rings call at the same time. All but on_start and on_sent are never called from within a
 * function of the call.
 */
typedef struct quoit_client_interceptor {
        /*
         * The call begins, within the function that begins it. May look at the method and the metadata, change that, shorten the time that
         * the call has (quoit_outcall_set_timeout()), attach state (quoit_outcall_attach()), and
         *  - return: the next interceptor starts, and after the last the call goes on its way;
         *  - quoit_outcall_finish(): refuses the call; later interceptors do not see it start, and nothing is sent;
         *  - quoit_outcall_hold(): the start waits, while others run, for example until a token is there.
         */
        void (*on_start)(quoit_outcall *call, void *user);
        /* A message that the caller has sent, within the function that sends it. Must not send itself. */
        void (*on_sent)(quoit_outcall *call, const quoit_message_info *info, void *user);
        /* The headers of the response have arrived (quoit_outcall_header()), and the caller is about to hear of it. */
        void (*on_headers)(quoit_outcall *call, void *user);
        /*
         * A message that has arrived, before the caller gets it; if the method does not stream replies, only if the status is QUOIT_OK. If
         * the call is ended here, its caller does not get the message.
         */
        void (*on_received)(quoit_outcall *call, const quoit_message_info *info, void *user);
        /*
         * The call is over, and its on_done has run (a thread that waited for it may go on already); @summary describes it. Once for each
         * call that was begun, and last: free what was attached here. Trailers and message as in on_done. Only functions that read may be
         * called on @call. Not for a call that another one still holds (quoit_outcall_hold()): then when that ends.
         */
        void (*on_end)(const quoit_outcall *call, const quoit_outcall_summary *summary, void *user);

        /* An attempt has begun. It may be some way already. */
        void (*on_attempt)(const quoit_outcall *call, const quoit_attempt *attempt, void *user);
        /* It is over; once for each on_attempt, and before on_end. */
        void (*on_attempt_end)(const quoit_outcall *call, const quoit_attempt *attempt, void *user);
} quoit_client_interceptor;

/* The most interceptors of a channel. */
#define QUOIT_CLIENT_INTERCEPTORS_MAX 32

/*
 * Adds @interceptor behind those added before; @user is passed to its functions. Before the channel's first call, which must not begin
 * meanwhile. 0; -EBUSY: there was one; -E2BIG: there are QUOIT_CLIENT_INTERCEPTORS_MAX already; -ENOMEM; -ESHUTDOWN: the channel is of
 * the process that this one was forked from. Any thread.
 */
QUOIT_API int quoit_channel_intercept(
        quoit_channel *channel, const quoit_client_interceptor *interceptor, void *user);

/* ---- in on_start, and while the start is held -------------------------------------------------- */

/*
 * The first value of the metadata @name that the call will send; a "-bin" value as it travels, in base64. The bytes live as long as the
 * call. False: there is none.
 */
QUOIT_API bool quoit_outcall_metadata(
        const quoit_outcall *call, const char *name, upb_StringView *ret_value);

/*
 * Adds a copy of @field to the call's metadata. 0; -EINVAL and -E2BIG: as quoit_outcall_start(); -EALREADY: the call has started;
 * -ENOMEM; -EPERM: on another thread.
 */
QUOIT_API int quoit_outcall_add_metadata(quoit_outcall *call, const quoit_metadata *field);

/* The same in place of all fields of that name. After an error they are as before. */
QUOIT_API int quoit_outcall_set_metadata(quoit_outcall *call, const quoit_metadata *field);

/*
 * The call ends DEADLINE_EXCEEDED @timeout_ms from now, unless it has to end earlier anyway. 0; -EALREADY: the call has started; -EPERM:
 * on another thread.
 */
QUOIT_API int quoit_outcall_set_timeout(quoit_outcall *call, uint32_t timeout_ms);

/*
 * The start waits, while the channel connects: no later interceptor sees it, and nothing is sent, until quoit_outcall_proceed() or
 * quoit_outcall_finish(). One of the two must be called, also if the call has ended meanwhile, of which its caller hears at once; until
 * then @call is valid, and quoit_client_free() waits. Only in on_start; else it does nothing.
 */
QUOIT_API void quoit_outcall_hold(quoit_outcall *call);

/*
 * Runs @fn(@call, @arg) on the call's ring. From any thread, while the call is held. Do not post again after the post whose function ends
 * the hold. 0; -ENOMEM: try again later; -ESHUTDOWN: the ring has broken, and there is nothing left to do. After an error @fn does not run.
 */
QUOIT_API int quoit_outcall_post(
        quoit_outcall *call, void (*fn)(quoit_outcall *call, void *arg), void *arg);

/* Ends the hold: the next interceptor starts. On the ring; does nothing without a hold. After that @call may be gone, if it has ended. */
QUOIT_API void quoit_outcall_proceed(quoit_outcall *call);

/* ---- at any time ------------------------------------------------------------------------------- */

/*
 * Ends the call with @status (OK or no status of gRPC's: UNKNOWN) and a copy of @message, zero-terminated ASCII (NULL: none), as if the
 * server had said so; ends a hold too. What has arrived and was not delivered is dropped; a server that has the call is told (RST_STREAM).
 * Does nothing if the caller has heard of an end.
 */
QUOIT_API void quoit_outcall_finish(quoit_outcall *call, quoit_status status, const char *message);

/*
 * Attaches @value to the call under @key, for other interceptors and the caller's functions. @key is an address that nobody else uses,
 * like that of a static variable. Replaces an earlier value. @value is only passed on: in the call's arena (quoit_outcall_arena()) it
 * lives as long as the call; free anything else in on_end. 0; -ENOMEM; -EPERM: on another thread.
 */
QUOIT_API int quoit_outcall_attach(quoit_outcall *call, const void *key, void *value);

/* The value attached to the call under @key, or NULL. */
QUOIT_API void *quoit_outcall_attachment(const quoit_outcall *call, const void *key);

/* The method that the call was begun with. Also on other threads, while the call is valid. */
QUOIT_API const quoit_method *quoit_outcall_method(const quoit_outcall *call);

/* Which of its client's rings the call is on: from 0 to quoit_client_rings() - 1. Counters for each ring need no lock. */
QUOIT_API unsigned quoit_outcall_ring(const quoit_outcall *call);

/*
 * The target that the channel was made with, with "dns:///" before it if it has no scheme: as gRPC's labels have it. Lives as long as
 * the channel. Any thread.
 */
QUOIT_API const char *quoit_channel_target(const quoit_channel *channel);

/* How many rings its client has. Any thread. */
QUOIT_API unsigned quoit_channel_rings(const quoit_channel *channel);

QUOIT_END_DECLS
