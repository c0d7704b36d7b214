/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <quoit/upb.h>

#include "call_options.h"
#include "call_run.h"
#include "command_list.h"
#include "say.h"

static const struct flag_group groups[] = {
        { "The call", call_flags, 0 },
        { "Output", output_flags, offsetof(struct call_options, output) },
        { "Metadata", metadata_flags, offsetof(struct call_options, metadata) },
        { "Schema", schema_flags, offsetof(struct call_options, schema) },
        { "Connection", connection_flags, offsetof(struct call_options, connection) },
        { "Protocol", protocol_flags, offsetof(struct call_options, connection) },
        { 0 },
};

static const char help[] =
        "  quoit call localhost:50051 api.Api/sayHello -d '{\"name\":\"Ada\"}'\n"
        "  quoit call localhost:50051 Api/getStream        the package can be left out\n"
        "  quoit call localhost:50051 chat.Chat/Talk -d @  messages from standard input\n"
        "  quoit call a.example:443 a.B/C -d @call.json -H 'authorization: Bearer ...'\n"
        "  quoit call unix:/run/api.sock a.B/C --protoset api.binpb --json | jq .status\n"
        "\n"
        "Without -d a single request has no fields. Whether the server speaks TLS is\n"
        "found out. Times are 2s, 500ms, 1m30s; a number alone is seconds. Flags of\n"
        "grpcurl are understood, with one dash or two. Exit status: 0; 1: no connection,\n"
        "or no schema; 2: a mistake in the command; 64 + the call's status.\n";

/* Nobody else is on the way. A name that only begins like one of this machine is not: "localhost.example". */
static bool is_local(const char *target)
{
        static const char *const sockets[] = { "unix:", "unix-abstract:", "vsock:" };
        static const char *const schemes[] = { "dns:///", "dns:", "ipv4:", "ipv6:" };
        size_t host;

        for (unsigned i = 0; i < sizeof(sockets) / sizeof(*sockets); i++)
                if (!strncmp(target, sockets[i], strlen(sockets[i])))
                        return true;
        for (unsigned i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
                if (!strncmp(target, schemes[i], strlen(schemes[i]))) {
                        target += strlen(schemes[i]);
                        break;
                }
        if (!strncmp(target, "127.", 4))
                host = strspn(target, "0123456789.");
        else
                host = !strncmp(target, "localhost", 9) ? 9 : !strncmp(target, "[::1]", 5) ? 5 : 0;
        return host > 0 && (!target[host] || target[host] == ':') && !strchr(target, ',');
}

/* A name of metadata that is a secret, in the clear, where nobody has said so. NULL: there is none. */
static const char *find_secret(const struct call_options *options)
{
        const struct strings *const lists[] = { &options->metadata.all, &options->metadata.calls,
                &options->metadata.reflection };

        for (unsigned i = 0; i < sizeof(lists) / sizeof(*lists); i++)
                for (size_t j = 0; j < lists[i]->count; j++)
                        if (!strncasecmp(lists[i]->at[j], "authorization", 13))
                                return "authorization";
        return NULL;
}

static int check_secrets(const struct call_options *options, const struct connection *connection)
{
        if (options->connection.scheme == SCHEME_PLAINTEXT || connection->scheme == SCHEME_TLS ||
                options->connection.is_unix || is_local(connection->setup.target) ||
                !find_secret(options))
                return EXIT_DONE;
        return say_usage(
                "%s speaks no TLS: 'authorization' would be sent in the clear; say --plaintext "
                "if it may be",
                connection->target);
}

static int call(struct call_options *options, const char *target, const char *name)
{
        struct connection *connection = NULL;
        struct source *source = NULL;
        struct source_method method;
        int status;

        if (options->time_ms && (!options->connection.connect_ms ||
                                        options->connection.connect_ms > options->time_ms))
                options->connection.connect_ms = options->time_ms;
        status = connection_open(&options->connection, target, &connection);
        if (status == EXIT_DONE && options->time_ms)
                connection->due_ns = connection->begun_ns + (uint64_t)options->time_ms * 1000000;
        if (status == EXIT_DONE && options->is_json_codec && !connection->way)
                status = say_usage("--codec json: only by --protocol connect or grpc-web");
        if (status == EXIT_DONE)
                status = check_secrets(options, connection);
        if (status == EXIT_DONE)
                status = source_open(&options->schema, &options->metadata, connection, &source);
        if (status == EXIT_DONE)
                status = source_method(source, name, &method);
        if (status == EXIT_DONE)
                status = call_run(options, connection, source, &method);
        source_free(source);
        connection_close(connection);
        return status;
}

static int run(int argc, char **argv)
{
        struct call_options options = { .connection.protocol = PROTOCOL_FOUND };
        struct words words;
        int status;

        if (!flags_parse(&command_call, argc, argv, &options, &words, &status))
                return status;
        if (words.count >= 2 && !strchr(words.at[1], '.') && command_find(words.at[1]))
                status = say_usage("write quoit %s %s", words.at[1], words.at[0]);
        else if (words.count != 2)
                status = say_usage("%s: write quoit call HOST:PORT pkg.Service/Method",
                        words.count > 2   ? words.at[2]
                        : words.count < 1 ? "a target and a method are missing"
                                          : "a method is missing");
        else
                status = call(&options, words.at[0], words.at[1]);
        strings_deinit(&options.data);
        metadata_flags_deinit(&options.metadata);
        schema_flags_deinit(&options.schema);
        return status;
}

const struct command command_call = {
        .name = "call",
        .synopsis = "HOST:PORT pkg.Service/Method [FLAGS]",
        .summary = "Calls a method: sends JSON, prints JSON.",
        .help = help,
        .groups = groups,
        .run = run,
};
