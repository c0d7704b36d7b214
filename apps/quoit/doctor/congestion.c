/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <string.h>

/* Whether @name is one of the words of @list. */
static bool has_word(const char *list, const char *name)
{
        size_t size = strlen(name);

        while (list && *list) {
                size_t word = strcspn(list, " \n");

                if (word == size && strncmp(list, name, size) == 0)
                        return true;
                list += word;
                list += strspn(list, " \n");
        }
        return false;
}

void congestion_check(struct report *report, const char *now, const char *available)
{
        static const char topic[] = "congestion control";

        if (!now)
                return;
        if (strcmp(now, "reno") == 0)
                report_warn(report, topic, "sysctl -w net.ipv4.tcp_congestion_control=cubic",
                        "reno: slow on long paths");
        else if (strcmp(now, "bbr") != 0 && has_word(available, "bbr"))
                report_ok(report, topic,
                        "%s; bbr is there too, and is faster where packets are lost", now);
        else
                report_ok(report, topic, "%s", now);
}
