/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <inttypes.h>
#include <string.h>

#include "proc.h"
#include "release.h"

enum { FILES_NEEDED = 64, FILES_MIN = 4096 };

/* What the rings of a server of 16 need. */
#define LOCKED_MIN (UINT64_C(8) << 20)

/* The soft limit of a line; UINT64_MAX: unlimited. */
static bool take_limit(const char *limits, const char *name, uint64_t *ret_soft)
{
        const char *text = proc_field(limits, name);

        if (text && strncmp(text, "unlimited", 9) == 0) {
                *ret_soft = UINT64_MAX;
                return true;
        }
        return proc_number(text, ret_soft);
}

void nofile_check(struct report *report, const char *limits)
{
        static const char advice[] =
                "ulimit -n 65536, LimitNOFILE=65536, or docker run --ulimit nofile=65536";
        uint64_t soft;

        if (!take_limit(limits, "Max open files", &soft))
                report_warn(report, "nofile", "mount /proc, or run where it is whole",
                        "it cannot be read, so it is unknown");
        else if (soft < FILES_NEEDED)
                report_fail(report, "nofile", advice, "%" PRIu64 " descriptors are too few", soft);
        else if (soft < FILES_MIN)
                report_warn(report, "nofile", advice,
                        "%" PRIu64 " descriptors: a server has one for each connection", soft);
        else if (soft == UINT64_MAX)
                report_ok(report, "nofile", "no limit");
        else
                report_ok(report, "nofile", "%" PRIu64 " descriptors", soft);
}

void memlock_check(struct report *report, const char *limits, bool may_lock, const char *release)
{
        uint64_t soft;
        bool counts = !release_is_older(release, 6, 14) && release_is_older(release, 7, 2);

        if (!take_limit(limits, "Max locked memory", &soft))
                return;
        if (soft == UINT64_MAX)
                report_ok(report, "memlock", "no limit");
        else if (counts && !may_lock && soft < LOCKED_MIN)
                report_warn(report, "memlock",
                        "ulimit -l 65536, LimitMEMLOCK=64M, or docker run --ulimit "
                        "memlock=67108864",
                        "%" PRIu64
                        " KiB, and Linux 6.14 to 7.1 counts rings of io_uring: many do not fit",
                        soft >> 10);
        else
                report_ok(report, "memlock", "%" PRIu64 " KiB%s", soft >> 10,
                        counts && !may_lock ? ", which rings of io_uring count in" : "");
}
