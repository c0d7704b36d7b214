/* SPDX-License-Identifier: MIT */
#include "bench/micro/codec_messages.h"

#include <stdio.h>
#include <string.h>

#include "api.quoit.h"
#include "kinds.quoit.h"

static upb_StringView text_of(upb_Arena *arena, const char *text)
{
        size_t size = strlen(text);

        return upb_StringView_FromDataAndSize(
                memcpy(upb_Arena_Malloc(arena, size), text, size), size);
}

static const upb_Message *make_hello(upb_Arena *arena)
{
        api_Hello *hello = api_Hello_new(arena);

        api_Hello_set_message(hello, text_of(arena, "Hello World!"));
        return UPB_UPCAST(hello);
}

static void set_item(api_Item *item, upb_Arena *arena, int32_t id)
{
        char name[32];

        snprintf(name, sizeof(name), "name %d", id);
        api_Item_set_id(item, id);
        api_Item_set_name(item, text_of(arena, name));
}

static const upb_Message *make_item(upb_Arena *arena)
{
        api_Item *item = api_Item_new(arena);

        set_item(item, arena, 4711);
        return UPB_UPCAST(item);
}

static const upb_Message *make_items(upb_Arena *arena, int32_t count)
{
        api_Items *items = api_Items_new(arena);

        for (int32_t id = 1; id <= count; id++)
                set_item(api_Items_add_items(items, arena), arena, id);
        return UPB_UPCAST(items);
}

static void set_place(micro_Place *place, upb_Arena *arena, int32_t number)
{
        char name[32];

        snprintf(name, sizeof(name), "place number %d", number);
        micro_Place_set_latitude(place, 52.5 + number);
        micro_Place_set_longitude(place, 13.4 - number);
        micro_Place_set_name(place, text_of(arena, name));
}

static void set_scalars(micro_Kinds *kinds, upb_Arena *arena)
{
        micro_Kinds_set_int32(kinds, -1);
        micro_Kinds_set_int64(kinds, INT64_C(1) << 40);
        micro_Kinds_set_uint32(kinds, 300);
        micro_Kinds_set_uint64(kinds, UINT64_MAX);
        micro_Kinds_set_sint32(kinds, -77);
        micro_Kinds_set_sint64(kinds, -INT64_C(123456789));
        micro_Kinds_set_fixed32(kinds, 0xdeadbeef);
        micro_Kinds_set_fixed64(kinds, 0x0123456789abcdef);
        micro_Kinds_set_real32(kinds, 0.5f);
        micro_Kinds_set_real64(kinds, 2.25);
        micro_Kinds_set_flag(kinds, true);
        micro_Kinds_set_color(kinds, micro_GREEN);
        micro_Kinds_set_text(kinds, text_of(arena, "zwölf Boxkämpfer jagen Viktor"));
        micro_Kinds_set_blob(kinds, text_of(arena, "\x01\x02\xff\xfe and so on"));
        micro_Kinds_set_maybe(kinds, 0);
        micro_Kinds_set_label(kinds, text_of(arena, "a label"));
}

static const upb_Message *make_kinds(upb_Arena *arena)
{
        micro_Kinds *kinds = micro_Kinds_new(arena);

        set_scalars(kinds, arena);
        set_place(micro_Kinds_mutable_place(kinds, arena), arena, 0);
        for (int32_t i = 0; i < 8; i++) {
                char text[32];

                snprintf(text, sizeof(text), "tag %d", i);
                micro_Kinds_add_numbers(kinds, i * i * i, arena);
                micro_Kinds_add_tags(kinds, text_of(arena, text), arena);
                micro_Kinds_counts_set(kinds, text_of(arena, text), i * 1000, arena);
                set_place(micro_Kinds_add_places(kinds, arena), arena, i);
        }
        return UPB_UPCAST(kinds);
}

void codec_messages_make(upb_Arena *arena, struct codec_message ret_messages[CODEC_MESSAGES])
{
        const struct codec_message messages[CODEC_MESSAGES] = {
                { "Hello", &quoit_api__Hello_msg_init, make_hello(arena) },
                { "Item", &quoit_api__Item_msg_init, make_item(arena) },
                { "Items(100)", &quoit_api__Items_msg_init, make_items(arena, 100) },
                { "Items(10000)", &quoit_api__Items_msg_init, make_items(arena, 10000) },
                { "every kind of field", &quoit_micro__Kinds_msg_init, make_kinds(arena) },
        };

        memcpy(ret_messages, messages, sizeof(messages));
}
