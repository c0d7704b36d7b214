/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "proc.h"

enum { TEXT_BYTES = 16384, WORD_BYTES = 512 };

#define CGROUP_ROOT "/sys/fs/cgroup"

/* The kernel checks capabilities in the first user namespace: a container's root has none there. */
static bool has_capability(const char *status, int capability)
{
        static const char first[] = "user:[4026531837]"; /* PROC_USER_INIT_INO */
        const char *effective = proc_field(status, "CapEff:");
        char name[64];
        ssize_t size = readlink("/proc/self/ns/user", name, sizeof(name));

        return effective && (strtoull(effective, NULL, 16) >> capability & 1) &&
               size == sizeof(first) - 1 && memcmp(name, first, sizeof(first) - 1) == 0;
}

static bool is_in_group(void)
{
        char text[WORD_BYTES];
        uint64_t group;

        return proc_number(
                       proc_read("/proc/sys/kernel/io_uring_group", text, sizeof(text)), &group) &&
               group_member((gid_t)group);
}

static void check_uring(struct report *report, const char *release, const char *status)
{
        char disabled[WORD_BYTES];
        struct uring_facts facts = {
                .release = release,
                .disabled =
                        proc_read("/proc/sys/kernel/io_uring_disabled", disabled, sizeof(disabled)),
                .is_privileged = has_capability(status, CAP_SYS_ADMIN) || is_in_group(),
                .status = status,
        };

        uring_try(&facts);
        uring_check(report, &facts);
}

/* "net.core.somaxconn" is the file net/core/somaxconn. */
static void check_sysctl(struct report *report, const struct sysctl *sysctl)
{
        char path[128], text[WORD_BYTES];

        snprintf(path, sizeof(path), "/proc/sys/%s", sysctl->name);
        for (char *at = path; (at = strchr(at, '.'));)
                *at = '/';
        sysctl->check(report, sysctl->name, proc_read(path, text, sizeof(text)));
}

static const char *read_in(const char *folder, const char *name, char *text, size_t size)
{
        char path[PATH_MAX];

        if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
                return NULL;
        return proc_read(path, text, size);
}

static bool check_folder(struct report *report, const char *folder)
{
        char texts[7][TEXT_BYTES / 8];
        const char *path = folder + sizeof(CGROUP_ROOT) - 1;
        struct cgroup cgroup = {
                .path = *path ? path : "/",
                .memory_max = read_in(folder, "memory.max", texts[0], sizeof(texts[0])),
                .memory_current = read_in(folder, "memory.current", texts[1], sizeof(texts[1])),
                .memory_events = read_in(folder, "memory.events", texts[2], sizeof(texts[2])),
                .pids_max = read_in(folder, "pids.max", texts[3], sizeof(texts[3])),
                .pids_current = read_in(folder, "pids.current", texts[4], sizeof(texts[4])),
                .cpu_max = read_in(folder, "cpu.max", texts[5], sizeof(texts[5])),
                .cpu_stat = read_in(folder, "cpu.stat", texts[6], sizeof(texts[6])),
        };

        return cgroup_check(report, &cgroup);
}

/* The cgroup and all its parents, innermost first. A container sees only some of these folders; its root is its own cgroup. */
static bool check_folders(struct report *report, const char *path)
{
        char folder[PATH_MAX];
        bool has_limits = false;

        snprintf(folder, sizeof(folder), CGROUP_ROOT "%.*s", (int)strcspn(path, "\n"), path);
        for (;;) {
                char *slash = strrchr(folder, '/');

                if (check_folder(report, folder))
                        has_limits = true;
                if (slash < folder + sizeof(CGROUP_ROOT) - 1)
                        return has_limits;
                *slash = '\0';
        }
}

static void check_cgroups(struct report *report)
{
        char text[TEXT_BYTES];
        const char *path = cgroup_path(proc_read("/proc/self/cgroup", text, sizeof(text)));

        if (access(CGROUP_ROOT "/cgroup.controllers", F_OK) < 0)
                report_ok(report, "cgroup",
                        "version 2 is not mounted; limits of version 1 are not looked at");
        else if (!path || !check_folders(report, path))
                report_ok(report, "cgroup", "no limits of memory, threads or CPU");
}

void machine_check(struct report *report)
{
        struct utsname name = { .release = "of unknown release" };
        char status_text[TEXT_BYTES], text[TEXT_BYTES], more[WORD_BYTES];
        const char *status =
                proc_read("/proc/thread-self/status", status_text, sizeof(status_text));
        const char *limits;

        report->section = "machine";
        (void)uname(&name);
        kernel_check(report, name.release);
        check_uring(report, name.release, status);
        for (const struct sysctl *sysctl = sysctls; sysctl->name; sysctl++)
                check_sysctl(report, sysctl);
        listen_check(report, proc_read("/proc/net/netstat", text, sizeof(text)));
        limits = proc_read("/proc/self/limits", text, sizeof(text));
        nofile_check(report, limits);
        memlock_check(report, limits, has_capability(status, CAP_IPC_LOCK), name.release);
        check_cgroups(report);
        congestion_check(report,
                proc_read("/proc/sys/net/ipv4/tcp_congestion_control", text, sizeof(text)),
                proc_read(
                        "/proc/sys/net/ipv4/tcp_available_congestion_control", more, sizeof(more)));
        hugepages_check(report,
                proc_read("/sys/kernel/mm/transparent_hugepage/enabled", text, sizeof(text)));
}
