/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Call credentials: metadata that says who calls, such as an access token, and is made when a call begins.
 *
 *      quoit_call_credentials *credentials;
 *
 *      quoit_call_credentials_new_bearer(token, &credentials);
 *      options.call_credentials = credentials;                 (of quoit_channel_options, for all calls of a channel;
 *      quoit_channel_new(client, target, &options, &channel);   or `credentials` of quoit_call_options, for one)
 *      ...
 *      quoit_call_credentials_set_bearer(credentials, another);
 *      quoit_call_credentials_free(credentials);               (channels and calls keep it as long as they need it)
 *
 * Where a channel and a call both have some, both are sent, the channel's first; they come behind the call's own metadata. Each attempt of
 * a call has its own: they are asked for again when a call is tried again, and for each attempt of a hedged one. They are asked for when
 * the channel is READY. Health checks are sent without.
 *
 * What says who calls must stay secret. On a channel without TLS calls with credentials end UNAUTHENTICATED and are not sent, unless all
 * of its addresses are unix sockets, or it has `insecure_credentials`.
 */

#include <stdbool.h>
#include <stddef.h>

#include <quoit/export.h>
#include <quoit/status.h>

QUOIT_BEGIN_DECLS

struct quoit_metadata;

/* Credentials, opaque and counted by reference. */
typedef struct quoit_call_credentials quoit_call_credentials;

/* A question for the metadata of one attempt, opaque. */
typedef struct quoit_credentials_request quoit_credentials_request;

/* Makes the metadata. */
typedef struct quoit_credentials_plugin {
        /*
         * Answers @request by quoit_credentials_request_answer() or _fail(), exactly once: now, or later from any thread. The call waits
         * for that; its deadline and its cancellation hold meanwhile. On the ring's thread, on several ones at once if a client has
         * several rings: it must not block.
         */
        void (*on_request)(quoit_credentials_request *request, void *user);
        /* @user is not used any more. On the thread that dropped the last reference. Can be NULL. */
        void (*on_free)(void *user);
} quoit_credentials_plugin;

/*
 * Credentials by a program's own @plugin, which is copied; @user is handed to its functions. In *@ret_credentials, with one reference,
 * the caller's. 0; -EINVAL: it has no on_request; -ENOMEM. Any thread.
 */
QUOIT_API int quoit_call_credentials_new(const quoit_credentials_plugin *plugin, void *user,
        quoit_call_credentials **ret_credentials);

/*
 * "authorization: Bearer TOKEN" (RFC 6750) for each call. @token is copied. 0; -EINVAL: it is empty, or not printable ASCII without
 * spaces; -E2BIG: over 16 KiB; -ENOMEM. Any thread.
 */
QUOIT_API int quoit_call_credentials_new_bearer(
        const char *token, quoit_call_credentials **ret_credentials);

/*
 * Attempts that begin from here on have @token, of credentials made by quoit_call_credentials_new_bearer(). As that, and -EINVAL: they were
 * not; after an error the old token stays. Any thread.
 */
QUOIT_API int quoit_call_credentials_set_bearer(
        quoit_call_credentials *credentials, const char *token);

/* Drops the caller's reference. Any thread. Takes NULL, returns NULL. */
QUOIT_API quoit_call_credentials *quoit_call_credentials_free(quoit_call_credentials *credentials);

/* ---- a request, until it is answered ---------------------------------------------------------- */

/*
 * What the call is for, as tokens have it as their audience: "https://HOST/package.Service", without the port 443; on a channel without
 * TLS it begins with "http:". HOST is the channel's :authority. Lives as long as @request. Any thread.
 */
QUOIT_API const char *quoit_credentials_request_url(const quoit_credentials_request *request);

/* The method's name alone: "Method". Lives as long as @request. Any thread. */
QUOIT_API const char *quoit_credentials_request_method(const quoit_credentials_request *request);

/* False once the call has ended without an answer. The request has to be answered all the same. Any thread. */
QUOIT_API bool quoit_credentials_request_is_wanted(quoit_credentials_request *request);

/*
 * The attempt is sent with these @count fields, which are copied, as quoit_call_options.metadata has them. A field that may not be sent, or
 * more than `metadata_out_bytes_max` of them, ends the call INTERNAL. @request is invalid from here on. Any thread.
 */
QUOIT_API void quoit_credentials_request_answer(
        quoit_credentials_request *request, const struct quoit_metadata *fields, size_t count);

/*
 * The attempt fails with @status, and @text (NULL: none) in its message; a retry policy may have it tried again. QUOIT_OK is taken for
 * UNAUTHENTICATED; statuses that only servers have, as NOT_FOUND, end the call INTERNAL (gRPC's proposal A54). @request is invalid from
 * here on. Any thread.
 */
QUOIT_API void quoit_credentials_request_fail(
        quoit_credentials_request *request, quoit_status status, const char *text);

QUOIT_END_DECLS
