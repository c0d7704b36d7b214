/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/host_port.h"
#include "../common/program.h"
#include "cases.h"
#include "options.h"

#define METADATA_MAX 64
#define MESSAGE_BYTES_MAX ((size_t)TALK_PAYLOAD_BYTES_MAX + 1024)

/* "name:value;name:value", which is cut into its parts. Values may have colons. */
static size_t parse_metadata(char *text, quoit_metadata *metadata)
{
        size_t count = 0;
        char *rest = text, *pair;

        while ((pair = strsep(&rest, ";"))) {
                char *colon = strchr(pair, ':');

                if (!colon)
                        program_usage_error("--additional_metadata: '%s' has no colon", pair);
                if (count == METADATA_MAX)
                        program_usage_error("--additional_metadata: more than %d", METADATA_MAX);
                *colon = '\0';
                metadata[count++] = (quoit_metadata){ pair, upb_StringView_FromString(colon + 1) };
        }
        return count;
}

/* 0 or a negative errno. */
static int open_channel(struct run *run, quoit_channel_tls *tls)
{
        const struct options *options = run->options;
        const quoit_client_options rules = { .engine = options->engine,
                .limits.message_receive_bytes_max = MESSAGE_BYTES_MAX,
                .limits.call_queue_bytes_hard_max = MESSAGE_BYTES_MAX };
        int r = quoit_client_new(&rules, &run->client);

        if (options->use_test_ca)
                tls->ca_file = options->ca_file;
        run->channel_options = (quoit_channel_options){ .tls = options->use_tls ? tls : NULL,
                .authority = options->host_override };
        return r < 0 ? r
                     : quoit_channel_new(
                               run->client, run->target, &run->channel_options, &run->channel);
}

static bool run_case(struct run *run, case_fn *fn)
{
        quoit_channel_tls tls = { 0 };
        int r = open_channel(run, &tls);
        bool ok =
                r == 0 ? fn(run) : run_fail(run, "no channel to %s: %s", run->target, strerror(-r));

        quoit_channel_free(run->channel);
        quoit_client_free(run->client);
        return ok;
}

int main(int argc, char **argv)
{
        struct options options;
        quoit_metadata metadata[METADATA_MAX];
        struct run run = { .options = &options, .metadata = metadata };
        char target[HOST_PORT_BYTES];
        sigset_t signals;
        case_fn *fn;
        bool ok;

        program_begin("quoit-interop-client");
        signals = program_signals((const int[]){ SIGTERM, SIGINT, SIGHUP, SIGUSR2, 0 });
        sigprocmask(SIG_UNBLOCK, &signals, NULL); /* they end it */
        options_parse(&options, argc, argv);
        fn = case_find(options.test_case);
        if (!fn)
                program_usage_error("--test_case: there is no case '%s'", options.test_case);
        if (options.additional_metadata)
                run.metadata_count = parse_metadata(options.additional_metadata, metadata);
        if (!host_port_print(target, options.host, options.port))
                program_usage_error("--server_host: it is too long");
        run.target = target;
        run.arena = upb_Arena_New();
        ok = run_case(&run, fn);
        upb_Arena_Free(run.arena);
        if (!ok)
                program_say(QUOIT_LOG_ERROR, "%s: %s", options.test_case, run.problem);
        program_exit(ok ? EXIT_SUCCESS : EXIT_FAILURE);
}
