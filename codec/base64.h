/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The base64 (RFC 4648, standard alphabet) of `-bin` metadata: emitted without padding, accepted
 * with and without.
 */

/* The size of the encoded form, without padding. */
static inline size_t base64_encoded_size(size_t size)
{
        return size / 3 * 4 + (size % 3 * 4 + 2) / 3;
}

/*
 * Encodes into @out, which has room for base64_encoded_size() bytes. Returns the bytes written; no
 * terminator.
 */
size_t base64_encode(char *out, const uint8_t *data, size_t size);

/* Room enough to decode @size characters, whatever they are. */
static inline size_t base64_decoded_size_max(size_t size)
{
        return size / 4 * 3 + size % 4 * 3 / 4;
}

/*
 * Decodes into @out, which has room for base64_decoded_size_max(@size) bytes and may be @text
 * itself. Returns 0, or
 * -EINVAL for a character outside the alphabet (white space too), a wrong or misplaced padding, a
 *         length that no encoder makes, or set bits after the last whole byte; @out may then hold
 *         garbage.
 */
int base64_decode(uint8_t *out, const char *text, size_t size, size_t *ret_size);
