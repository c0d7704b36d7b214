/* SPDX-License-Identifier: MIT */
#include "call/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "call/group.h"

#define REPORT_BYTES 512 /* as much as a line of the log has */

struct report {
        struct list link;
        char line[REPORT_BYTES];
};

void call_group_report(struct call_group *group, const char *format, ...)
{
        struct report *report;
        va_list arguments;

        if (!group->host->on_report)
                return;
        report = malloc(sizeof(*report));
        if (!report)
                return;
        va_start(arguments, format);
        vsnprintf(report->line, sizeof(report->line), format, arguments);
        va_end(arguments);
        list_append(&group->reports, &report->link);
}

void report_deliver(struct call_group *group)
{
        const struct call_host *host = group->host;
        struct list *link;

        while ((link = list_pop(&group->reports))) {
                struct report *report = CONTAINER_OF(link, struct report, link);

                host->on_report(host, report->line);
                free(report);
        }
}
