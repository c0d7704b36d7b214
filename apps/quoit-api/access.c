/* SPDX-License-Identifier: MIT */
#include "access.h"

#include <string.h>

#include <quoit/access_log.h>
#include <quoit/log_writer.h>

#include "../common/program.h"
#include "hangup.h"

static quoit_log_writer *writer;
static quoit_access_log *access_log;

static void on_problem(void *user, quoit_log_level level, const char *line)
{
        (void)user;
        (void)level;
        program_say(QUOIT_LOG_WARNING, "access log %s", line);
}

bool access_start(quoit_server *server, const char *path, bool json)
{
        int r;

        if (!path)
                return true;
        r = quoit_log_writer_new(
                &(quoit_log_writer_options){ .path = path, .on_problem = on_problem }, &writer);
        if (r == 0)
                r = quoit_access_log_new(json ? QUOIT_ACCESS_LOG_JSON : QUOIT_ACCESS_LOG_TEXT,
                        quoit_log_writer_line, writer, &access_log);
        if (r == 0)
                r = quoit_access_log_attach(access_log, server);
        if (r < 0) {
                program_say(QUOIT_LOG_ERROR, "access log %s: %s", path, strerror(-r));
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
