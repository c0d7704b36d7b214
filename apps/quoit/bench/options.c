/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "../say.h"
#include "plan.h"

#define CONCURRENCY 50
#define CONCURRENCY_OPEN 10000 /* calls in flight at most, where a rate says when they begin */
#define CONCURRENCY_MAX 1000000
#define THREADS_MAX 256
#define DURATION_MS 10000

#define OWN(field) .offset = offsetof(struct bench_options, field)

static const struct flag work_flags[] = {
        { "data", 'd', "JSON",
                "the messages, with parts like {{seq}}; @FILE, @- for standard input",
                flag_set_string, OWN(data) },
        { "data-csv", 0, "FILE", "rows for {{COLUMN}}; the first line has the columns' names",
                flag_set_string, OWN(table) },
        { "messages", 0, "N", "messages sent in a call that streams (default: those of -d)",
                flag_set_count, OWN(messages) },
        { "ping-pong", 0, NULL, "sends the next message when one was answered", flag_set_true,
                OWN(ping_pong) },
        { "max-time", 0, "TIME", "each call's deadline", flag_set_time, OWN(timeout_ms) },
        { 0 },
};

static const struct flag load_flags[] = {
        { "duration", 'z', "TIME", "for how long (default: 10s, if there is no -n)", flag_set_time,
                OWN(duration_ms) },
        { "requests", 'n', "N", "calls to make", flag_set_count, OWN(requests) },
        { "warmup", 0, "TIME", "before that, not measured", flag_set_time, OWN(warmup_ms) },
        { "concurrency", 'c', "N", "calls at a time, of all connections (default: 50)",
                flag_set_count, OWN(concurrency) },
        { "connections", 0, "N", "default: 1", flag_set_count, OWN(connections) },
        { "threads", 0, "N", "that share the connections (default: 1)", flag_set_count,
                OWN(threads) },
        { "rate", 'r', "RATE",
                "calls a second, whatever the server does: 1000, 100..2000, 100,200,500@10s",
                flag_set_string, OWN(rate) },
        { "rps", 0, "RATE", NULL, flag_set_string, OWN(rate) },
        { "poisson", 0, NULL, "they come by chance, not evenly", flag_set_true, OWN(by_chance) },
        { "seed", 0, "N", "for all that is by chance", flag_set_count, OWN(seed) },
        { 0 },
};

static const struct flag report_flags[] = {
        { "csv", 0, NULL, "what happened when, as comma-separated values", flag_set_true,
                OWN(is_csv) },
        { "html", 0, "FILE", "a page with plots, beside what is printed", flag_set_string,
                OWN(html) },
        { "compare", 0, NULL, "compares two reports of --json", flag_set_true, OWN(compares) },
        { 0 },
};

const struct flag_group bench_groups[] = {
        { "Calls", work_flags, 0 },
        { "Load", load_flags, 0 },
        { "Report", report_flags, 0 },
        { "Output", output_flags, offsetof(struct bench_options, output) },
        { "Connection", connection_flags, offsetof(struct bench_options, connection) },
        { "Metadata", metadata_flags, offsetof(struct bench_options, metadata) },
        { "Schema", schema_flags, offsetof(struct bench_options, schema) },
        { 0 },
};

static void set_defaults(struct bench_options *options)
{
        if (options->threads == 0)
                options->threads = 1;
        if (options->connections == 0)
                options->connections = options->threads;
        if (options->concurrency == 0)
                options->concurrency = options->rate ? CONCURRENCY_OPEN : CONCURRENCY;
        if (options->duration_ms == 0 && options->requests == 0 &&
                !(options->rate && strchr(options->rate, '@')))
                options->duration_ms = DURATION_MS;
        if (options->seed == 0)
                options->seed = 1;
}

int bench_options_check(struct bench_options *options)
{
        bool has_concurrency = options->concurrency > 0;

        set_defaults(options);
        if (options->threads > THREADS_MAX)
                return say_usage("--threads: at most %d", THREADS_MAX);
        if (options->threads > options->connections)
                return say_usage("--threads %u: each needs a connection, and --connections is %u",
                        options->threads, options->connections);
        if (!has_concurrency && options->concurrency < options->connections)
                options->concurrency = options->connections;
        if (options->concurrency < options->connections)
                return say_usage("--concurrency %u: each of the %u connections needs a call",
                        options->concurrency, options->connections);
        if (options->concurrency > CONCURRENCY_MAX)
                return say_usage("--concurrency and --connections: at most %d", CONCURRENCY_MAX);
        if (options->by_chance && !options->rate)
                return say_usage("--poisson needs a --rate");
        if (options->output.is_json && options->is_csv)
                return say_usage("--json and --csv: only one of them");
        return EXIT_DONE;
}
