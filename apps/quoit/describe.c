/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_list.h"
#include "json_write.h"
#include "look.h"
#include "proto/colour.h"
#include "proto/template.h"
#include "proto/text.h"
#include "say.h"

struct describe_options {
        struct look_flags look;
        bool is_json, is_template, is_plain;
};

static const struct flag describe_flags[] = {
        { "template", 0, NULL, "JSON with all fields of a message, or of a method's request",
                flag_set_true, offsetof(struct describe_options, is_template), 0 },
        { "msg-template", 0, NULL, NULL, flag_set_true,
                offsetof(struct describe_options, is_template), 0 },
        { "json", 0, NULL, "for programs: see docs/quoit.md", flag_set_true,
                offsetof(struct describe_options, is_json), 0 },
        { "no-color", 0, NULL, "no colours on a terminal; also by NO_COLOR", flag_set_true,
                offsetof(struct describe_options, is_plain), 0 },
        { 0 },
};

static const struct flag_group groups[] = {
        { "Output", describe_flags, 0 },
        { "Schema", schema_flags, offsetof(struct describe_options, look.schema) },
        { "Metadata", metadata_flags, offsetof(struct describe_options, look.metadata) },
        { "Connection", connection_flags, offsetof(struct describe_options, look.connection) },
        { "Protocol", protocol_flags, offsetof(struct describe_options, look.connection) },
        { "Limits", look_flags, offsetof(struct describe_options, look) },
        { 0 },
};

static const char help[] =
        "  quoit describe localhost:50051                 all services\n"
        "  quoit describe localhost:50051 api.Api         a service, message, enum, ...\n"
        "  quoit describe localhost:50051 api.Api/Hello   a method, field, oneof, ...\n"
        "  quoit describe localhost:50051 api.proto       a whole file\n"
        "  quoit describe localhost:50051 api.Hello --template\n"
        "\n"
        "It is the text of a .proto file, with the comments that the server has (most\n"
        "have none). Exit status: 0; 1 no connection or no reflection; 2 a mistake in the\n"
        "command, or no such symbol.\n";

/* ---- what is printed of one symbol ---- */

static const char *kind_of(const upb_DefPool *pool, const char *symbol)
{
        const char *dot = strrchr(symbol, '.');
        const upb_MessageDef *outer =
                dot ? upb_DefPool_FindMessageByNameWithSize(pool, symbol, (size_t)(dot - symbol))
                    : NULL;
        const upb_OneofDef *oneof = NULL;

        if (upb_DefPool_FindMessageByName(pool, symbol))
                return "message";
        if (upb_DefPool_FindEnumByName(pool, symbol))
                return "enum";
        if (upb_DefPool_FindServiceByName(pool, symbol))
                return "service";
        if (upb_DefPool_FindExtensionByName(pool, symbol))
                return "extension";
        if (upb_DefPool_FindEnumValueByName(pool, symbol))
                return "enum_value";
        if (outer &&
                upb_MessageDef_FindByNameWithSize(outer, dot + 1, strlen(dot + 1), NULL, &oneof))
                return oneof ? "oneof" : "field";
        return upb_DefPool_FindFileByName(pool, symbol) ? "file" : "method";
}

/* The message whose template is asked for: @symbol itself, or a method's request. NULL: there is none. */
static const upb_MessageDef *message_of(const upb_DefPool *pool, const char *symbol)
{
        const upb_MessageDef *message = upb_DefPool_FindMessageByName(pool, symbol);
        const char *dot = strrchr(symbol, '.');
        const upb_ServiceDef *service = dot && !message
                                                ? upb_DefPool_FindServiceByNameWithSize(
                                                          pool, symbol, (size_t)(dot - symbol))
                                                : NULL;
        const upb_MethodDef *method =
                service ? upb_ServiceDef_FindMethodByName(service, dot + 1) : NULL;

        return method ? upb_MethodDef_InputType(method) : message;
}

static void print_json(
        const upb_DefPool *pool, const char *symbol, const upb_FileDef *file, upb_StringView text)
{
        fputs("{\"symbol\":", stdout);
        json_write_string(stdout, upb_StringView_FromString(symbol));
        printf(",\"kind\":\"%s\",\"file\":", kind_of(pool, symbol));
        json_write_string(stdout, upb_StringView_FromString(upb_FileDef_Name(file)));
        fputs(",\"text\":", stdout);
        json_write_string(stdout, text);
        puts("}");
}

/* The text of @symbol, or of all of @file if it is that file's name, on @out. */
static void write_text(
        struct look *look, FILE *out, const upb_FileDef *file, const char *symbol, bool is_file)
{
        const google_protobuf_FileDescriptorProto *descriptor = look_descriptor(look, file);

        /* It has the names of options. */
        source_load_symbol(look->source, "google.protobuf.FileOptions");
        if (is_file)
                proto_text_file(out, source_pool(look->source), descriptor);
        else
                proto_text_symbol(out, source_pool(look->source), descriptor, symbol);
}

static int print_text(struct look *look, const struct describe_options *options,
        const upb_FileDef *file, const char *symbol, bool is_file)
{
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        upb_StringView view;

        if (!out)
                return say_failed("out of memory");
        write_text(look, out, file, symbol, is_file);
        fclose(out);
        view = upb_StringView_FromDataAndSize(text, size);
        if (options->is_json)
                print_json(source_pool(look->source), symbol, file, view);
        else
                proto_colour(stdout, view, paint_for(STDOUT_FILENO, options->is_plain));
        free(text);
        return EXIT_DONE;
}

static int print_template(struct look *look, const char *symbol)
{
        const upb_MessageDef *message = message_of(source_pool(look->source), symbol);

        if (!message)
                return say_usage("--template: %s is neither a message nor a method", symbol);
        proto_template(stdout, message);
        return EXIT_DONE;
}

/* ---- which symbols ---- */

/* A name as people and tools write it: ".api.Hello", "/api.Api/Hello", "api.Api/Hello". */
static char *plain_name(const char *word)
{
        char *name = strdup(word + (word[0] == '.' || word[0] == '/')), *slash;

        if (name && strlen(name) > 6 && !strcmp(name + strlen(name) - 6, ".proto"))
                return name;
        slash = name ? strrchr(name, '/') : NULL;
        if (slash)
                *slash = '.';
        return name;
}

/* A service's name may be without its package; so may that of its method. */
static char *full_name(struct look *look, char *name)
{
        const struct strings *names;
        size_t head = strcspn(name, ".");
        char *full = NULL;

        if (source_services(look->source, &names) != EXIT_DONE)
                return name;
        for (size_t i = 0; i < names->count; i++) {
                const char *dot = strrchr(names->at[i], '.');
                int r;

                if (!dot || strncmp(dot + 1, name, head) != 0 || dot[1 + head] != '\0')
                        continue;
                if (full) {
                        free(full);
                        return name; /* which one? */
                }
                r = asprintf(&full, "%s%s", names->at[i], name + head);
                if (r < 0)
                        return name;
        }
        if (full)
                free(name);
        return full ? full : name;
}

static int describe(struct look *look, const struct describe_options *options, const char *word)
{
        char *name = plain_name(word);
        const upb_FileDef *file = name ? look_file_of(look, name) : NULL;
        bool is_file = false;
        int status = EXIT_DONE;

        if (!name)
                return say_failed("out of memory");
        if (!file) {
                status = source_load_all(look->source);
                file = look_file_named(look, name);
                is_file = file != NULL;
        }
        if (!file && status == EXIT_DONE) {
                name = full_name(look, name);
                file = look_file_of(look, name);
        }
        if (status == EXIT_DONE && !file)
                status = look_say_unknown(look, word);
        else if (status == EXIT_DONE && options->is_template)
                status = print_template(look, name);
        else if (status == EXIT_DONE)
                status = print_text(look, options, file, name, is_file);
        free(name);
        return status;
}

static int describe_all(struct look *look, const struct describe_options *options)
{
        const struct strings *names;
        int status = source_services(look->source, &names);

        for (size_t i = 0; status == EXIT_DONE && i < names->count; i++) {
                if (i && !options->is_json)
                        putchar('\n');
                if (!options->is_json)
                        printf("// %s\n", names->at[i]);
                status = describe(look, options, names->at[i]);
        }
        return status;
}

static int run(int argc, char **argv)
{
        struct describe_options options = { .look.connection.protocol = PROTOCOL_FOUND };
        struct words words;
        struct look look = { 0 };
        int status;

        if (!flags_parse(&command_describe, argc, argv, &options, &words, &status))
                return status;
        status = look_open(&options.look, words, &look);
        if (status == EXIT_DONE && look.words.count == 0)
                status = describe_all(&look, &options);
        for (int i = 0; status == EXIT_DONE && i < look.words.count; i++) {
                if (i && !options.is_json)
                        putchar('\n');
                status = describe(&look, &options, look.words.at[i]);
        }
        look_close(&look);
        look_flags_deinit(&options.look);
        return status;
}

const struct command command_describe = {
        .name = "describe",
        .synopsis = "HOST:PORT [SYMBOL...] [FLAGS]",
        .summary = "Shows services, methods, messages, enums as .proto text.",
        .help = help,
        .groups = groups,
        .run = run,
};
