/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <quoit/upb.h>

#include "command_list.h"
#include "connection.h"
#include "flags.h"
#include "message.h"
#include "metadata_flags.h"
#include "output_flags.h"
#include "say.h"
#include "schema_flags.h"
#include "source.h"

struct options {
        struct connection_flags connection;
        struct metadata_flags metadata;
        struct schema_flags schema;
        struct output_flags output;
        const char *data;
};

static const struct flag call_flags[] = {
        { "data", 'd', "JSON", "the request", flag_set_string, offsetof(struct options, data), 0 },
        { 0 },
};

static const struct flag_group groups[] = {
        { "The call", call_flags, 0 },
        { "Connection", connection_flags, offsetof(struct options, connection) },
        { "Metadata", metadata_flags, offsetof(struct options, metadata) },
        { "Schema", schema_flags, offsetof(struct options, schema) },
        { "Output", output_flags, offsetof(struct options, output) },
        { 0 },
};

static int call(const struct options *options, struct connection *connection, struct source *source,
        const char *name, upb_Arena *arena)
{
        const char *data = options->data ? options->data : "{}";
        const upb_Message *reply;
        struct source_method method;
        quoit_problem problem;
        upb_Message *request;
        upb_StringView text;
        quoit_error error;
        int status = source_method(source, name, &method);

        if (status != EXIT_DONE)
                return status;
        if (message_parse_json(source, method.request, upb_StringView_FromString(data), arena,
                    &request, &problem) < 0)
                return say_usage("-d: %s", problem.text);
        if (connection_unary(connection, &method.quoit, request, NULL, arena, &reply, &error) !=
                QUOIT_OK) {
                say("%s", error.text);
                return EXIT_CALL + (int)error.status;
        }
        if (message_print_json(source, method.reply, (upb_Message *)reply,
                    output_json_options(&options->output), arena, &text, &problem) < 0)
                return say_failed("%s", problem.text);
        puts(text.data);
        return EXIT_DONE;
}

static int run(int argc, char **argv)
{
        struct connection *connection = NULL;
        struct options options = { 0 };
        struct source *source = NULL;
        struct words words;
        upb_Arena *arena;
        int status;

        if (!flags_parse(&command_call, argc, argv, &options, &words, &status))
                return status;
        if (words.count != 2)
                return say_usage("write quoit call HOST:PORT pkg.Service/Method");
        arena = upb_Arena_New();
        status = connection_open(&options.connection, words.at[0], &connection);
        if (status == EXIT_DONE)
                status = source_open(&options.schema, &options.metadata, connection, &source);
        if (status == EXIT_DONE)
                status = call(&options, connection, source, words.at[1], arena);
        source_free(source);
        connection_close(connection);
        upb_Arena_Free(arena);
        return status;
}

const struct command command_call = {
        .name = "call",
        .synopsis = "HOST:PORT pkg.Service/Method [FLAGS]",
        .summary = "Calls a method.",
        .groups = groups,
        .run = run,
};
