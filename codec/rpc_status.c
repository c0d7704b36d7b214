/* SPDX-License-Identifier: MIT */
#include "codec/rpc_status.h"

#include <string.h>

#include "codec/wire.h"

#define TYPE_URL_PREFIX "type.googleapis.com/"

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
        put_head(pen, field, kUpb_WireType_Delimited);
        put_varint(pen, bytes.size);
        put(pen, bytes.data, bytes.size);
}

static void put_type(struct pen *pen, upb_StringView type)
{
        size_t prefix = memchr(type.data, '/', type.size) ? 0 : strlen(TYPE_URL_PREFIX);

        put_head(pen, 1, kUpb_WireType_Delimited);
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
                put_head(pen, 1, kUpb_WireType_Varint);
                put_varint(pen, (unsigned)status->status);
        }
        put_bytes(pen, 2, status->message);
        for (size_t i = 0; i < status->count; i++) {
                struct pen counter = { 0 };

                put_any(&counter, status->details + i);
                put_head(pen, 3, kUpb_WireType_Delimited);
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

/* ---- reading ---- */

static struct wire_cursor cursor_of(upb_StringView bytes)
{
        const uint8_t *at = (const uint8_t *)bytes.data;

        return (struct wire_cursor){ at, at + bytes.size };
}

static upb_StringView view(struct wire_cursor bytes)
{
        return upb_StringView_FromDataAndSize(
                (const char *)bytes.at, (size_t)(bytes.end - bytes.at));
}

static struct rpc_detail read_any(struct wire_cursor any)
{
        struct rpc_detail detail = { .type = { "", 0 }, .value = { "", 0 } };
        struct wire_field field;

        while (wire_next(&any, &field)) {
                if (field.type == kUpb_WireType_Delimited && field.number == 1)
                        detail.type = view(field.bytes);
                else if (field.type == kUpb_WireType_Delimited && field.number == 2)
                        detail.value = view(field.bytes);
        }
        return detail;
}

bool rpc_status_next_detail(upb_StringView *status, struct rpc_detail *ret_detail)
{
        struct wire_cursor cursor = cursor_of(*status);
        struct wire_field field;

        while (wire_next(&cursor, &field)) {
                if (field.type != kUpb_WireType_Delimited || field.number != 3)
                        continue;
                *ret_detail = read_any(field.bytes);
                *status = view(cursor);
                return true;
        }
        return false;
}
