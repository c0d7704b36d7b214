/* SPDX-License-Identifier: MIT */
#include "server/log.h"

#include <stdarg.h>

#include "server/server.h"

void server_log(struct quoit_server *server, quoit_log_level level, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        log_write(&server->log, level, format, arguments);
        va_end(arguments);
}

void server_log_peer(struct quoit_server *server, quoit_log_level level, uint64_t now_ns,
        const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        log_write_peer(&server->log, level, now_ns, format, arguments);
        va_end(arguments);
}
