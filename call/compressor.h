/* SPDX-License-Identifier: MIT */
#pragma once

/* An exchange's messages and compression, with the coders of the calling thread. */

#include "call/exchange.h"

struct coders;
struct encoding;

/* Compresses a framed message to be sent. If it would not become shorter, unless it @may_grow, or memory is short, it stays as it is. */
void exchange_compress(const struct exchange *exchange, struct coders *coders,
        struct encoding *encoding, bool may_grow);

/*
 * Decompresses @message into @arena. 0: its data is the result now; else an error of coders_decompress().
 */
int exchange_decompress(const struct exchange *exchange, struct coders *coders,
        struct reader_message *message, upb_Arena *arena);
