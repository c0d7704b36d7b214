/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Blocks for large ciphertext, of one ring. malloc would give blocks of this size back to the kernel and get them again, with
 * a page fault for each page: a fifth of the time of echoing 64 KiB. Small ciphertext is malloc's.
 */

#include "transport/tls.h"

#define TLS_SPARES_MAX 64
#define TLS_SPARES_BYTES_MAX ((size_t)8 << 20) /* in all; a ring keeps more for messages */
#define TLS_SPARE_BYTES_MIN ((size_t)32 << 10)

struct tls_spares {
        struct tls_bytes blocks[TLS_SPARES_MAX];
        unsigned count;
        size_t bytes;
};

/* Takes zeroed memory. */
void tls_spares_deinit(struct tls_spares *spares);

/* An empty block for @size bytes or a little more; its data is NULL if there is no memory. */
struct tls_bytes tls_spares_take(struct tls_spares *spares, size_t size);

/* Keeps the block of @bytes, or frees it; NULL is fine. */
void tls_spares_give(struct tls_spares *spares, struct tls_bytes bytes);
