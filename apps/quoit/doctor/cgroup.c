/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proc.h"

enum { FULL_PERCENT = 90, THROTTLED_PERCENT = 5, TASKS_MIN = 32 };

const char *cgroup_path(const char *text)
{
        return proc_field(text, "0::");
}

static const char *topic(char text[FINDING_TOPIC_BYTES], const char *what, const char *path)
{
        snprintf(text, FINDING_TOPIC_BYTES, "cgroup %s %s", what, path);
        return text;
}

static bool check_memory(struct report *report, const struct cgroup *cgroup)
{
        static const char advice[] = "raise memory.max (MemoryMax=, the container's memory), or "
                                     "lower the server's limits";
        char name[FINDING_TOPIC_BYTES];
        uint64_t most, used = 0, kills = 0;

        if (!proc_number(cgroup->memory_max, &most))
                return false; /* "max" */
        topic(name, "memory", cgroup->path);
        (void)proc_number(cgroup->memory_current, &used);
        (void)proc_number(proc_field(cgroup->memory_events, "oom_kill "), &kills);
        if (kills > 0)
                report_warn(report, name, advice,
                        "%" PRIu64 " MiB; the kernel has killed %" PRIu64
                        " processes for want of it",
                        most >> 20, kills);
        else if (used > most / 100 * FULL_PERCENT)
                report_warn(report, name, advice,
                        "%" PRIu64 " of %" PRIu64 " MiB are used, with the page cache", used >> 20,
                        most >> 20);
        else
                report_ok(report, name, "%" PRIu64 " of %" PRIu64 " MiB are used", used >> 20,
                        most >> 20);
        return true;
}

static bool check_tasks(struct report *report, const struct cgroup *cgroup)
{
        char name[FINDING_TOPIC_BYTES];
        uint64_t most, used = 0;

        if (!proc_number(cgroup->pids_max, &most))
                return false;
        topic(name, "pids", cgroup->path);
        (void)proc_number(cgroup->pids_current, &used);
        if (used + TASKS_MIN > most)
                report_warn(report, name, "raise pids.max (TasksMax=, docker run --pids-limit)",
                        "%" PRIu64 " of %" PRIu64 " threads run: few more can be started", used,
                        most);
        else
                report_ok(report, name, "%" PRIu64 " of %" PRIu64 " threads", used, most);
        return true;
}

/* "200000 100000": so many microseconds of each period. */
static bool check_cpu(struct report *report, const struct cgroup *cgroup)
{
        char name[FINDING_TOPIC_BYTES];
        uint64_t quota, period, periods = 0, throttled = 0;

        if (!cgroup->cpu_max ||
                sscanf(cgroup->cpu_max, "%" SCNu64 " %" SCNu64, &quota, &period) != 2 ||
                period == 0)
                return false; /* "max 100000" */
        topic(name, "cpu", cgroup->path);
        (void)proc_number(proc_field(cgroup->cpu_stat, "nr_periods "), &periods);
        (void)proc_number(proc_field(cgroup->cpu_stat, "nr_throttled "), &throttled);
        if (throttled > periods / 100 * THROTTLED_PERCENT && throttled > 0)
                report_warn(report, name,
                        "raise cpu.max (CPUQuota=, the container's CPU limit), or have fewer rings",
                        "%.2f CPUs; stopped in %" PRIu64 " of %" PRIu64
                        " periods: answers wait up to %" PRIu64 " ms",
                        (double)quota / (double)period, throttled, periods, period / 1000);
        else
                report_ok(report, name, "%.2f CPUs", (double)quota / (double)period);
        return true;
}

bool cgroup_check(struct report *report, const struct cgroup *cgroup)
{
        bool has_memory = check_memory(report, cgroup);
        bool has_tasks = check_tasks(report, cgroup);
        bool has_cpu = check_cpu(report, cgroup);

        return has_memory || has_tasks || has_cpu;
}
