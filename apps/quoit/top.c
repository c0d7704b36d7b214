/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/clock.h"
#include "command_list.h"
#include "json_write.h"
#include "paint.h"
#include "say.h"
#include "top_metrics.h"
#include "top_sample.h"

enum { INTERVAL_MS = 1000, ROWS_MAX = 20 };

struct top_options {
        struct connection_flags connection;
        struct metadata_flags metadata;
        uint32_t interval_ms;
        const char *metrics; /* URL; NULL: the target's /metrics */
        bool is_json, is_once, is_plain;
};

#define FIELD(name) offsetof(struct top_options, name)

static const struct flag top_flags[] = {
        { "interval", 'i', "TIME", "between two looks (default: 1s)", flag_set_time,
                FIELD(interval_ms), 0 },
        { "metrics", 0, "URL",
                "of latencies: http://HOST:PORT/PATH (default: the target's /metrics; none)",
                flag_set_string, FIELD(metrics), 0 },
        { "once", '1', NULL, "end after the first", flag_set_true, FIELD(is_once), 0 },
        { "json", 0, NULL, "for programs: an object a line; see docs/quoit.md", flag_set_true,
                FIELD(is_json), 0 },
        { "no-color", 0, NULL, "no colours", flag_set_true, FIELD(is_plain), 0 },
        { 0 },
};

static const struct flag_group groups[] = {
        { "Output", top_flags, 0 },
        { "Metadata", metadata_flags, FIELD(metadata) },
        { "Connection", connection_flags, FIELD(connection) },
        { 0 },
};

static const char help[] =
        "  quoit top localhost:50051                      in place, until Ctrl-C\n"
        "  quoit top localhost:50051 --interval 5s\n"
        "  quoit top localhost:50051 --once --json | jq '.servers[0].calls_per_s'\n"
        "\n"
        "The server needs channelz; latencies are shown if it has /metrics, in the clear.\n"
        "Its own calls for this are counted too. Exit status: 0; 1 no connection; 2 a\n"
        "mistake in the command; 64 + the status of a call that failed.\n";

/* What is shown: a look, and the one before. */
struct top {
        const struct top_options *options;
        struct connection *connection;
        const struct paint *paint;
        struct top_sample before, now;
        struct top_latency latency_before, latency;
        bool has_no_metrics; /* so it said: it is not asked again */
        int lines; /* that are on the terminal from the last time */
        bool is_terminal;
};

static double seconds(const struct top *top)
{
        return (double)(top->now.taken_ns - top->before.taken_ns) / 1e9;
}

/* Looks at the latencies, where they can be reached: in the clear only. */
static void take_latency(struct top *top)
{
        const char *url = top->options->metrics;

        top->latency_before = top->latency;
        if (!url && top->connection->scheme == SCHEME_PLAINTEXT)
                url = top->connection->target;
        if (!url || !strcmp(url, "none") || top->has_no_metrics)
                return;
        if (!top_metrics_take(url, &top->latency) && !top->options->metrics)
                top->has_no_metrics = true;
}

/* In milliseconds; below 0: not known. */
static double quantile_ms(const struct top *top, double q)
{
        return 1000 * top_metrics_quantile_s(&top->latency_before, &top->latency, q);
}

/* A counter's growth a second. One that has begun anew shows 0. */
static double rate(const struct top *top, int64_t before, int64_t now)
{
        return now > before ? (double)(now - before) / seconds(top) : 0;
}

static const struct top_server *server_before(const struct top *top, const struct top_server *now)
{
        for (size_t i = 0; i < top->before.n_servers; i++)
                if (top->before.servers[i].id == now->id)
                        return &top->before.servers[i];
        return now;
}

static const struct top_socket *socket_before(const struct top *top, const struct top_socket *now)
{
        static const struct top_socket none;

        for (size_t i = 0; i < top->before.n_sockets; i++)
                if (top->before.sockets[i].id == now->id)
                        return &top->before.sockets[i];
        return &none; /* it is new: all of it is of this interval */
}

/* ---- for people ---- */

static void show_servers(struct top *top)
{
        printf("%s%-16s %11s %10s %10s %9s %10s %8s%s\n", top->paint->bold, "SERVER", "CONNECTIONS",
                "CALLS/S", "FAILED/S", "RUNNING", "CALLS", "FAILED", top->paint->end);
        top->lines++;
        for (size_t i = 0; i < top->now.n_servers; i++) {
                const struct top_server *now = &top->now.servers[i];
                const struct top_server *before = server_before(top, now);
                double failed = rate(top, before->failed, now->failed);

                printf("%-16.16s %11" PRId64 " %10.1f %s%10.1f%s %9" PRId64 " %10" PRId64
                       " %8" PRId64 "\n",
                        now->name[0] ? now->name : "-", now->connections,
                        rate(top, before->started, now->started), failed > 0 ? top->paint->bad : "",
                        failed, failed > 0 ? top->paint->end : "",
                        now->started - now->succeeded - now->failed, now->started, now->failed);
                top->lines++;
        }
}

static void show_latency(struct top *top)
{
        if (quantile_ms(top, 0.5) < 0)
                return;
        printf("\nlatency, ms: p50 %.3g  p90 %.3g  p99 %.3g  p99.9 %.3g\n", quantile_ms(top, 0.5),
                quantile_ms(top, 0.9), quantile_ms(top, 0.99), quantile_ms(top, 0.999));
        top->lines += 2;
}

static int compare_sockets(const void *a, const void *b)
{
        const struct top_socket *left = a, *right = b;

        return (left->started < right->started) - (left->started > right->started);
}

/* Those with the most calls first. */
static void show_sockets(struct top *top)
{
        size_t n = top->now.n_sockets < ROWS_MAX ? top->now.n_sockets : ROWS_MAX;

        qsort(top->now.sockets, top->now.n_sockets, sizeof(*top->now.sockets), compare_sockets);
        printf("%s%-28s %10s %8s %10s %10s %9s%s\n", top->paint->bold, "CONNECTION", "CALLS/S",
                "RUNNING", "SENT/S", "RECEIVED/S", "CALLS", top->paint->end);
        top->lines++;
        for (size_t i = 0; i < n; i++) {
                const struct top_socket *now = &top->now.sockets[i];
                const struct top_socket *before = socket_before(top, now);

                printf("%-28.28s %10.1f %8" PRId64 " %10.1f %10.1f %9" PRId64 "\n",
                        now->remote[0] ? now->remote : "-",
                        rate(top, before->started, now->started),
                        now->started - now->succeeded - now->failed,
                        rate(top, before->sent, now->sent),
                        rate(top, before->received, now->received), now->started);
                top->lines++;
        }
}

static void show_table(struct top *top)
{
        if (top->is_terminal && top->lines)
                printf("\033[%dA\033[J", top->lines); /* up, and clear what is below */
        top->lines = 0;
        show_servers(top);
        show_latency(top);
        if (top->now.n_sockets) {
                putchar('\n');
                top->lines++;
                show_sockets(top);
        }
        if (!top->is_terminal && !top->options->is_once)
                putchar('\n');
}

/* ---- for programs ---- */

static void print_string(const char *name, const char *text)
{
        printf("\"%s\":", name);
        json_write_string(stdout, upb_StringView_FromString(text));
}

static void print_server(const struct top *top, const struct top_server *now)
{
        const struct top_server *before = server_before(top, now);

        printf("{\"id\":%" PRId64 ",", now->id);
        print_string("name", now->name);
        printf(",\"connections\":%" PRId64 ",\"calls_started\":%" PRId64
               ",\"calls_succeeded\":%" PRId64 ",\"calls_failed\":%" PRId64
               ",\"calls_per_s\":%.3f,\"failures_per_s\":%.3f}",
                now->connections, now->started, now->succeeded, now->failed,
                rate(top, before->started, now->started), rate(top, before->failed, now->failed));
}

static void print_socket(const struct top *top, const struct top_socket *now)
{
        const struct top_socket *before = socket_before(top, now);

        printf("{\"id\":%" PRId64 ",", now->id);
        print_string("remote", now->remote);
        printf(",\"calls_started\":%" PRId64 ",\"calls_succeeded\":%" PRId64
               ",\"calls_failed\":%" PRId64 ",\"messages_sent\":%" PRId64
               ",\"messages_received\":%" PRId64 ",\"calls_per_s\":%.3f}",
                now->started, now->succeeded, now->failed, now->sent, now->received,
                rate(top, before->started, now->started));
}

static void show_json(const struct top *top)
{
        printf("{\"interval_s\":%.3f,\"servers\":[", seconds(top));
        for (size_t i = 0; i < top->now.n_servers; i++) {
                fputs(i ? "," : "", stdout);
                print_server(top, &top->now.servers[i]);
        }
        fputs("],\"connections\":[", stdout);
        for (size_t i = 0; i < top->now.n_sockets; i++) {
                fputs(i ? "," : "", stdout);
                print_socket(top, &top->now.sockets[i]);
        }
        if (quantile_ms(top, 0.5) < 0)
                puts("],\"latency_ms\":null}");
        else
                printf("],\"latency_ms\":{\"p50\":%.6g,\"p90\":%.6g,\"p99\":%.6g,\"p999\":%.6g}}\n",
                        quantile_ms(top, 0.5), quantile_ms(top, 0.9), quantile_ms(top, 0.99),
                        quantile_ms(top, 0.999));
}

/* ---- the command ---- */

/* The connection is kept going meanwhile. */
static int wait_for_interval(struct top *top)
{
        uint32_t interval_ms = top->options->interval_ms ? top->options->interval_ms : INTERVAL_MS;
        uint64_t due_ns = top->now.taken_ns + (uint64_t)interval_ms * 1000000;

        for (uint64_t now_ns; (now_ns = clock_now_ns()) < due_ns;) {
                int r = connection_turn(
                        top->connection, NULL, 0, (int)((due_ns - now_ns) / 1000000) + 1);

                if (r < 0 && r != -EINTR)
                        return say_failed("%s: %s", top->connection->target, strerror(-r));
        }
        return EXIT_DONE;
}

static int look_again(struct top *top)
{
        int status = wait_for_interval(top);

        top->before = top->now;
        if (status == EXIT_DONE)
                status = top_sample_take(top->connection, &top->options->metadata, &top->now);
        if (status != EXIT_DONE)
                return status;
        take_latency(top);
        if (top->options->is_json)
                show_json(top);
        else
                show_table(top);
        return EXIT_DONE;
}

static int top_run(struct top *top)
{
        int status = top_sample_take(top->connection, &top->options->metadata, &top->now);

        take_latency(top);
        while (status == EXIT_DONE) {
                status = look_again(top);
                if (fflush(stdout) != 0 || top->options->is_once)
                        break; /* nobody reads on */
        }
        return status;
}

static int run(int argc, char **argv)
{
        struct top_options options = { 0 };
        struct top *top = calloc(1, sizeof(*top));
        struct words words;
        int status;

        if (!top)
                return say_failed("out of memory");
        if (flags_parse(&command_top, argc, argv, &options, &words, &status)) {
                top->options = &options;
                top->is_terminal = isatty(STDOUT_FILENO);
                top->paint = paint_for(STDOUT_FILENO, options.is_plain);
                if (words.count != 1)
                        status = say_usage("%s: write quoit top HOST:PORT",
                                words.count ? words.at[1] : "a target is missing");
                else
                        status =
                                connection_open(&options.connection, words.at[0], &top->connection);
                if (status == EXIT_DONE)
                        status = top_run(top);
        }
        connection_close(top->connection);
        free(top);
        metadata_flags_deinit(&options.metadata);
        return status;
}

const struct command command_top = {
        .name = "top",
        .synopsis = "HOST:PORT [FLAGS]",
        .summary = "Shows a server's calls and connections, live.",
        .help = help,
        .groups = groups,
        .run = run,
};
