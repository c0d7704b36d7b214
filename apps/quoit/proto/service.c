/* SPDX-License-Identifier: MIT */
#include "names.h"
#include "options.h"
#include "parts.h"

static void print_method(struct printer *p, const method_proto *method, const char *service)
{
        const google_protobuf_MethodOptions *given =
                google_protobuf_MethodDescriptorProto_options(method);
        upb_StringView options = options_bytes(p, given, &google__protobuf__MethodOptions_msg_init);
        upb_StringView name = google_protobuf_MethodDescriptorProto_name(method);

        printer_begin(p, given != NULL, false);
        fprintf(p->out, "rpc " VIEW_FORMAT "(%s%s) returns (%s%s)", VIEW_ARGS(name),
                google_protobuf_MethodDescriptorProto_client_streaming(method) ? "stream " : "",
                names_of_type(p, service, google_protobuf_MethodDescriptorProto_input_type(method)),
                google_protobuf_MethodDescriptorProto_server_streaming(method) ? "stream " : "",
                names_of_type(
                        p, service, google_protobuf_MethodDescriptorProto_output_type(method)));
        if (options.size == 0) {
                fputs(given ? " {}" : ";", p->out);
                printer_end(p, false);
                return;
        }
        printer_open(p, false);
        options_print_statements(p, &options_of_method, service, options);
        printer_close(p);
}

void parts_print_service(struct printer *p, const service_proto *service, const char *scope)
{
        const google_protobuf_ServiceOptions *options =
                google_protobuf_ServiceDescriptorProto_options(service);
        upb_StringView name = google_protobuf_ServiceDescriptorProto_name(service);
        const char *full = printer_join(p, scope, name), *only = p->only;
        size_t n;
        const method_proto *const *methods =
                google_protobuf_ServiceDescriptorProto_method(service, &n);
        bool bare;

        if (!parts_enter(p, full, &bare))
                return;
        printer_begin(p, true, bare);
        fprintf(p->out, "service " VIEW_FORMAT, VIEW_ARGS(name));
        printer_open(p, bare);
        if (!bare)
                options_print_statements(p, &options_of_service, scope,
                        options_bytes(p, options, &google__protobuf__ServiceOptions_msg_init));
        for (size_t i = 0; i < n; i++) {
                upb_StringView method = google_protobuf_MethodDescriptorProto_name(methods[i]);

                printer_push(p, AT_SERVICE_METHOD, i);
                if (printer_wants(p, printer_join(p, full, method)))
                        print_method(p, methods[i], full);
                printer_pop(p);
        }
        printer_close(p);
        p->only = only;
}
