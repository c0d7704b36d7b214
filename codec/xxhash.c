/* SPDX-License-Identifier: MIT */
#include "codec/xxhash.h"

#include <endian.h>
#include <string.h>

#define PRIME_1 0x9E3779B185EBCA87u
#define PRIME_2 0xC2B2AE3D27D4EB4Fu
#define PRIME_3 0x165667B19E3779F9u
#define PRIME_4 0x85EBCA77C2B2AE63u
#define PRIME_5 0x27D4EB2F165667C5u
#define STRIPE_BYTES 32

static uint64_t rotate(uint64_t value, unsigned bits)
{
        return value << bits | value >> (64 - bits);
}

static uint64_t read64(const uint8_t *bytes)
{
        uint64_t value;

        memcpy(&value, bytes, sizeof(value));
        return le64toh(value);
}

static uint32_t read32(const uint8_t *bytes)
{
        uint32_t value;

        memcpy(&value, bytes, sizeof(value));
        return le32toh(value);
}

static uint64_t mix(uint64_t lane, uint64_t input)
{
        return rotate(lane + input * PRIME_2, 31) * PRIME_1;
}

/* All whole stripes. *@bytes and *@size: what is left. */
static uint64_t hash_stripes(const uint8_t **bytes, size_t *size)
{
        uint64_t lanes[4] = { PRIME_1 + PRIME_2, PRIME_2, 0, -PRIME_1 };
        uint64_t hash;

        for (; *size >= STRIPE_BYTES; *bytes += STRIPE_BYTES, *size -= STRIPE_BYTES) {
                for (unsigned i = 0; i < 4; i++)
                        lanes[i] = mix(lanes[i], read64(*bytes + i * 8));
        }
        hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) +
               rotate(lanes[3], 18);
        for (unsigned i = 0; i < 4; i++)
                hash = (hash ^ mix(0, lanes[i])) * PRIME_1 + PRIME_4;
        return hash;
}

static uint64_t hash_rest(uint64_t hash, const uint8_t *bytes, size_t size)
{
        for (; size >= 8; bytes += 8, size -= 8)
                hash = rotate(hash ^ mix(0, read64(bytes)), 27) * PRIME_1 + PRIME_4;
        for (; size >= 4; bytes += 4, size -= 4)
                hash = rotate(hash ^ read32(bytes) * PRIME_1, 23) * PRIME_2 + PRIME_3;
        for (; size > 0; bytes++, size--)
                hash = rotate(hash ^ *bytes * PRIME_5, 11) * PRIME_1;
        return hash;
}

uint64_t xxhash64(const void *data, size_t size)
{
        const uint8_t *bytes = data;
        size_t left = size;
        uint64_t hash = size >= STRIPE_BYTES ? hash_stripes(&bytes, &left) : PRIME_5;

        hash = hash_rest(hash + size, bytes, left);
        hash = (hash ^ hash >> 33) * PRIME_2;
        hash = (hash ^ hash >> 29) * PRIME_3;
        return hash ^ hash >> 32;
}
