/* SPDX-License-Identifier: MIT */
#pragma once

/* An exchange's messages and compression, with the coders of the calling thread. */

#include "call/exchange.h"

struct coders;
struct encoding;

/* Compresses a framed message on its way out. Where it would not be shorter, or memory is short, it stays as it is. */
void exchange_compress(
        const struct exchange *exchange, struct coders *coders, struct encoding *encoding);

/*
 * Makes what @message, which is compressed, says, in @arena. 0, and that is its data now; else an error of
 * coders_decompress(): see there.
 */
int exchange_decompress(const struct exchange *exchange, struct coders *coders,
        struct reader_message *message, upb_Arena *arena);
