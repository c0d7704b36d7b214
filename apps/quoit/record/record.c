/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../command_list.h"
#include "../connection.h"
#include "../say.h"
#include "../stop_signals.h"
#include "proxy.h"

struct record_options {
        struct connection_flags connection;
        const char *listen; /* NULL: a free port of this machine alone */
        size_t file_bytes_max, message_bytes_max;
        int compression; /* quoit_compression */
        bool keeps_secrets;
};

#define FIELD(name) offsetof(struct record_options, name)

static const struct flag record_flags[] = {
        { "listen", 'l', "ADDRESS", "where calls come in (default: 127.0.0.1:0, a free port)",
                flag_set_string, FIELD(listen), 0 },
        { "max-file-size", 0, "SIZE", "then the recording ends, and calls go on (default: none)",
                flag_set_bytes, FIELD(file_bytes_max), 0 },
        { "max-message-size", 0, "SIZE", "of each message, both ways (default: 4MiB)",
                flag_set_bytes, FIELD(message_bytes_max), 0 },
        { "keep-secrets", 0, NULL, "values of authorization, cookies and the like are written too",
                flag_set_true, FIELD(keeps_secrets), 0 },
        { "compress", 0, "NAME", "of what is sent on: gzip, deflate, zstd (default: none)",
                flag_set_compression, FIELD(compression), 0 },
        { 0 },
};

static const struct flag_group groups[] = {
        { "The recording", record_flags, 0 },
        { "Connection", connection_flags, FIELD(connection) },
        { 0 },
};

static const char help[] =
        "  quoit record --listen :8080 localhost:50051 calls.binlog\n"
        "  quoit record --listen unix:/run/api.sock api.example:443 calls.binlog\n"
        "  quoit replay calls.binlog localhost:50052 --compare\n"
        "\n"
        "A proxy for gRPC: calls of any method that come in at ADDRESS, in the clear, go\n"
        "on to HOST:PORT, and are written to FILE with their times. Ctrl-C lets running\n"
        "calls end; once more, and they are cancelled. If FILE cannot be written any\n"
        "more, calls go on.\n";

/* A proxy while it runs. */
struct session {
        const struct record_options *options;
        const char *target, *path;
        struct connection_setup setup;
        struct recording recording;
        struct proxy proxy;
        quoit_server *server;
        quoit_client *client;
        int signals;
        bool is_stopping;
};

/* ---- until it stops ---- */

static void take_signal(struct session *session)
{
        struct signalfd_siginfo info;

        if (read(session->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
                return;
        if (!session->is_stopping && session->proxy.running > 0)
                say("waiting for calls that run (%" PRIu64 "); once more, and they are cancelled",
                        session->proxy.running);
        session->is_stopping = true;
        quoit_server_stop(session->server);
        quoit_server_step(session->server); /* each stop is seen by itself */
}

/* 0, or a negative errno: the ring broke. */
static int serve(struct session *session)
{
        struct pollfd ends[] = { { quoit_server_fd(session->server), POLLIN, 0 },
                { session->signals, POLLIN, 0 } };
        int r = ends[0].fd < 0 ? ends[0].fd : 1;

        while (r > 0) {
                if (poll(ends, 2, -1) < 0 && errno != EINTR)
                        return -errno;
                if (ends[1].revents)
                        take_signal(session);
                r = quoit_server_step(session->server);
                recording_flush(&session->recording);
        }
        return r;
}

static int run_proxy(struct session *session)
{
        sigset_t before;
        int r;

        session->signals = stop_signals_open(&before);
        if (session->signals < 0)
                return say_failed("signalfd: %s", strerror(-session->signals));
        r = quoit_server_start(session->server);
        if (r < 0)
                return say_failed("%s", quoit_server_problem(session->server));
        say("recording calls to %s for %s into %s",
                quoit_server_listener_address(session->server, 0), session->target, session->path);
        r = serve(session);
        close(session->signals);
        if (r < 0)
                return say_failed("%s", strerror(-r));
        return EXIT_DONE;
}

/* ---- what it needs ---- */

static int make_server(struct session *session)
{
        const struct record_options *options = session->options;
        const char *address = options->listen ? options->listen : "127.0.0.1:0";
        quoit_server_options server = { .engine = (quoit_engine)options->connection.engine,
                .compression = (quoit_compression)options->compression };
        int r;

        server.limits.message_receive_bytes_max = options->message_bytes_max;
        if (options->message_bytes_max > (size_t)16 << 20)
                server.limits.connection_receive_bytes_max = 2 * options->message_bytes_max;
        r = quoit_server_new(&server, &session->server);
        if (r == 0)
                r = proxy_register(&session->proxy, session->server);
        if (r < 0)
                return say_failed("%s", strerror(-r));
        if (quoit_server_listen(session->server, address, NULL) < 0)
                return say_failed("%s", quoit_server_problem(session->server));
        return EXIT_DONE;
}

/* A client on the server's ring: so a call stays on one thread, and the proxy needs no lock. */
static int make_client(struct session *session)
{
        int r;

        session->setup.client.lent = quoit_server_rings(session->server);
        session->setup.client.engine = QUOIT_ENGINE_AUTO;
        r = quoit_client_new(&session->setup.client, &session->client);
        if (r == 0)
                r = quoit_channel_new(session->client, session->setup.target,
                        &session->setup.channel, &session->proxy.channel);
        return r < 0 ? say_failed("%s: %s", session->target, strerror(-r)) : EXIT_DONE;
}

static int record(struct session *session)
{
        int status = make_server(session), r;

        if (status == EXIT_DONE)
                status = make_client(session);
        if (status != EXIT_DONE)
                return status;
        r = recording_open(&session->recording, session->path, session->options->file_bytes_max);
        if (r < 0)
                return say_failed("%s: %s", session->path, strerror(-r));
        status = run_proxy(session);
        if (recording_close(&session->recording) < 0)
                status = EXIT_FAILED;
        say("%s: %" PRIu64 " calls, %" PRIu64 " bytes", session->path, session->proxy.calls,
                session->recording.written);
        return status;
}

/* Whether HOST:PORT speaks TLS; and that it is there. Not asked where flags say it: it may come later. */
static int find_scheme(
        const struct record_options *options, const char *target, enum scheme *scheme)
{
        struct connection *connection;
        int status;

        *scheme = (enum scheme)options->connection.scheme;
        if (*scheme != SCHEME_FOUND)
                return EXIT_DONE;
        status = connection_open(&options->connection, target, &connection);
        if (status != EXIT_DONE)
                return status;
        *scheme = connection->scheme;
        connection_close(connection);
        return EXIT_DONE;
}

static int record_to(struct record_options *options, const char *target, const char *path)
{
        struct session session = { .options = options,
                .target = target,
                .path = path,
                .proxy = { .recording = &session.recording,
                        .compression = (quoit_compression)options->compression,
                        .keeps_secrets = options->keeps_secrets } };
        quoit_error error;
        enum scheme scheme;
        int status;

        if (options->message_bytes_max)
                options->connection.message_bytes_max = options->message_bytes_max;
        status = find_scheme(options, target, &scheme);
        if (status != EXIT_DONE)
                return status;
        if (connection_setup_init(&session.setup, &options->connection, target, scheme, &error) < 0)
                status = say_usage("%s", error.text);
        else
                status = record(&session);
        quoit_channel_free(session.proxy.channel);
        quoit_client_free(session.client);
        quoit_server_free(session.server);
        connection_setup_deinit(&session.setup);
        return status;
}

static int run(int argc, char **argv)
{
        struct record_options options = { 0 };
        struct words words;
        int status;

        if (!flags_parse(&command_record, argc, argv, &options, &words, &status))
                return status;
        if (words.count != 2)
                return say_usage("%s: write quoit record --listen ADDRESS HOST:PORT FILE",
                        words.count > 2    ? words.at[2]
                        : words.count == 1 ? "the file is missing"
                                           : "the target and the file are missing");
        return record_to(&options, words.at[0], words.at[1]);
}

const struct command command_record = {
        .name = "record",
        .synopsis = "HOST:PORT FILE [FLAGS]",
        .summary = "Passes calls on to a server, and writes them to a file.",
        .help = help,
        .groups = groups,
        .run = run,
};
