/* SPDX-License-Identifier: MIT */
#include "core/cgroup_memory.h"
#include "core/refusal.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

static long read_number(const char *path, long absent)
{
        FILE *file = fopen(path, "re");
        long number;

        if (!file)
                return absent;
        if (fscanf(file, "%ld", &number) != 1)
                number = absent;
        fclose(file);
        return number;
}

/* The kernel checks capabilities in the first user namespace: a container's root has none there. */
static bool is_in_first_namespace(void)
{
        static const char first[] = "user:[4026531837]"; /* PROC_USER_INIT_INO */
        char name[64];
        ssize_t size = readlink("/proc/self/ns/user", name, sizeof(name));

        return size == sizeof(first) - 1 && memcmp(name, first, sizeof(first) - 1) == 0;
}

static bool has_capability(uint64_t effective, int capability)
{
        return (effective >> capability & 1) && is_in_first_namespace();
}

/* Of the thread, not the process: filters and capabilities belong to threads. */
static void read_status(struct refusal_facts *facts)
{
        FILE *file = fopen("/proc/thread-self/status", "re");
        uint64_t effective = 0;
        char line[256];
        int mode;

        if (!file)
                return;
        while (fgets(line, sizeof(line), file)) {
                (void)sscanf(line, "CapEff: %" SCNx64, &effective);
                if (sscanf(line, "Seccomp: %d", &mode) == 1) {
                        facts->proc_known = true;
                        facts->has_seccomp = mode != 0;
                }
        }
        fclose(file);
        facts->may_lock = has_capability(effective, CAP_IPC_LOCK);
        facts->uring_privileged = has_capability(effective, CAP_SYS_ADMIN);
}

static void read_sysctls(struct refusal_facts *facts)
{
        long group = read_number("/proc/sys/kernel/io_uring_group", -1);

        facts->uring_disabled = (int)read_number("/proc/sys/kernel/io_uring_disabled", -1);
        if (group >= 0 && group_member((gid_t)group))
                facts->uring_privileged = true;
}

static uint64_t limit_of(int resource)
{
        struct rlimit limit;

        if (getrlimit(resource, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
                return UINT64_MAX;
        return limit.rlim_cur;
}

static uint64_t address_free(void)
{
        uint64_t limit = limit_of(RLIMIT_AS);
        uint64_t used = (uint64_t)read_number("/proc/self/statm", 0) * (uint64_t)getpagesize();

        if (limit == UINT64_MAX)
                return UINT64_MAX;
        return limit > used ? limit - used : 0;
}

void refusal_facts_read(struct refusal_facts *ret_facts)
{
        struct utsname name;

        *ret_facts = (struct refusal_facts){
                .kernel_release = "of unknown release",
                .memlock_bytes = limit_of(RLIMIT_MEMLOCK),
                .address_free_bytes = address_free(),
        };
        if (uname(&name) == 0)
                memcpy(ret_facts->kernel_release, name.release, sizeof(name.release));
        read_status(ret_facts);
        read_sysctls(ret_facts);
        cgroup_memory_read(&ret_facts->cgroup_bytes, &ret_facts->cgroup_free_bytes);
}
