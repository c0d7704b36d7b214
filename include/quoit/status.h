/* SPDX-License-Identifier: MIT */
#pragma once

/* The status codes of gRPC: its document "Status codes and their use in gRPC". */

#include <quoit/export.h>

QUOIT_BEGIN_DECLS

/*
 * How a call ended. The numbers are gRPC's, sent as `grpc-status`. A handler can finish with any of them; another number is sent
 * as UNKNOWN, and logged. The library itself never uses those marked (application), so a peer that sees one knows that a
 * handler chose it.
 */
typedef enum quoit_status {
        /* Not an error. */
        QUOIT_OK = 0,
        /* The call was cancelled, typically by the caller. */
        QUOIT_CANCELLED = 1,
        /*
         * An error without further information: a code that this version does not know, or a failure of HTTP alone.
         */
        QUOIT_UNKNOWN = 2,
        /*
         * (application) The request is wrong whatever the state of the system, for example a
         * malformed file name.
         */
        QUOIT_INVALID_ARGUMENT = 3,
        /*
         * The deadline passed first. An operation that changes state may have succeeded nevertheless.
         */
        QUOIT_DEADLINE_EXCEEDED = 4,
        /* (application) The requested entity was not found, or is hidden from everybody. */
        QUOIT_NOT_FOUND = 5,
        /* (application) The entity to create exists already. */
        QUOIT_ALREADY_EXISTS = 6,
        /*
         * The caller is known and not allowed to do this. Not for exhausted quotas or unidentified callers.
         */
        QUOIT_PERMISSION_DENIED = 7,
        /* Something ran out: a quota, memory, a message over the size limit. */
        QUOIT_RESOURCE_EXHAUSTED = 8,
        /*
         * (application) The system is not in the state that the operation needs, and retrying alone
         * won't help.
         */
        QUOIT_FAILED_PRECONDITION = 9,
        /*
         * (application) A conflict, for example of transactions; the caller may retry at a higher level.
         */
        QUOIT_ABORTED = 10,
        /* (application) Past the valid range, for example reading beyond the end of a file. */
        QUOIT_OUT_OF_RANGE = 11,
        /* No such method, or not supported or enabled here. */
        QUOIT_UNIMPLEMENTED = 12,
        /*
         * An invariant is broken: something is wrong with the implementation or the protocol
         * between the peers.
         */
        QUOIT_INTERNAL = 13,
        /*
         * The service cannot be reached now; most likely transient, so a retry with back-off may help.
         */
        QUOIT_UNAVAILABLE = 14,
        /* (application) Data was lost or corrupted for good. */
        QUOIT_DATA_LOSS = 15,
        /* The call lacks valid credentials. */
        QUOIT_UNAUTHENTICATED = 16,
} quoit_status;

/*
 * The name of @status as gRPC writes it, like "INVALID_ARGUMENT"; "UNKNOWN" for any other number. The string is static. Any
 * thread.
 */
QUOIT_API const char *quoit_status_name(quoit_status status);

QUOIT_END_DECLS
