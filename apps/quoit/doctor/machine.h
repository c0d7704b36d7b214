/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The checks of the machine. Each takes texts, as /proc and /sys have them, without a newline at the end, or NULL where they cannot be
 * read, and adds its lines to the report. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "report.h"

/* @release as uname -r has it. */
void kernel_check(struct report *report, const char *release);

/* What is known of io_uring here. */
struct uring_facts {
        const char *release; /* as uname -r has it */
        const char *disabled; /* /proc/sys/kernel/io_uring_disabled */
        bool is_privileged; /* io_uring_disabled=1 is not for this process */
        const char *status; /* /proc/thread-self/status */
        int setup_error, enter_error,
                register_error; /* what the calls say, tried one by one: 0 or a negative errno */
        uint32_t features; /* IORING_FEAT_* */
        bool operations
                [256]; /* those that the kernel has, by IORING_OP_*; if nothing was refused */
        bool has_incremental_buffers;
};

/* Tries them out. @ret_facts has texts of the caller's, all but those set. */
void uring_try(struct uring_facts *ret_facts);

/* What is in the way of io_uring, or what this one can do. */
void uring_check(struct report *report, const struct uring_facts *facts);

/* A file with a number or a few: its line. */
struct sysctl {
        const char *name; /* "net.core.somaxconn" */
        void (*check)(struct report *report, const char *name, const char *text);
};

/* All that are looked at, in the order of their lines; the last has a NULL. */
extern const struct sysctl sysctls[];

/* @text of /proc/net/netstat: whether listen queues were full since the machine started. */
void listen_check(struct report *report, const char *text);

/* @limits of /proc/self/limits; @may_lock: the process has CAP_IPC_LOCK, in the first namespace. */
void nofile_check(struct report *report, const char *limits);
void memlock_check(struct report *report, const char *limits, bool may_lock, const char *release);

/* The texts of one folder of cgroup v2; "" and NULL are not there. */
struct cgroup {
        const char *path; /* "/system.slice/a.service" */
        const char *memory_max, *memory_current, *memory_events;
        const char *pids_max, *pids_current;
        const char *cpu_max, *cpu_stat;
};

/* The path of cgroup v2 in @text of /proc/self/cgroup, to the end of its line. NULL: there is none. */
const char *cgroup_path(const char *text);

/* The limits of one folder; without one, no line. True: it has some. */
bool cgroup_check(struct report *report, const struct cgroup *cgroup);

/* @now: tcp_congestion_control; @available: tcp_available_congestion_control. */
void congestion_check(struct report *report, const char *now, const char *available);

/* @text of /sys/kernel/mm/transparent_hugepage/enabled. */
void hugepages_check(struct report *report, const char *text);

/* All of them, of this machine, as the section "machine". */
void machine_check(struct report *report);
