/* SPDX-License-Identifier: MIT */
#include "log_options.h"

#include "option_kinds.h"
#include "program.h"
#include "settings.h"

static void set_level(struct options *options, const struct option_value *value)
{
        static const char *const words[] = {
                [QUOIT_LOG_ERROR] = "error",
                [QUOIT_LOG_WARNING] = "warning",
                [QUOIT_LOG_INFO] = "info",
                [QUOIT_LOG_DEBUG] = "debug",
                [QUOIT_LOG_DEBUG + 1] = NULL,
        };

        (void)options;
        quoit_log_writer_set_level(program_log,
                (quoit_log_level)option_choose(value, words, "error, warning, info nor debug"));
}

static void set_format(struct options *options, const struct option_value *value)
{
        static const char *const words[] = { "text", "json", NULL };

        (void)options;
        quoit_log_writer_set_json(program_log, option_choose(value, words, "text nor json") == 1);
}

const struct option_entry log_options[] = {
        { .about = "The log, on standard error:" },
        { "log-level", "LEVEL",
                "error, warning, info or debug: what is less severe is left out; default debug",
                .set = set_level },
        { "log-format", "FORMAT", "text, or json: an object a line; default text",
                .set = set_format },
        { 0 },
};

void log_options_apply(struct options *options)
{
        settings_apply_first(options, "log-format");
        settings_apply_first(options, "log-level");
}
