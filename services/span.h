/* SPDX-License-Identifier: MIT */
#pragma once

/* A span that is over, of a fixed size: as it waits to be sent. */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/method.h>
#include <quoit/protocol.h>
#include <quoit/status.h>
#include <quoit/tracing.h>

#define SPAN_PEER_BYTES 64
#define SPAN_TEXT_BYTES 128

struct span {
        quoit_trace trace;
        uint8_t parent_id[8]; /* zeros: it is the first of its trace */
        bool is_client;
        quoit_protocol protocol; /* by which it travelled */
        quoit_status status;
        uint64_t started_ns; /* since 1970 */
        uint64_t ended_ns;
        const quoit_method *method; /* NULL: none that the server knows */
        char peer[SPAN_PEER_BYTES]; /* as quoit_call_peer() has it, cut; "": not known */
        char text[SPAN_TEXT_BYTES]; /* that came with the status, UTF-8, cut; "": none */
};
