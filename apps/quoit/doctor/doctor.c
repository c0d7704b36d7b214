/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "../command_list.h"
#include "../connection_flags.h"
#include "../exit_status.h"
#include "../flags.h"
#include "../say.h"
#include "machine.h"
#include "print.h"
#include "target.h"

struct options {
        struct connection_flags connection;
        bool is_json, is_plain;
};

static int run(int argc, char **argv);

static const struct flag own_flags[] = {
        { "json", .help = "as JSON, for programs: docs/quoit.md", .set = flag_set_true,
                .offset = offsetof(struct options, is_json) },
        { "no-color", .help = "no colours, as with NO_COLOR", .set = flag_set_true,
                .offset = offsetof(struct options, is_plain) },
        { 0 },
};

static const struct flag_group groups[] = {
        { "Flags", own_flags, 0 },
        { "Connection", connection_flags, offsetof(struct options, connection) },
        { 0 },
};

const struct command command_doctor = {
        .name = "doctor",
        .synopsis = "[HOST:PORT] [FLAGS]",
        .summary = "Finds what is wrong here, or on the way to a server.",
        .help = "  quoit doctor                          the kernel, io_uring, limits, cgroups\n"
                "  quoit doctor localhost:50051          these, then names, TCP, TLS, HTTP/2, ...\n"
                "  quoit doctor --json api.example:443   for programs\n"
                "\n"
                "Each line is OK, WARN or FAIL, and says what to do. Exit status: 0; 1 if a line\n"
                "is FAIL.\n",
        .groups = groups,
        .run = run,
};

static int run(int argc, char **argv)
{
        struct options options = { 0 };
        struct words words;
        struct lines lines;
        struct report report = { 0 };
        const char *target;
        int status;

        if (!flags_parse(&command_doctor, argc, argv, &options, &words, &status))
                return status;
        if (words.count > 1)
                return say_usage("doctor: one HOST:PORT, not also %s", words.at[1]);
        target = words.count > 0 ? words.at[0] : NULL;
        if (!options.is_json) {
                lines_init(&lines, options.is_plain);
                report.on_finding = lines_print;
                report.user = &lines;
        }
        machine_check(&report);
        if (target)
                target_check(&report, &options.connection, target);
        if (options.is_json)
                findings_print_json(&report, target);
        else
                lines_print_sum(&lines, &report);
        status = report.worst == VERDICT_FAIL ? EXIT_FAILED : EXIT_DONE;
        report_deinit(&report);
        return status;
}
