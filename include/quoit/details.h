/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Rich errors: a status with messages about it, which clients of every make unpack. They travel as a google.rpc.Status in
 * `grpc-status-details-bin`; the usual ones are in <quoit/google/rpc/error_details.quoit.h>, but any
 * message will do.
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

/* A message about an error. What it points to is read, and not kept. */
typedef struct quoit_detail {
        const char
                *type; /* "package.Message"; or a type URL of your own, which has a slash in it */
        const struct upb_Message *message; /* what it says */
        const struct upb_MiniTable *table; /* its type, from the generated header */
} quoit_detail;

/*
 * As quoit_call_finish(), with @count @details, whose google.rpc.Status says @status and @message again. The call is
 * finished whatever this returns; where it is an error without details:
 * 0; -E2BIG: they and the other trailers are over the limit `metadata_out_bytes_max`, of which base64 takes a third;
 * -EINVAL: QUOIT_OK, which has none, a message that lacks a required field (proto2), or one nested too deeply; -EILSEQ: text in them, or
 * @message, is not UTF-8; -ENOMEM;
 * -EALREADY: the call was finished before, and nothing happened.
 */
QUOIT_API int quoit_call_finish_details(quoit_call *call, quoit_status status, const char *message,
        const quoit_detail *details, size_t count);

QUOIT_END_DECLS
