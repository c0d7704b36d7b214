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
        /* not quoit_call_format(): a name can contain any character, even NUL */
        memcpy(text, before, strlen(before));
        if (name.size > 0)
                memcpy(text + strlen(before), name.data, name.size);
        text[size - 1] = '!';
        api_Hello_set_message(reply, upb_StringView_FromDataAndSize(text, size));
        api_Api_sayHello_reply(call, reply);
}

/* ---- items ---- */

/* "name 1", "name 2" ... by incrementing the digits: printf would take longer than all the rest of an item. */
struct name {
        char text[sizeof("name ") + 10];
        size_t size;
};

static void name_init(struct name *name)
{
        *name = (struct name){ .text = "name 0", .size = strlen("name 0") };
}

static upb_StringView name_next(struct name *name)
{
        size_t first = strlen("name ");
        size_t i = name->size - 1;

        while (i >= first && name->text[i] == '9')
                name->text[i--] = '0';
        if (i >= first) {
                name->text[i]++;
        } else {
                name->text[first] = '1';
                name->text[name->size++] = '0';
        }
        return upb_StringView_FromDataAndSize(name->text, name->size);
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

/* The last id whose item is as large as that of @id. */
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
                uint64_t item = 1 + varint_bytes((uint32_t)id) + 2 + strlen("name ") +
                                decimal_bytes((uint32_t)id);

                bytes += (last - id + 1) * (2 + item);
                id = last + 1;
        }
        return bytes;
}

/* ---- getAll ---- */

/* NULL: there is no memory for them. */
static api_Items *make_items(upb_Arena *arena, int32_t length)
{
        api_Items *items = api_Items_new(arena);
        struct name name;

        name_init(&name);
        for (int32_t id = 1; items && id <= length; id++) {
                api_Item *item = api_Items_add_items(items, arena);
                upb_StringView text = name_next(&name);
                char *copy = item ? upb_Arena_Malloc(arena, text.size) : NULL;

                if (!copy)
                        return NULL;
                memcpy(copy, text.data, text.size);
                api_Item_set_id(item, id);
                api_Item_set_name(item, upb_StringView_FromDataAndSize(copy, text.size));
        }
        return items;
}

static void get_all(quoit_call *call, const api_ApiRequest *request, void *user)
{
        const struct api_limits *limits = user;
        int32_t length = api_ApiRequest_length(request);
        uint64_t bytes = api_items_bytes(length);

        if (bytes > limits->message_bytes_max) {
                quoit_call_finishf(call, QUOIT_RESOURCE_EXHAUSTED,
                        "an answer of %" PRId32 " items takes %" PRIu64
                        " bytes, over the message limit of %zu: use getStream",
                        length, bytes, limits->message_bytes_max);
                return;
        }
        api_Api_getAll_reply(call, make_items(quoit_call_arena(call), length));
}

/* ---- getStream ---- */

/* The one item is sent again and again: sending encodes it, and then it may change. */
struct stream {
        api_Item *item;
        struct name name;
        int32_t sent;
        int32_t length;
};

static void stream_pump(quoit_call *call, void *state)
{
        struct stream *stream = state;

        while (stream->sent < stream->length && quoit_call_writable(call)) {
                api_Item_set_id(stream->item, ++stream->sent);
                api_Item_set_name(stream->item, name_next(&stream->name));
                api_Api_getStream_send(call, stream->item);
        }
        if (stream->sent >= stream->length)
                quoit_call_finish(call, QUOIT_OK, NULL);
}

static void get_stream(quoit_call *call, const api_ApiRequest *request, void *user)
{
        struct stream *stream = quoit_call_alloc(call, sizeof(*stream));

        (void)user;
        if (stream)
                stream->item = api_Item_new(quoit_call_arena(call));
        if (!stream || !stream->item) {
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return;
        }
        name_init(&stream->name);
        stream->length = api_ApiRequest_length(request);
        quoit_call_pump(call, stream_pump, stream);
}

const api_Api_service api_service = {
        .sayHello = say_hello,
        .getAll = get_all,
        .getStream = get_stream,
};
