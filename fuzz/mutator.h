/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Changes inputs that are steps with frames of HTTP/2, or records of TLS, in them. A change that knows nothing of lengths nearly
 * always breaks the first frame, and what is behind it is never reached. So half of the changes are made to whole frames: one is
 * left out, doubled, moved, put in, or gets another head or payload, and the lengths around it are set right.
 *
 * A target defines mutator_form and is linked with mutator.c, which has LLVMFuzzerCustomMutator().
 */

#include <stddef.h>
#include <stdint.h>

/* What stands behind a step's byte. */
enum mutator_operand {
        OPERAND_NONE,
        OPERAND_BYTE,
        OPERAND_TWO_BYTES,
        OPERAND_UNITS, /* one byte of size, and so many bytes */
        OPERAND_MANY_UNITS, /* two bytes of size, and so many bytes */
};

/* A frame, or a record: a head that begins with fixed bytes and has the length of what follows. */
struct mutator_form {
        const uint8_t *operands; /* enum mutator_operand of each step */
        size_t steps;
        size_t start; /* where steps begin */
        size_t head_bytes; /* of a unit */
        size_t length_at, length_bytes; /* in the head, big-endian */
        size_t kind_at; /* in the head: a byte whose value says what it is ... */
        uint8_t first_kind, kinds; /* ... from there on so many */
};

extern const struct mutator_form mutator_form;

#define MUTATOR_HTTP2                                                                              \
        .head_bytes = 9, .length_at = 0, .length_bytes = 3, .kind_at = 3, .first_kind = 0,         \
        .kinds = 11
#define MUTATOR_TLS                                                                                \
        .head_bytes = 5, .length_at = 3, .length_bytes = 2, .kind_at = 0, .first_kind = 20,        \
        .kinds = 5
