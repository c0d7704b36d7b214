/* SPDX-License-Identifier: MIT */
#include "codec/rpc_status.h"

#include <string.h>

#define TYPE_URL_PREFIX "type.googleapis.com/"

/* Wire types of protobuf. */
enum { VARINT = 0, BYTES = 2 };

/* Only counts if @at is NULL, so that size and bytes always agree. */
struct pen {
        uint8_t *at;
        size_t size;
};

static void put(struct pen *pen, const void *data, size_t size)
{
        if (pen->at && size > 0)
                memcpy(pen->at + pen->size, data, size);
        pen->size += size;
}

static void put_varint(struct pen *pen, uint64_t value)
{
        do {
                uint8_t byte = (uint8_t)(value & 0x7f) | (value > 0x7f ? 0x80 : 0);

                put(pen, &byte, 1);
                value >>= 7;
        } while (value > 0);
}

static void put_head(struct pen *pen, unsigned field, unsigned wire_type)
{
        put_varint(pen, field << 3 | wire_type);
}

/* proto3: an empty field is left out. */
static void put_bytes(struct pen *pen, unsigned field, upb_StringView bytes)
{
        if (bytes.size == 0)
                return;
        put_head(pen, field, BYTES);
        put_varint(pen, bytes.size);
        put(pen, bytes.data, bytes.size);
}

static void put_type(struct pen *pen, upb_StringView type)
{
        size_t prefix = memchr(type.data, '/', type.size) ? 0 : strlen(TYPE_URL_PREFIX);

        put_head(pen, 1, BYTES);
        put_varint(pen, prefix + type.size);
        put(pen, TYPE_URL_PREFIX, prefix);
        put(pen, type.data, type.size);
}

static void put_any(struct pen *pen, const struct rpc_detail *detail)
{
        put_type(pen, detail->type);
        put_bytes(pen, 2, detail->value);
}

static void put_status(struct pen *pen, const struct rpc_status *status)
{
        if (status->status != QUOIT_OK) {
                put_head(pen, 1, VARINT);
                put_varint(pen, (unsigned)status->status);
        }
        put_bytes(pen, 2, status->message);
        for (size_t i = 0; i < status->count; i++) {
                struct pen counter = { 0 };

                put_any(&counter, status->details + i);
                put_head(pen, 3, BYTES);
                put_varint(pen, counter.size);
                put_any(pen, status->details + i);
        }
}

size_t rpc_status_size(const struct rpc_status *status)
{
        struct pen counter = { 0 };

        put_status(&counter, status);
        return counter.size;
}

void rpc_status_write(const struct rpc_status *status, uint8_t *out)
{
        struct pen pen = { .at = out };

        put_status(&pen, status);
}
