/* SPDX-License-Identifier: MIT */
#include "release.h"

#include "machine.h"

#include <stdio.h>

bool release_is_older(const char *release, unsigned than_major, unsigned than_minor)
{
        unsigned major, minor;

        if (sscanf(release, "%u.%u", &major, &minor) != 2)
                return false;
        return major < than_major || (major == than_major && minor < than_minor);
}

void kernel_check(struct report *report, const char *release)
{
        if (release_is_older(release, 6, 1))
                report_warn(report, "kernel",
                        "use Linux 6.1 or newer; until then Quoit uses epoll, which takes more CPU",
                        "Linux %s is too old for io_uring as Quoit uses it", release);
        else if (release_is_older(release, 6, 12))
                report_ok(report, "kernel",
                        "Linux %s; from 6.12 on io_uring takes less memory and CPU", release);
        else
                report_ok(report, "kernel", "Linux %s", release);
}
