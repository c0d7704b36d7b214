/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proc.h"

/* The word of that number in the line @text, from 0 on, as a number. */
static bool take_word(const char *text, unsigned index, uint64_t *ret_number)
{
        size_t line = strcspn(text, "\n");
        const char *end = text + line;

        for (; index > 0; index--) {
                text += strcspn(text, " ");
                text += strspn(text, " ");
                if (text >= end)
                        return false;
        }
        return proc_number(text, ret_number);
}

/* Two lines that begin with "TcpExt:": one of names, one of numbers. */
static bool take_counter(const char *text, const char *name, uint64_t *ret_number)
{
        const char *names = proc_field(text, "TcpExt:");
        const char *numbers = proc_field(names, "TcpExt:");
        size_t size = strlen(name);

        if (!numbers)
                return false;
        for (unsigned i = 0; *names && *names != '\n'; i++) {
                size_t word = strcspn(names, " \n");

                if (word == size && strncmp(names, name, size) == 0)
                        return take_word(numbers, i, ret_number);
                names += word;
                names += strspn(names, " ");
        }
        return false;
}

void listen_check(struct report *report, const char *text)
{
        uint64_t overflows;

        if (!take_counter(text, "ListenOverflows", &overflows))
                return;
        if (overflows > 0)
                report_warn(report, "listen queues",
                        "look at Recv-Q of ss -ltn; accept sooner, or raise net.core.somaxconn and "
                        "the server's backlog",
                        "%" PRIu64 " connections met a full one since the machine started",
                        overflows);
        else
                report_ok(report, "listen queues", "never full since the machine started");
}
