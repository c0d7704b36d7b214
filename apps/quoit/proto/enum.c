/* SPDX-License-Identifier: MIT */
#include <stdint.h>

#include "options.h"
#include "parts.h"

static void print_enum_value(struct printer *p, const enum_value_proto *value, const char *scope)
{
        const google_protobuf_EnumValueOptions *options =
                google_protobuf_EnumValueDescriptorProto_options(value);

        printer_begin(p, false, false);
        fprintf(p->out, VIEW_FORMAT " = %d",
                VIEW_ARGS(google_protobuf_EnumValueDescriptorProto_name(value)),
                google_protobuf_EnumValueDescriptorProto_number(value));
        options_print_list(p, &options_of_value, scope,
                options_bytes(p, options, &google__protobuf__EnumValueOptions_msg_init));
        fputc(';', p->out);
        printer_end(p, false);
}

static void print_reserved(struct printer *p, const enum_proto *e)
{
        size_t n, n_names;
        const google_protobuf_EnumDescriptorProto_EnumReservedRange *const *ranges =
                google_protobuf_EnumDescriptorProto_reserved_range(e, &n);
        const upb_StringView *names =
                google_protobuf_EnumDescriptorProto_reserved_name(e, &n_names);

        if (n == 0)
                return parts_print_reserved_names(p, AT_ENUM_RESERVED_NAME, names, n_names);
        printer_push_single(p, AT_ENUM_RESERVED);
        printer_begin(p, false, false);
        for (size_t i = 0; i < n; i++) {
                int start = google_protobuf_EnumDescriptorProto_EnumReservedRange_start(ranges[i]);
                int last = google_protobuf_EnumDescriptorProto_EnumReservedRange_end(ranges[i]);

                fprintf(p->out, "%s%d", i ? ", " : "reserved ", start);
                if (last == INT32_MAX)
                        fputs(" to max", p->out);
                else if (last != start)
                        fprintf(p->out, " to %d", last);
        }
        fputc(';', p->out);
        printer_end(p, false);
        printer_pop_single(p);
        parts_print_reserved_names(p, AT_ENUM_RESERVED_NAME, names, n_names);
}

void parts_print_enum(struct printer *p, const enum_proto *e, const char *scope)
{
        const google_protobuf_EnumOptions *options = google_protobuf_EnumDescriptorProto_options(e);
        upb_StringView name = google_protobuf_EnumDescriptorProto_name(e);
        size_t n;
        const enum_value_proto *const *values = google_protobuf_EnumDescriptorProto_value(e, &n);

        if (!printer_wants(p, printer_join(p, scope, name)))
                return;
        printer_begin(p, true, false);
        parts_print_visibility(p, google_protobuf_EnumDescriptorProto_visibility(e));
        fprintf(p->out, "enum " VIEW_FORMAT, VIEW_ARGS(name));
        printer_open(p, false);
        options_print_statements(p, &options_of_enum, scope,
                options_bytes(p, options, &google__protobuf__EnumOptions_msg_init));
        print_reserved(p, e);
        for (size_t i = 0; i < n; i++) {
                printer_push(p, AT_ENUM_VALUE, i);
                print_enum_value(p, values[i], scope);
                printer_pop(p);
        }
        printer_close(p);
}
