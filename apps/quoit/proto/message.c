/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

#include "comments.h"
#include "literal.h"
#include "names.h"
#include "options.h"
#include "parts.h"

bool parts_enter(struct printer *p, const char *name, bool *ret_bare)
{
        if (!printer_wants(p, name))
                return false;
        *ret_bare = p->only && strcmp(p->only, name) != 0;
        if (!*ret_bare)
                p->only = NULL;
        return true;
}

/* ---- oneofs and extensions ---- */

static void print_oneof(struct printer *p, const struct scope *scope, size_t oneof)
{
        const google_protobuf_OneofOptions *options =
                google_protobuf_OneofDescriptorProto_options(scope->oneofs[oneof]);
        upb_StringView name = google_protobuf_OneofDescriptorProto_name(scope->oneofs[oneof]);
        const char *only = p->only;
        bool bare, whole = parts_enter(p, printer_join(p, scope->name, name), &bare) && !bare;

        printer_begin(p, true, !whole);
        fprintf(p->out, "oneof " VIEW_FORMAT, VIEW_ARGS(name));
        printer_open(p, !whole);
        if (whole || !only)
                options_print_statements(p, &options_of_oneof, scope->name,
                        options_bytes(p, options, &google__protobuf__OneofOptions_msg_init));
        printer_pop(p);
        for (size_t i = 0; i < scope->n_fields; i++) {
                if (scope_oneof_of(scope, scope->fields[i]) != (int)oneof)
                        continue;
                printer_push(p, AT_MESSAGE_FIELD, i);
                parts_print_field(p, scope, scope->fields[i]);
                printer_pop(p);
        }
        printer_push(p, AT_MESSAGE_ONEOF, oneof);
        printer_close(p);
        p->only = only;
}

/* Whether the one that is wanted is the oneof, or one of its fields. */
static bool wants_oneof(struct printer *p, const struct scope *scope, size_t oneof)
{
        upb_StringView name = google_protobuf_OneofDescriptorProto_name(scope->oneofs[oneof]);

        if (printer_wants(p, printer_join(p, scope->name, name)))
                return true;
        for (size_t i = 0; i < scope->n_fields; i++)
                if (scope_oneof_of(scope, scope->fields[i]) == (int)oneof &&
                        parts_wants_field(p, scope, scope->fields[i]))
                        return true;
        return false;
}

static bool extend_the_same(const struct scope *scope, const struct item *a, const struct item *b)
{
        return a->kind == ITEM_EXTENSION && b->kind == ITEM_EXTENSION &&
               upb_StringView_IsEqual(
                       google_protobuf_FieldDescriptorProto_extendee(scope->extensions[a->index]),
                       google_protobuf_FieldDescriptorProto_extendee(scope->extensions[b->index]));
}

/* Those of @items that extend the same message, in one block. Returns how many. */
static size_t print_extensions(
        struct printer *p, const struct scope *scope, const struct item *items, size_t count)
{
        const field_proto *first = scope->extensions[items[0].index];
        size_t n = 1;
        bool wanted = false;

        while (n < count && extend_the_same(scope, &items[0], &items[n]))
                n++;
        for (size_t i = 0; i < n; i++)
                wanted |= parts_wants_field(p, scope, scope->extensions[items[i].index]);
        if (!wanted)
                return n;
        printer_begin(p, true, true);
        fprintf(p->out, "extend %s",
                names_of_type(
                        p, scope->name, google_protobuf_FieldDescriptorProto_extendee(first)));
        printer_open(p, true);
        for (size_t i = 0; i < n; i++) {
                printer_push(p, scope->at_extensions, items[i].index);
                parts_print_field(p, scope, scope->extensions[items[i].index]);
                printer_pop(p);
        }
        printer_close(p);
        return n;
}

/* ---- what a scope contains ---- */

static void print_item(struct printer *p, const struct scope *scope, const struct item *item)
{
        switch (item->kind) {
        case ITEM_SERVICE:
                printer_push(p, AT_FILE_SERVICE, item->index);
                parts_print_service(p, scope->services[item->index], scope->name);
                break;
        case ITEM_FIELD:
                printer_push(p, AT_MESSAGE_FIELD, item->index);
                parts_print_field(p, scope, scope->fields[item->index]);
                break;
        case ITEM_ONEOF:
                printer_push(p, AT_MESSAGE_ONEOF, item->index);
                if (wants_oneof(p, scope, item->index))
                        print_oneof(p, scope, item->index);
                break;
        case ITEM_MESSAGE:
                printer_push(p, scope->at_messages, item->index);
                parts_print_message(p, scope->messages[item->index], scope->name);
                break;
        default:
                printer_push(p, scope->at_enums, item->index);
                parts_print_enum(p, scope->enums[item->index], scope->name);
        }
        printer_pop(p);
}

void parts_print_items(struct printer *p, const struct scope *scope)
{
        size_t count;
        const struct item *items = scope_items(p, scope, &count);

        for (size_t i = 0; i < count;) {
                if (items[i].kind == ITEM_EXTENSION) {
                        i += print_extensions(p, scope, items + i, count - i);
                } else {
                        print_item(p, scope, &items[i]);
                        i++;
                }
        }
}

/* ---- ranges and reserved names ---- */

static bool is_message_set(const message_proto *message)
{
        const google_protobuf_MessageOptions *options =
                google_protobuf_DescriptorProto_options(message);

        return options && google_protobuf_MessageOptions_message_set_wire_format(options);
}

/* @end is the first that is not in it. */
static void print_range(struct printer *p, const message_proto *message, int start, int end)
{
        int end_of_all = is_message_set(message) ? INT32_MAX : 536870912;

        fprintf(p->out, "%d", start);
        if (end == end_of_all)
                fputs(" to max", p->out);
        else if (end != start + 1)
                fprintf(p->out, " to %d", end - 1);
}

static void print_extension_ranges(
        struct printer *p, const message_proto *message, const char *scope)
{
        size_t n;
        const google_protobuf_DescriptorProto_ExtensionRange *const *ranges =
                google_protobuf_DescriptorProto_extension_range(message, &n);

        for (size_t i = 0; i < n; i++) {
                const google_protobuf_ExtensionRangeOptions *options =
                        google_protobuf_DescriptorProto_ExtensionRange_options(ranges[i]);

                printer_push_single(p, AT_MESSAGE_RANGE);
                printer_begin(p, false, i > 0);
                fputs("extensions ", p->out);
                print_range(p, message,
                        google_protobuf_DescriptorProto_ExtensionRange_start(ranges[i]),
                        google_protobuf_DescriptorProto_ExtensionRange_end(ranges[i]));
                options_print_list(p, &options_of_range, scope,
                        options_bytes(
                                p, options, &google__protobuf__ExtensionRangeOptions_msg_init));
                fputc(';', p->out);
                printer_end(p, i > 0);
                printer_pop_single(p);
        }
}

void parts_print_reserved_names(
        struct printer *p, int32_t number, const upb_StringView *names, size_t n)
{
        if (n == 0)
                return;
        printer_push_single(p, number);
        printer_begin(p, false, false);
        for (size_t i = 0; i < n; i++) {
                fputs(i ? ", " : "reserved ", p->out);
                if (p->syntax == EDITIONS)
                        fprintf(p->out, VIEW_FORMAT, VIEW_ARGS(names[i]));
                else
                        literal_print(p->out, names[i]);
        }
        fputc(';', p->out);
        printer_end(p, false);
        printer_pop_single(p);
}

static void print_reserved(struct printer *p, const message_proto *message)
{
        size_t n, n_names;
        const google_protobuf_DescriptorProto_ReservedRange *const *ranges =
                google_protobuf_DescriptorProto_reserved_range(message, &n);
        const upb_StringView *names =
                google_protobuf_DescriptorProto_reserved_name(message, &n_names);

        if (n == 0)
                return parts_print_reserved_names(p, AT_MESSAGE_RESERVED_NAME, names, n_names);
        printer_push_single(p, AT_MESSAGE_RESERVED);
        printer_begin(p, false, false);
        for (size_t i = 0; i < n; i++) {
                fputs(i ? ", " : "reserved ", p->out);
                print_range(p, message,
                        google_protobuf_DescriptorProto_ReservedRange_start(ranges[i]),
                        google_protobuf_DescriptorProto_ReservedRange_end(ranges[i]));
        }
        fputc(';', p->out);
        printer_end(p, false);
        printer_pop_single(p);
        parts_print_reserved_names(p, AT_MESSAGE_RESERVED_NAME, names, n_names);
}

/* ---- messages ---- */

void parts_print_message_body(struct printer *p, const message_proto *message, const char *name)
{
        const google_protobuf_MessageOptions *options =
                google_protobuf_DescriptorProto_options(message);
        const char *dot = strrchr(name, '.');
        const char *outer = printer_format(p, "%.*s", dot ? (int)(dot - name) : 0, name);
        struct scope scope;

        if (!p->only) {
                options_print_statements(p, &options_of_message, outer,
                        options_bytes(p, options, &google__protobuf__MessageOptions_msg_init));
                print_reserved(p, message);
                print_extension_ranges(p, message, outer);
        }
        scope_of_message(p, message, name, &scope);
        parts_print_items(p, &scope);
}

/* New in edition 2024. */
void parts_print_visibility(struct printer *p, int visibility)
{
        if (visibility == google_protobuf_VISIBILITY_LOCAL)
                fputs("local ", p->out);
        else if (visibility == google_protobuf_VISIBILITY_EXPORT)
                fputs("export ", p->out);
}

void parts_print_message(struct printer *p, const message_proto *message, const char *scope)
{
        upb_StringView name = google_protobuf_DescriptorProto_name(message);
        const char *full = printer_join(p, scope, name), *only = p->only;
        bool bare;

        if (!parts_enter(p, full, &bare))
                return;
        printer_begin(p, true, bare);
        parts_print_visibility(p, google_protobuf_DescriptorProto_visibility(message));
        fprintf(p->out, "message " VIEW_FORMAT, VIEW_ARGS(name));
        printer_open(p, bare);
        parts_print_message_body(p, message, full);
        printer_close(p);
        p->only = only;
}
