/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../command_list.h"
#include "../connection.h"
#include "../file.h"
#include "../message.h"
#include "../say.h"
#include "../source.h"
#include "compare.h"
#include "options.h"
#include "report.h"
#include "run.h"

/* All that a run is made of, freed at its end. */
struct bench {
        struct bench_options options;
        struct words words; /* HOST:PORT, the method */
        upb_Arena *arena;
        struct connection *connection;
        struct source *source;
        struct source_method method;
        char *data;
        struct table table;
        struct metadata metadata;
        struct profile profile;
        struct plan plan;
};

/* ---- what is called, and with what ---- */

static int read_data(struct bench *bench)
{
        const char *data = bench->options.data;

        if (!data || data[0] != '@')
                bench->data = strdup(data ? data : "");
        else if (file_read(data + 1, &bench->data, NULL) < 0)
                return say_failed("-d: %s: %m", data + 1);
        return bench->data ? EXIT_DONE : say_failed("out of memory");
}

static int read_table(struct bench *bench)
{
        const char *path = bench->options.table, *problem;
        size_t size;
        char *text;

        if (!path)
                return EXIT_DONE;
        if (file_read(path, &text, &size) < 0)
                return say_failed("--data-csv: %s: %m", path);
        problem = table_parse(
                upb_StringView_FromDataAndSize(text, size), bench->arena, &bench->table);
        free(text);
        return problem ? say_usage("--data-csv: %s: %s", path, problem) : EXIT_DONE;
}

static int make_payload(struct bench *bench)
{
        const struct table *table = bench->options.table ? &bench->table : NULL;
        quoit_problem problem;
        int r = payload_init(&bench->plan.payload, bench->source, bench->method.request,
                bench->data, table, bench->arena, &problem);

        if (r == 0)
                return EXIT_DONE;
        return r == -ENOMEM ? say_failed("-d: %s", problem.text)
                            : say_usage("-d: %s", problem.text);
}

static int make_metadata(struct bench *bench)
{
        int status = metadata_make(&bench->options.metadata, false, bench->arena, &bench->metadata);

        bench->plan.call.metadata = bench->metadata.list;
        bench->plan.call.metadata_count = bench->metadata.count;
        return status;
}

static int prepare(struct bench *bench)
{
        struct bench_options *options = &bench->options;
        int status = read_data(bench);

        if (status == EXIT_DONE)
                status = read_table(bench);
        if (status == EXIT_DONE)
                status = connection_open(
                        &options->connection, bench->words.at[0], &bench->connection);
        if (status == EXIT_DONE)
                status = source_open(
                        &options->schema, &options->metadata, bench->connection, &bench->source);
        if (status == EXIT_DONE)
                status = source_method(bench->source, bench->words.at[1], &bench->method);
        if (status == EXIT_DONE)
                status = make_payload(bench);
        if (status == EXIT_DONE)
                status = make_metadata(bench);
        bench->plan.method = payload_method(&bench->method.quoit);
        if (status == EXIT_DONE)
                status = plan_init(&bench->plan, options, bench->connection, &bench->profile);
        return status;
}

/* ---- the report ---- */

static int print_json(const quoit_bench_Report *report, upb_Arena *arena)
{
        quoit_problem problem;
        upb_StringView text;

        if (report_print_json(report, arena, &text, &problem) < 0)
                return say_failed("the report: %s", problem.text);
        puts(text.data);
        return EXIT_DONE;
}

/* That of the status that most calls have failed with. */
static int exit_status(const struct tally *tally)
{
        unsigned worst = QUOIT_CANCELLED;

        if (tally->failed == 0)
                return EXIT_DONE;
        for (unsigned i = QUOIT_CANCELLED; i < TALLY_STATUSES; i++)
                if (tally->statuses[i] > tally->statuses[worst])
                        worst = i;
        return EXIT_CALL + (int)worst;
}

static int print_report(struct bench *bench, const struct run_result *result, double began)
{
        const struct bench_options *options = &bench->options;
        const struct report_origin origin = {
                .target = bench->words.at[0],
                .method = bench->method.quoit.path + 1,
                .rate = options->rate,
                .is_tls = bench->connection->scheme == SCHEME_TLS,
                .began = began,
        };
        quoit_bench_Report *report = report_make(&origin, &bench->plan, result, bench->arena);
        int r, status = EXIT_DONE;

        if (!report)
                return say_failed("the report: out of memory");
        if (options->output.is_json)
                status = print_json(report, bench->arena);
        else if (options->is_csv)
                report_print_csv(report);
        else
                report_print_text(report);
        r = options->html ? report_write_html(report, options->html) : 0;
        if (r < 0)
                return say_failed("--html: %s: %s", options->html, strerror(-r));
        return status != EXIT_DONE ? status : exit_status(&result->tally);
}

static int carry_out(struct bench *bench)
{
        double began = (double)time(NULL);
        struct run_result result;
        int status, r = run_plan(&bench->plan, &result);

        if (r < 0)
                return say_failed("cannot begin: %s", strerror(-r));
        if (result.error.status != QUOIT_OK)
                say("%s", result.error.text);
        status = result.tally.calls > 0 || result.error.status == QUOIT_OK
                         ? print_report(bench, &result, began)
                         : EXIT_FAILED;
        tally_deinit(&result.tally);
        return result.error.status != QUOIT_OK ? EXIT_FAILED : status;
}

/* ---- the command ---- */

static int bench_run(struct bench *bench)
{
        int status = bench_options_check(&bench->options);

        if (status == EXIT_DONE)
                status = prepare(bench);
        if (status == EXIT_DONE)
                status = carry_out(bench);
        source_free(bench->source);
        connection_close(bench->connection);
        free(bench->data);
        return status;
}

static int run(int argc, char **argv)
{
        struct bench bench = { 0 };
        int status;

        if (!flags_parse(&command_bench, argc, argv, &bench.options, &bench.words, &status))
                return status;
        if (bench.words.count != 2)
                status = say_usage(bench.options.compares
                                           ? "write quoit bench --compare A.json B.json"
                                           : "write quoit bench HOST:PORT pkg.Service/Method");
        else if (!(bench.arena = upb_Arena_New()))
                status = say_failed("out of memory");
        else if (bench.options.compares)
                status = compare_reports(bench.words.at[0], bench.words.at[1],
                        bench.options.output.is_json, bench.arena);
        else
                status = bench_run(&bench);
        if (bench.arena)
                upb_Arena_Free(bench.arena);
        metadata_flags_deinit(&bench.options.metadata);
        schema_flags_deinit(&bench.options.schema);
        return status;
}

const struct command command_bench = {
        .name = "bench",
        .synopsis = "HOST:PORT pkg.Service/Method [FLAGS]",
        .summary = "Measures how fast a method is answered, under load.",
        .help = "  quoit bench localhost:50051 api.Api/sayHello -d '{\"name\": \"World\"}'\n"
                "  quoit bench localhost:50051 api.Api/sayHello --rate 1000 --duration 30s\n"
                "  quoit bench localhost:50051 api.Api/sayHello --rate 100..5000 --html ramp.html\n"
                "  quoit bench localhost:50051 api.Api/getAll -c 100 --json > a.json\n"
                "  quoit bench localhost:50051 shop.Shop/Get -d '{\"id\": {{rand:1:1000}}}'\n"
                "  quoit bench --compare a.json b.json\n"
                "\n"
                "Without --rate a call begins when one before is answered (closed loop). With it,\n"
                "calls begin when they are due, whatever the server does, and their latency\n"
                "counts from then (open loop). Ctrl-C ends the run, and the report is of what was\n"
                "done.\n",
        .groups = bench_groups,
        .run = run,
};
