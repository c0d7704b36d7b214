/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <string.h>

void hugepages_check(struct report *report, const char *text)
{
        static const char topic[] = "transparent huge pages";

        if (!text)
                report_ok(report, topic, "this kernel has none");
        else if (strstr(text, "[always]"))
                report_warn(report, topic,
                        "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
                        "always: memory grows in pieces of 2 MiB, and threads wait while they are "
                        "made");
        else
                report_ok(report, topic, "%s",
                        strstr(text, "[never]") ? "never" : "where a program asks");
}
