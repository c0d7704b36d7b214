/* SPDX-License-Identifier: MIT */
#include "access.h"

#include <stdio.h>
#include <string.h>

#include <quoit/access_log.h>

#include "hangup.h"
#include "log_writer.h"

static struct log_writer *writer;
static quoit_access_log *access_log;

bool access_start(quoit_server *server, const char *path, bool json)
{
        int r;

        if (!path)
                return true;
        r = log_writer_open(path, &writer);
        if (r == 0)
                r = quoit_access_log_new(json ? QUOIT_ACCESS_LOG_JSON : QUOIT_ACCESS_LOG_TEXT,
                        log_writer_line, writer, &access_log);
        if (r == 0)
                r = quoit_access_log_attach(access_log, server);
        if (r < 0) {
                fprintf(stderr, "quoit-api: access log %s: %s\n", path, strerror(-r));
                return false;
        }
        hangup_add(log_writer_reopen, writer);
        return true;
}

void access_stop(void)
{
        access_log = quoit_access_log_free(access_log);
        log_writer_close(writer);
        writer = NULL;
}
