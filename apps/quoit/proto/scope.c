/* SPDX-License-Identifier: MIT */
#include "scope.h"

#include <stdlib.h>
#include <string.h>

#include "comments.h"

/* ---- what is in it ---- */

void scope_of_file(struct printer *p, struct scope *scope)
{
        const file_proto *file = p->file;

        *scope = (struct scope){
                .name = printer_string(p, google_protobuf_FileDescriptorProto_package(file)),
                .at_messages = AT_FILE_MESSAGE,
                .at_enums = AT_FILE_ENUM,
                .at_extensions = AT_FILE_EXTENSION,
        };
        scope->messages =
                google_protobuf_FileDescriptorProto_message_type(file, &scope->n_messages);
        scope->enums = google_protobuf_FileDescriptorProto_enum_type(file, &scope->n_enums);
        scope->extensions =
                google_protobuf_FileDescriptorProto_extension(file, &scope->n_extensions);
        scope->services = google_protobuf_FileDescriptorProto_service(file, &scope->n_services);
}

void scope_of_message(
        struct printer *p, const message_proto *message, const char *name, struct scope *scope)
{
        (void)p;
        *scope = (struct scope){
                .name = name,
                .at_messages = AT_MESSAGE_MESSAGE,
                .at_enums = AT_MESSAGE_ENUM,
                .at_extensions = AT_MESSAGE_EXTENSION,
        };
        scope->messages = google_protobuf_DescriptorProto_nested_type(message, &scope->n_messages);
        scope->enums = google_protobuf_DescriptorProto_enum_type(message, &scope->n_enums);
        scope->extensions =
                google_protobuf_DescriptorProto_extension(message, &scope->n_extensions);
        scope->fields = google_protobuf_DescriptorProto_field(message, &scope->n_fields);
        scope->oneofs = google_protobuf_DescriptorProto_oneof_decl(message, &scope->n_oneofs);
}

static bool is_entry(const message_proto *message)
{
        const google_protobuf_MessageOptions *options =
                google_protobuf_DescriptorProto_options(message);

        return options && google_protobuf_MessageOptions_map_entry(options);
}

/* Whether @type_name is @name in the scope. */
static bool is_called(const struct scope *scope, upb_StringView type_name, upb_StringView name)
{
        size_t size = strlen(scope->name), before = size ? size + 2 : 1;

        return type_name.size == before + name.size && type_name.data[0] == '.' &&
               !memcmp(type_name.data + 1, scope->name, size) &&
               type_name.data[before - 1] == '.' &&
               !memcmp(type_name.data + before, name.data, name.size);
}

int scope_made_by(const struct scope *scope, const field_proto *field)
{
        bool is_group = google_protobuf_FieldDescriptorProto_type(field) ==
                        google_protobuf_FieldDescriptorProto_TYPE_GROUP;
        upb_StringView type_name = google_protobuf_FieldDescriptorProto_type_name(field);

        if (!is_group && google_protobuf_FieldDescriptorProto_label(field) !=
                                 google_protobuf_FieldDescriptorProto_LABEL_REPEATED)
                return -1;
        if (type_name.size == 0)
                return -1;
        for (size_t i = 0; i < scope->n_messages; i++) {
                const message_proto *message = scope->messages[i];

                if (is_called(scope, type_name, google_protobuf_DescriptorProto_name(message)))
                        return is_group || is_entry(message) ? (int)i : -1;
        }
        return -1;
}

bool scope_is_map(const struct scope *scope, const field_proto *field)
{
        int made = scope_made_by(scope, field);

        return made >= 0 && is_entry(scope->messages[made]);
}

bool scope_has_oneof(const struct scope *scope, size_t oneof)
{
        for (size_t i = 0; i < scope->n_fields; i++)
                if (scope_oneof_of(scope, scope->fields[i]) == (int)oneof)
                        return true;
        return false;
}

int scope_oneof_of(const struct scope *scope, const field_proto *field)
{
        int oneof = google_protobuf_FieldDescriptorProto_oneof_index(field);

        return google_protobuf_FieldDescriptorProto_has_oneof_index(field) && oneof >= 0 &&
                               (size_t)oneof < scope->n_oneofs &&
                               !google_protobuf_FieldDescriptorProto_proto3_optional(field)
                       ? oneof
                       : -1;
}

/* ---- the order ---- */

/*
 * protoc numbers messages, fields, extensions each by their order in the text. A map's entry and a group are messages too, where their field
 * is: so what stands before them among the messages has to be before that field.
 */
struct order {
        struct printer *p;
        const struct scope *scope;
        struct item *items;
        size_t count;
        size_t next_message, next_extension; /* what is before is in the list */
        bool *is_made; /* of the messages: by a field or an extension */
        int *maker; /* of the messages: the extension; -1: none */
        bool *is_done; /* of the oneofs */
};

static void add(struct order *order, int kind, int32_t number, size_t index)
{
        struct item *item = &order->items[order->count++];

        item->kind = kind;
        item->index = index;
        printer_push(order->p, number, index);
        item->position = comments_position(order->p);
        printer_pop(order->p);
}

static void add_extensions_before(struct order *order, size_t end)
{
        while (order->next_extension < end)
                add(order, ITEM_EXTENSION, order->scope->at_extensions, order->next_extension++);
}

static void add_messages_before(struct order *order, size_t end)
{
        while (order->next_message < end) {
                size_t message = order->next_message++;

                if (order->maker[message] >= 0)
                        add_extensions_before(order, (size_t)order->maker[message] + 1);
                else if (!order->is_made[message])
                        add(order, ITEM_MESSAGE, order->scope->at_messages, message);
        }
}

static void add_field(struct order *order, size_t index)
{
        const struct scope *scope = order->scope;
        int made = scope_made_by(scope, scope->fields[index]);
        int oneof = scope_oneof_of(scope, scope->fields[index]);

        if (made >= 0)
                add_messages_before(order, (size_t)made);
        if (oneof < 0)
                add(order, ITEM_FIELD, AT_MESSAGE_FIELD, index);
        else if (!order->is_done[oneof])
                add(order, ITEM_ONEOF, AT_MESSAGE_ONEOF, (size_t)oneof);
        if (oneof >= 0)
                order->is_done[oneof] = true;
}

static void find_makers(struct order *order)
{
        const struct scope *scope = order->scope;

        for (size_t i = 0; i < scope->n_messages; i++)
                order->maker[i] = -1;
        for (size_t i = 0; i < scope->n_fields; i++) {
                int made = scope_made_by(scope, scope->fields[i]);

                if (made >= 0)
                        order->is_made[made] = true;
        }
        for (size_t i = 0; i < scope->n_extensions; i++) {
                int made = scope_made_by(scope, scope->extensions[i]);

                if (made >= 0)
                        order->maker[made] = (int)i;
        }
}

static int compare_positions(const void *a, const void *b)
{
        const struct item *left = a, *right = b;

        return (left->position > right->position) - (left->position < right->position);
}

static bool positions_are_known(const struct order *order)
{
        for (size_t i = 0; i < order->count; i++)
                if (order->items[i].position == 0)
                        return false;
        return order->count > 0;
}

const struct item *scope_items(struct printer *p, const struct scope *scope, size_t *ret_count)
{
        struct order order = { .p = p, .scope = scope };

        order.items = printer_memory(p,
                scope->n_services + scope->n_fields + scope->n_oneofs + scope->n_messages +
                        scope->n_enums + scope->n_extensions,
                sizeof(*order.items));
        order.is_made = printer_memory(p, scope->n_messages, sizeof(*order.is_made));
        order.maker = printer_memory(p, scope->n_messages, sizeof(*order.maker));
        order.is_done = printer_memory(p, scope->n_oneofs, sizeof(*order.is_done));
        find_makers(&order);
        for (size_t i = 0; i < scope->n_services; i++)
                add(&order, ITEM_SERVICE, AT_FILE_SERVICE, i);
        for (size_t i = 0; i < scope->n_fields; i++)
                add_field(&order, i);
        add_messages_before(&order, scope->n_messages);
        for (size_t i = 0; i < scope->n_enums; i++)
                add(&order, ITEM_ENUM, scope->at_enums, i);
        add_extensions_before(&order, scope->n_extensions);
        /* Each kind has ascending positions: what is the same descriptor stays so. */
        if (positions_are_known(&order))
                qsort(order.items, order.count, sizeof(*order.items), compare_positions);
        *ret_count = order.count;
        return order.items;
}
