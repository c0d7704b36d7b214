/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/status.h>

#include "upb/base/string_view.h"

/* The trailer that it is sent in (<quoit/details.h>). */
#define RPC_STATUS_FIELD "grpc-status-details-bin"

/*
 * google.rpc.Status, written and read without a table: its three fields never change.
 *
 *      message Status { int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3; }
 *      message Any { string type_url = 1; bytes value = 2; }
 */

struct rpc_detail {
        upb_StringView type; /* "package.Message", or a type URL */
        upb_StringView value; /* the message's bytes */
};

struct rpc_status {
        quoit_status status; /* its number on the wire, the same as in grpc-status */
        upb_StringView message;
        const struct rpc_detail *details;
        size_t count;
};

/* How many bytes rpc_status_write() writes. */
size_t rpc_status_size(const struct rpc_status *status);

void rpc_status_write(const struct rpc_status *status, uint8_t *out);

/* Takes the next detail off the front of @status, the bytes of one. False: there is none left. The detail refers to them. */
bool rpc_status_next_detail(upb_StringView *status, struct rpc_detail *ret_detail);
