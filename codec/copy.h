/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A vector: clang lays a struct of two words on the stack between its load and its store. */
typedef uint64_t copy_sixteen __attribute__((vector_size(16)));

#define COPY_HIGH_BITS UINT64_C(0x8080808080808080)

/*
 * memcpy() for mostly short data: a call of memcpy() with a size that the compiler does not know is a large part of the cost of
 * a small message. Both halves are loaded before they are stored, and may overlap.
 *
 * Returns whether all bytes are ASCII; false for long data, which is not checked. If the result is not used, it costs nothing.
 */
static inline __attribute__((always_inline)) bool copy_short(
        uint8_t *out, const uint8_t *data, size_t size)
{
        copy_sixteen head16, tail16;
        uint64_t head8, tail8, bits = 0;
        uint32_t head4, tail4;

        if (size > 32) {
                memcpy(out, data, size);
                return false;
        }
        if (size >= 16) {
                memcpy(&head16, data, 16);
                memcpy(&tail16, data + size - 16, 16);
                memcpy(out, &head16, 16);
                memcpy(out + size - 16, &tail16, 16);
                head16 |= tail16;
                bits = head16[0] | head16[1];
        } else if (size >= 8) {
                memcpy(&head8, data, 8);
                memcpy(&tail8, data + size - 8, 8);
                memcpy(out, &head8, 8);
                memcpy(out + size - 8, &tail8, 8);
                bits = head8 | tail8;
        } else if (size >= 4) {
                memcpy(&head4, data, 4);
                memcpy(&tail4, data + size - 4, 4);
                memcpy(out, &head4, 4);
                memcpy(out + size - 4, &tail4, 4);
                bits = head4 | tail4;
        } else {
                for (size_t i = 0; i < size; i++) {
                        out[i] = data[i];
                        bits |= data[i];
                }
        }
        return !(bits & COPY_HIGH_BITS);
}
