/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../common/clock.h"
#include "../command_list.h"
#include "../metadata_flags.h"
#include "../out.h"
#include "../output_flags.h"
#include "../say.h"
#include "replay.h"
#include "seeds.h"

struct replay_options {
        struct connection_flags connection;
        struct metadata_flags metadata;
        struct schema_flags schema;
        double speed; /* 0: without waiting */
        unsigned concurrency; /* 0: by the speed */
        const char *method;
        const char *seeds; /* a folder; NULL: no seeds are asked for */
        struct strings ignored;
        uint32_t call_ms;
        bool compares, is_json;
};

/* ---- flags ---- */

/* "10x", "0.5x", "10" or "max" */
static int set_speed(const struct flag *flag, const char *text, void *field)
{
        char *end;
        double speed = strtod(text, &end);
        bool is_number =
                end != text && (!*end || !strcmp(end, "x")) && isfinite(speed) && speed > 0;

        if (!is_number && strcmp(text, "max") != 0) {
                say_usage("--%s: '%s' is not a speed: 1x, 10x, 0.5x or max", flag->name, text);
                return -EINVAL;
        }
        *(double *)field = is_number ? speed : 0;
        return 0;
}

#define FIELD(name) offsetof(struct replay_options, name)

static const struct flag replay_flags[] = {
        { "speed", 0, "SPEED", "1x as it was recorded (the default), 10x, 0.5x; max: no waiting",
                set_speed, FIELD(speed), 0 },
        { "concurrency", 'c', "N",
                "calls at a time (default: no limit; with max: as the recording)", flag_set_count,
                FIELD(concurrency), 0 },
        { "method", 'm', "PATTERN", "only these, as 'pkg.Service/*'", flag_set_string,
                FIELD(method), 0 },
        { "max-time", 0, "TIME", "each call's deadline (default: as it was recorded)",
                flag_set_time, FIELD(call_ms), 0 },
        { "compare", 0, NULL, "answers with those that were recorded", flag_set_true,
                FIELD(compares), 0 },
        { "ignore-field", 0, "a.b", "of replies, where the schema is known; can be repeated",
                flag_add_string, FIELD(ignored), 0 },
        { "fuzz-seeds", 0, "FOLDER", "no calls: messages become seeds of fuzzers", flag_set_string,
                FIELD(seeds), 0 },
        { "json", 0, NULL, "for programs: see docs/quoit.md", flag_set_true, FIELD(is_json), 0 },
        { 0 },
};

static const struct flag_group groups[] = {
        { "The replay", replay_flags, 0 },
        { "Metadata", metadata_flags, FIELD(metadata) },
        { "Schema", schema_flags, FIELD(schema) },
        { "Connection", connection_flags, FIELD(connection) },
        { 0 },
};

static const char help[] =
        "  quoit replay calls.binlog localhost:50051\n"
        "  quoit replay calls.binlog localhost:50051 --compare --ignore-field time\n"
        "  quoit replay calls.binlog localhost:50051 --speed max --method 'api.Api/*'\n"
        "  quoit replay calls.binlog localhost:50051 -H 'authorization: Bearer T'\n"
        "  quoit replay calls.binlog --fuzz-seeds corpus\n"
        "\n"
        "FILE is of quoit record. Calls begin when they did, and so do their messages,\n"
        "but never before the replies that came before them. With --compare the exit\n"
        "status is 0 if all are answered as it was recorded, else 1.\n";

/* ---- what it does ---- */

static int write_seeds(const struct replay_options *options, const struct tape *tape)
{
        size_t count;
        int status = seeds_write(tape, options->method, options->seeds, &count);

        if (status == EXIT_DONE)
                printf("%s: %zu new seeds\n", options->seeds, count);
        return status;
}

static int make_calls(
        const struct replay_options *options, struct replay *replay, const char *target)
{
        struct results results = { .is_json = options->is_json, .compares = options->compares };
        struct judge judge = { .ignored = &options->ignored, .results = &results };
        int status = EXIT_DONE;

        replay->results = &results;
        if (options->compares) {
                status = source_open(
                        &options->schema, &options->metadata, replay->connection, &judge.source);
                replay->judge = &judge;
        }
        if (status == EXIT_DONE) {
                results_begin(&results, target);
                status = replay_run(replay);
                results_end(&results, replay->tape->count - results.calls,
                        (double)(clock_now_ns() - replay->began_ns) / 1e9);
        }
        if (status == EXIT_DONE && results.calls == 0)
                status = say_failed("no call of the file%s%s can be made",
                        options->method ? " that fits " : "",
                        options->method ? options->method : "");
        if (status == EXIT_DONE && results.agreed < results.calls)
                status = EXIT_FAILED;
        judge_deinit(&judge);
        source_free(judge.source);
        return status;
}

static int replay_at(
        const struct replay_options *options, const struct tape *tape, const char *target)
{
        upb_Arena *arena = upb_Arena_New();
        struct metadata metadata = { 0 };
        struct replay replay = { .tape = tape,
                .method = options->method,
                .options = { .speed = options->speed,
                        .time_ms = options->call_ms,
                        .keeps_replies = options->compares },
                .calls_max = options->concurrency };
        int status = arena ? metadata_make(&options->metadata, false, arena, &metadata)
                           : say_failed("out of memory");

        if (!replay.calls_max && options->speed == 0)
                replay.calls_max = tape_width(tape);
        replay.options.metadata = metadata.list;
        replay.options.metadata_count = metadata.count;
        if (status == EXIT_DONE)
                status = connection_open(&options->connection, target, &replay.connection);
        if (status == EXIT_DONE)
                status = make_calls(options, &replay, target);
        connection_close(replay.connection);
        upb_Arena_Free(arena);
        return status;
}

static int replay_words(const struct replay_options *options, const struct words *words)
{
        int wanted = options->seeds ? 1 : 2, status;
        struct tape tape = { 0 };

        if (words->count != wanted)
                return say_usage(
                        "%s: write quoit replay FILE HOST:PORT, or FILE --fuzz-seeds FOLDER",
                        words->count > wanted ? words->at[wanted]
                        : words->count        ? "the target is missing"
                                              : "the file is missing");
        status = tape_read(&tape, words->at[0]);
        if (status == EXIT_DONE)
                status = options->seeds ? write_seeds(options, &tape)
                                        : replay_at(options, &tape, words->at[1]);
        tape_deinit(&tape);
        return status;
}

static int run(int argc, char **argv)
{
        struct replay_options options = { .speed = 1 };
        struct words words;
        int status;

        if (!flags_parse(&command_replay, argc, argv, &options, &words, &status))
                return status;
        status = replay_words(&options, &words);
        metadata_flags_deinit(&options.metadata);
        schema_flags_deinit(&options.schema);
        strings_deinit(&options.ignored);
        return status;
}

const struct command command_replay = {
        .name = "replay",
        .synopsis = "FILE [HOST:PORT] [FLAGS]",
        .summary = "Makes recorded calls again, and compares the answers.",
        .help = help,
        .groups = groups,
        .run = run,
};
