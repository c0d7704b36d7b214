/* SPDX-License-Identifier: MIT */
#include "api.h"

#include <inttypes.h>
#include <string.h>

/* ---- sayHello ---- */

static void say_hello(quoit_call *call, const api_HelloRequest *request, void *user)
{
        static const char before[] = "Hello ";
        upb_Arena *arena = quoit_call_arena(call);
        upb_StringView name = api_HelloRequest_name(request);
        size_t size = strlen(before) + name.size + 1;
        char *text = arena ? upb_Arena_Malloc(arena, size) : NULL;
        api_Hello *reply = text ? api_Hello_new(arena) : NULL;

        (void)user;
        if (!reply) {
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return;
        }
        /* no quoit_call_format(): a name may hold any character, NUL too */
        memcpy(text, before, strlen(before));
        memcpy(text + strlen(before), name.data, name.size);
        text[size - 1] = '!';
        api_Hello_set_message(reply, upb_StringView_FromDataAndSize(text, size));
        api_Api_sayHello_reply(call, reply);
}

/* ---- items ---- */

#define NAME_BYTES_MAX (sizeof("name ") - 1 + 10) /* of an int32_t above zero */

/* "name @id" without printf, which would take longer than all the rest of an item. */
static upb_StringView item_name(upb_Arena *arena, int32_t id)
{
        char digits[10];
        size_t count = 0;
        char *text = upb_Arena_Malloc(arena, NAME_BYTES_MAX);
        size_t size = strlen("name ");

        if (!text)
                return upb_StringView_FromString("");
        memcpy(text, "name ", size);
        for (uint32_t rest = (uint32_t)id; rest > 0; rest /= 10)
                digits[count++] = (char)('0' + rest % 10);
        while (count > 0)
                text[size++] = digits[--count];
        return upb_StringView_FromDataAndSize(text, size);
}

static void item_set(api_Item *item, int32_t id, upb_Arena *arena)
{
        api_Item_set_id(item, id);
        api_Item_set_name(item, item_name(arena, id));
}

static uint32_t varint_bytes(uint32_t value)
{
        uint32_t bytes = 1;

        while (value >>= 7)
                bytes++;
        return bytes;
}

static uint32_t decimal_bytes(uint32_t value)
{
        uint32_t bytes = 1;

        while (value /= 10)
                bytes++;
        return bytes;
}

/* The last id whose item takes as many bytes as that of @id. */
static uint64_t same_size_until(uint64_t id)
{
        uint64_t power = 10;
        uint64_t septets = 128;

        while (power <= id)
                power *= 10;
        while (septets <= id)
                septets *= 128;
        return (power < septets ? power : septets) - 1;
}

uint64_t api_items_bytes(int32_t length)
{
        uint64_t end = length > 0 ? (uint64_t)length : 0;
        uint64_t bytes = 0;
        uint64_t id = 1;

        /* sizes change at powers of 10 and of 128 only: a dozen steps */
        while (id <= end) {
                uint64_t last = same_size_until(id) < end ? same_size_until(id) : end;
                uint64_t item = 1 + varint_bytes((uint32_t)id) + 2 + strlen("name ") + decimal_bytes((uint32_t)id);

                bytes += (last - id + 1) * (2 + item);
                id = last + 1;
        }
        return bytes;
}

/* ---- getAll ---- */

static api_Items *make_items(upb_Arena *arena, int32_t length)
{
        api_Items *items = arena ? api_Items_new(arena) : NULL;

        for (int32_t id = 1; items && id <= length; id++) {
                api_Item *item = api_Items_add_items(items, arena);

                if (!item)
                        return NULL;
                item_set(item, id, arena);
        }
        return items;
}

static void get_all(quoit_call *call, const api_ApiRequest *request, void *user)
{
        const struct api_limits *limits = user;
        int32_t length = api_ApiRequest_length(request);
        uint64_t bytes = api_items_bytes(length);
        api_Items *items;

        if (bytes > limits->message_bytes_max) {
                quoit_call_finishf(call, QUOIT_RESOURCE_EXHAUSTED,
                        "an answer of %" PRId32 " items takes %" PRIu64
                        " bytes, over the message limit of %zu: use getStream",
                        length, bytes, limits->message_bytes_max);
                return;
        }
        items = make_items(quoit_call_arena(call), length);
        if (items)
                api_Api_getAll_reply(call, items);
        else
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
}

/* ---- getStream ---- */

struct stream {
        int32_t sent;
        int32_t length;
};

static void stream_pump(quoit_call *call, void *state)
{
        struct stream *stream = state;

        while (stream->sent < stream->length && quoit_call_writable(call)) {
                upb_Arena *arena = quoit_call_scratch(call);
                api_Item *item = arena ? api_Item_new(arena) : NULL;

                if (!item) {
                        quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                        return;
                }
                item_set(item, ++stream->sent, arena);
                api_Api_getStream_send(call, item);
        }
        if (stream->sent >= stream->length)
                quoit_call_finish(call, QUOIT_OK, NULL);
}

static void get_stream(quoit_call *call, const api_ApiRequest *request, void *user)
{
        struct stream *stream = quoit_call_alloc(call, sizeof(*stream));

        (void)user;
        if (!stream) {
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return;
        }
        stream->length = api_ApiRequest_length(request);
        quoit_call_pump(call, stream_pump, stream);
}

const api_Api_service api_service = {
        .sayHello = say_hello,
        .getAll = get_all,
        .getStream = get_stream,
};
