/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proc.h"

enum {
        QUEUE_MIN = 1024, /* connections that wait for accept(2); 4096 since Linux 5.4 */
        SYN_QUEUE_MIN = 512,
        PORTS_MIN = 10000,
        WINDOW_MIN = 1 << 20, /* what one call needs at 100 ms and 80 Mbit/s */
        FULL_PERCENT = 80,
};

static const char *unreadable = "it cannot be read, so it is unknown";

static void check_backlog(struct report *report, const char *name, const char *text)
{
        uint64_t count;

        if (!proc_number(text, &count))
                report_warn(
                        report, name, "mount /proc, or run where it is whole", "%s", unreadable);
        else if (count < QUEUE_MIN)
                report_warn(report, name, "sysctl -w net.core.somaxconn=4096",
                        "%" PRIu64 ": a burst of more connections than that is turned away", count);
        else
                report_ok(report, name, "%" PRIu64, count);
}

static void check_syn_backlog(struct report *report, const char *name, const char *text)
{
        uint64_t count;

        if (!proc_number(text, &count))
                return;
        if (count < SYN_QUEUE_MIN)
                report_warn(report, name, "sysctl -w net.ipv4.tcp_max_syn_backlog=4096",
                        "%" PRIu64
                        ": more connections than that which begin at once are turned away",
                        count);
        else
                report_ok(report, name, "%" PRIu64, count);
}

static void check_ports(struct report *report, const char *name, const char *text)
{
        unsigned first, last;

        if (!text || sscanf(text, "%u %u", &first, &last) != 2 || last < first)
                return;
        if (last - first + 1 < PORTS_MIN)
                report_warn(report, name, "sysctl -w net.ipv4.ip_local_port_range='32768 60999'",
                        "%u to %u: a client has %u connections to one address, no more", first,
                        last, last - first + 1);
        else
                report_ok(report, name, "%u to %u", first, last);
}

static void check_overflow(struct report *report, const char *name, const char *text)
{
        uint64_t aborts;

        if (!proc_number(text, &aborts))
                return;
        if (aborts > 0)
                report_warn(report, name, "sysctl -w net.ipv4.tcp_abort_on_overflow=0",
                        "%" PRIu64
                        ": a full listen queue resets connections, where they could wait",
                        aborts);
        else
                report_ok(report, name, "0");
}

static void check_idle(struct report *report, const char *name, const char *text)
{
        uint64_t restarts;

        if (!proc_number(text, &restarts))
                return;
        report_ok(report, name, "%s",
                restarts > 0 ? "1: a connection begins slowly after a pause; 0 is faster for large "
                               "messages on long paths"
                             : "0");
}

/* "4096 131072 6291456": least, at first, most. */
static void check_window(struct report *report, const char *name, const char *text)
{
        uint64_t most;
        char advice[FINDING_TEXT_BYTES];

        if (!text || sscanf(text, "%*u %*u %" SCNu64, &most) != 1)
                return;
        snprintf(advice, sizeof(advice), "sysctl -w %s='4096 131072 6291456'", name);
        if (most < WINDOW_MIN)
                report_warn(report, name, advice,
                        "at most %" PRIu64 " KiB: large messages are slow on long paths",
                        most >> 10);
        else
                report_ok(report, name, "at most %" PRIu64 " KiB", most >> 10);
}

/* "3168 0 9223372036854775807": open, free, most. */
static void check_files(struct report *report, const char *name, const char *text)
{
        uint64_t used, most;

        if (!text || sscanf(text, "%" SCNu64 " %*u %" SCNu64, &used, &most) != 2 || most == 0)
                return;
        if (used >= most)
                report_fail(report, name, "sysctl -w fs.file-max=9223372036854775807",
                        "all %" PRIu64 " descriptors of the machine are used", most);
        else if (used > most / 100 * FULL_PERCENT)
                report_warn(report, name, "sysctl -w fs.file-max=9223372036854775807",
                        "%" PRIu64 " of the machine's %" PRIu64 " descriptors are used", used,
                        most);
        else
                report_ok(report, name, "%" PRIu64 " are open on the machine", used);
}

const struct sysctl sysctls[] = {
        { "net.core.somaxconn", check_backlog },
        { "net.ipv4.tcp_max_syn_backlog", check_syn_backlog },
        { "net.ipv4.tcp_abort_on_overflow", check_overflow },
        { "net.ipv4.ip_local_port_range", check_ports },
        { "net.ipv4.tcp_rmem", check_window },
        { "net.ipv4.tcp_wmem", check_window },
        { "net.ipv4.tcp_slow_start_after_idle", check_idle },
        { "fs.file-nr", check_files },
        { 0 },
};
