/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Rich errors: a status with detail messages, which every gRPC client can unpack. They are sent as a google.rpc.Status in
 * `grpc-status-details-bin`. The usual detail messages are in <quoit/google/rpc/error_details.quoit.h> (<quoit/reflection.h> says how
 * tools learn of them); any message can be used.
 *
 *      google_rpc_BadRequest *bad = google_rpc_BadRequest_new(quoit_call_arena(call));
 *      ...
 *      const quoit_detail detail = {
 *              "google.rpc.BadRequest", UPB_UPCAST(bad), &quoit_google__rpc__BadRequest_msg_init
 *      };
 *      quoit_call_finish_details(call, QUOIT_INVALID_ARGUMENT, "no such colour", &detail, 1);
 */

#include <stddef.h>

#include <quoit/call.h>
#include <quoit/export.h>

QUOIT_BEGIN_DECLS

/* A detail of an error. What it points to is read, and not kept. */
typedef struct quoit_detail {
        const char
                *type; /* "package.Message"; or a type URL of your own, which has a slash in it */
        const struct upb_Message *message; /* the detail itself */
        const struct upb_MiniTable *table; /* its type, from the generated header */
} quoit_detail;

/*
 * As quoit_call_finish(), with @count @details. Their google.rpc.Status has @status and @message too. The call is finished
 * whatever this returns; after an error, without details:
 * 0; -E2BIG: they and the other trailers are over the limit `metadata_out_bytes_max` (base64 makes them a third larger);
 * -EINVAL: @status is QUOIT_OK, which has no details, a message lacks a required field (proto2), or is nested too deeply;
 * -EILSEQ: text in them, or @message, is not UTF-8; -ENOMEM;
 * -EALREADY: the call was finished before, and nothing happened.
 */
QUOIT_API int quoit_call_finish_details(quoit_call *call, quoit_status status, const char *message,
        const quoit_detail *details, size_t count);

QUOIT_END_DECLS
