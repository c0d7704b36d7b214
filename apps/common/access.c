/* SPDX-License-Identifier: MIT */
#include "access.h"

#include <string.h>

#include <quoit/access_log.h>
#include <quoit/log_writer.h>

#include "hangup.h"
#include "option_kinds.h"
#include "program.h"

static quoit_log_writer *writer;
static quoit_access_log *access_log;

/* ---- options ---- */

static void set_format(struct options *options, const struct option_value *value)
{
        static const char *const words[] = { "text", "json", NULL };

        *(bool *)option_place(options, value) = option_choose(value, words, "text nor json") == 1;
}

const struct option_entry access_options[] = {
        { .about = "A line for each call, when it is over:" },
        { "access-log", "FILE",
                "append to FILE, or - for standard output; SIGHUP opens it again, for log rotation",
                option_set_text, .offset = offsetof(struct access_options, path) },
        { "access-log-format", "FORMAT", "text or json; default text", set_format,
                .offset = offsetof(struct access_options, json) },
        { 0 },
};

void access_check(const struct access_options *options)
{
        if (options->json && !options->path)
                program_usage_error("--access-log-format needs an --access-log");
}

/* ---- the log ---- */

static void on_problem(void *user, quoit_log_level level, const char *line)
{
        (void)user;
        (void)level;
        program_say(QUOIT_LOG_WARNING, "access log %s", line);
}

bool access_start(quoit_server *server, const struct access_options *options)
{
        int r;

        if (!options->path)
                return true;
        r = quoit_log_writer_new(
                &(quoit_log_writer_options){ .path = options->path, .on_problem = on_problem },
                &writer);
        if (r == 0)
                r = quoit_access_log_new(
                        options->json ? QUOIT_ACCESS_LOG_JSON : QUOIT_ACCESS_LOG_TEXT,
                        quoit_log_writer_line, writer, &access_log);
        if (r == 0)
                r = quoit_access_log_attach(access_log, server);
        if (r < 0) {
                program_say(QUOIT_LOG_ERROR, "access log %s: %s", options->path, strerror(-r));
                return false;
        }
        hangup_add(quoit_log_writer_reopen, writer);
        return true;
}

void access_stop(void)
{
        access_log = quoit_access_log_free(access_log);
        writer = quoit_log_writer_free(writer);
}
