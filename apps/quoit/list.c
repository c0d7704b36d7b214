/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "command_list.h"
#include "json_write.h"
#include "look.h"
#include "say.h"

struct list_options {
        struct look_flags look;
        bool is_json;
};

static const struct flag list_flags[] = {
        { "json", 0, NULL, "for programs: see docs/quoit.md", flag_set_true,
                offsetof(struct list_options, is_json), 0 },
        { 0 },
};

static const struct flag_group groups[] = {
        { "Output", list_flags, 0 },
        { "Schema", schema_flags, offsetof(struct list_options, look.schema) },
        { "Metadata", metadata_flags, offsetof(struct list_options, look.metadata) },
        { "Connection", connection_flags, offsetof(struct list_options, look.connection) },
        { "Protocol", protocol_flags, offsetof(struct list_options, look.connection) },
        { "Limits", look_flags, offsetof(struct list_options, look) },
        { 0 },
};

static const char help[] =
        "  quoit list localhost:50051                     the services\n"
        "  quoit list localhost:50051 api.Api             the methods of one\n"
        "  quoit list --protoset api.binpb                from a file; no server is asked\n"
        "\n"
        "The server is asked by reflection. Exit status: 0; 1 no connection or no\n"
        "reflection; 2 a mistake in the command, or no such service.\n";

static void print_string(const char *text)
{
        json_write_string(stdout, upb_StringView_FromString(text));
}

static int list_services(struct look *look, bool is_json)
{
        const struct strings *names;
        int status = source_services(look->source, &names);

        if (status != EXIT_DONE)
                return status;
        if (is_json)
                fputs("{\"services\":[", stdout);
        for (size_t i = 0; i < names->count; i++) {
                if (is_json) {
                        fputs(i ? "," : "", stdout);
                        print_string(names->at[i]);
                } else {
                        puts(names->at[i]);
                }
        }
        if (is_json)
                puts("]}");
        return EXIT_DONE;
}

static const char *kind_of(const upb_MethodDef *method)
{
        if (upb_MethodDef_ClientStreaming(method))
                return upb_MethodDef_ServerStreaming(method) ? "bidi" : "client_streaming";
        return upb_MethodDef_ServerStreaming(method) ? "server_streaming" : "unary";
}

static void print_member(const char *name, const char *value)
{
        printf(",\"%s\":", name);
        print_string(value);
}

static void print_method(const upb_MethodDef *method)
{
        fputs("{\"name\":", stdout);
        print_string(upb_MethodDef_FullName(method));
        print_member("kind", kind_of(method));
        print_member("request", upb_MessageDef_FullName(upb_MethodDef_InputType(method)));
        print_member("reply", upb_MessageDef_FullName(upb_MethodDef_OutputType(method)));
        putchar('}');
}

static int list_methods(struct look *look, const char *name, bool is_json)
{
        const upb_ServiceDef *service;
        int status = look_service(look, name, &service);

        if (status != EXIT_DONE)
                return status;
        if (is_json) {
                fputs("{\"service\":", stdout);
                print_string(upb_ServiceDef_FullName(service));
                fputs(",\"methods\":[", stdout);
        }
        for (int i = 0; i < upb_ServiceDef_MethodCount(service); i++) {
                const upb_MethodDef *method = upb_ServiceDef_Method(service, i);

                if (!is_json)
                        puts(upb_MethodDef_FullName(method));
                else if (fputs(i ? "," : "", stdout) >= 0)
                        print_method(method);
        }
        if (is_json)
                puts("]}");
        return EXIT_DONE;
}

static int run(int argc, char **argv)
{
        struct list_options options = { .look.connection.protocol = PROTOCOL_FOUND };
        struct words words;
        struct look look = { 0 };
        int status;

        if (!flags_parse(&command_list, argc, argv, &options, &words, &status))
                return status;
        status = look_open(&options.look, words, &look);
        if (status == EXIT_DONE && look.words.count > 1)
                status = say_usage("%s: one service only: write quoit list HOST:PORT [SERVICE]",
                        look.words.at[1]);
        else if (status == EXIT_DONE)
                status = look.words.count ? list_methods(&look, look.words.at[0], options.is_json)
                                          : list_services(&look, options.is_json);
        look_close(&look);
        look_flags_deinit(&options.look);
        return status;
}

const struct command command_list = {
        .name = "list",
        .synopsis = "HOST:PORT [SERVICE] [FLAGS]",
        .summary = "Lists the services of a server, or the methods of one.",
        .help = help,
        .groups = groups,
        .run = run,
};
