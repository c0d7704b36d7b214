/* SPDX-License-Identifier: MIT */
#include "core/refusal.h"

#include <errno.h>
#include <stdio.h>

/*
 * A cgroup or a limit of address space with less than this left counts as full: the kernel charges in batches, and a ring's
 * memory is in pieces.
 */
#define SLACK_BYTES ((uint64_t)1 << 20)

/* The mappings of a ring in addition to the kernel's: its receive buffers. */
#define MAPPED_BYTES ((uint64_t)5 << 20)

/* A thread's default stack with its guard. */
#define STACK_BYTES ((uint64_t)9 << 20)

bool refusal_parse_release(const char *kernel_release, unsigned *ret_major, unsigned *ret_minor)
{
        unsigned major, minor;

        if (sscanf(kernel_release, "%u.%u", &major, &minor) != 2)
                return false;
        *ret_major = major;
        *ret_minor = minor;
        return true;
}

static bool is_release(const char *kernel_release)
{
        unsigned major, minor;

        return refusal_parse_release(kernel_release, &major, &minor);
}

/* A release that cannot be parsed counts as new. */
static bool is_older(const char *kernel_release, unsigned than_major, unsigned than_minor)
{
        unsigned major, minor;

        if (!refusal_parse_release(kernel_release, &major, &minor))
                return false;
        return major < than_major || (major == than_major && minor < than_minor);
}

static enum refusal_reason reason_of_permission(
        const struct refusal *refusal, const struct refusal_facts *facts)
{
        /* The sysctl applies only to io_uring_setup: existing rings go on. */
        if (refusal->call == REFUSAL_CALL_SETUP && refusal->error == -EPERM) {
                if (facts->uring_disabled == 2)
                        return REFUSAL_SWITCHED_OFF;
                if (facts->uring_disabled == 1 && !facts->uring_privileged)
                        return REFUSAL_FOR_PRIVILEGED;
        }
        return facts->has_seccomp || !facts->proc_known ? REFUSAL_SECCOMP : REFUSAL_POLICY;
}

static enum refusal_reason reason_of_absence(
        const struct refusal *refusal, const struct refusal_facts *facts)
{
        bool has_sysctl = facts->uring_disabled >= 0;

        /* All three calls were added in the same kernel: one alone cannot be absent. */
        if (refusal->call != REFUSAL_CALL_SETUP)
                return REFUSAL_SECCOMP;
        /* Since 6.6 a kernel with io_uring has this sysctl. */
        if (!facts->has_seccomp ||
                (!has_sysctl && facts->proc_known && !is_older(facts->kernel_release, 6, 6)))
                return REFUSAL_ABSENT;
        return REFUSAL_SECCOMP;
}

/* From 6.14 to before 7.2 the kernel counts the memory of rings as pinned by the process. */
static bool may_be_memlock(const struct refusal *refusal, const struct refusal_facts *facts)
{
        return refusal->call != REFUSAL_CALL_OTHER && !facts->may_lock &&
               facts->memlock_bytes != UINT64_MAX && !is_older(facts->kernel_release, 6, 14) &&
               (is_older(facts->kernel_release, 7, 2) || !is_release(facts->kernel_release));
}

static bool cgroup_lacks(const struct refusal_facts *facts, uint64_t bytes)
{
        return facts->cgroup_bytes != UINT64_MAX && facts->cgroup_free_bytes < bytes + SLACK_BYTES;
}

static enum refusal_reason reason_of_memory(
        const struct refusal *refusal, const struct refusal_facts *facts)
{
        if (cgroup_lacks(facts, refusal->ring_bytes))
                return REFUSAL_CGROUP;
        if (facts->address_free_bytes < MAPPED_BYTES + SLACK_BYTES)
                return REFUSAL_ADDRESS_SPACE;
        if (may_be_memlock(refusal, facts))
                return REFUSAL_MEMLOCK;
        /* Some of the memory that filled it may have been freed by now. */
        if (cgroup_lacks(facts, (uint64_t)refusal->rings * refusal->ring_bytes_full))
                return REFUSAL_CGROUP;
        return REFUSAL_MEMORY;
}

/* pthread_create has one errno for everything that can be short. */
static enum refusal_reason reason_of_thread(
        const struct refusal *refusal, const struct refusal_facts *facts)
{
        if (refusal->error != -EAGAIN)
                return REFUSAL_OTHER;
        if (cgroup_lacks(facts, refusal->ring_bytes))
                return REFUSAL_CGROUP;
        if (facts->address_free_bytes < STACK_BYTES)
                return REFUSAL_ADDRESS_SPACE;
        /* Some of what filled it may be gone by now. */
        if (cgroup_lacks(facts, (uint64_t)refusal->rings * refusal->ring_bytes_full))
                return REFUSAL_CGROUP;
        return REFUSAL_THREADS;
}

bool refusal_is_lasting(const struct refusal *refusal)
{
        switch (refusal->call) {
        case REFUSAL_CALL_SETUP:
        case REFUSAL_CALL_ENTER:
        case REFUSAL_CALL_REGISTER:
                break;
        default:
                return false;
        }
        switch (refusal->error) {
        case -EPERM:
        case -EACCES:
        case -ENOSYS:
        case -EOPNOTSUPP:
        case -EINVAL: /* an unknown flag, or a sandbox that emulates a kernel (gVisor) */
                return true;
        default:
                return false;
        }
}

enum refusal_reason refusal_reason(const struct refusal *refusal, const struct refusal_facts *facts)
{
        int error = refusal->error;

        if (refusal->call == REFUSAL_CALL_THREAD)
                return reason_of_thread(refusal, facts);
        if ((error == -EINVAL || error == -ENOSYS) && is_older(facts->kernel_release, 6, 1))
                return REFUSAL_OLD_KERNEL;
        switch (error) {
        case -EPERM:
        case -EACCES:
                return reason_of_permission(refusal, facts);
        case -ENOSYS:
                return reason_of_absence(refusal, facts);
        case -ENOMEM:
                return reason_of_memory(refusal, facts);
        case -EMFILE:
                return REFUSAL_DESCRIPTORS;
        case -ENFILE:
                return REFUSAL_FILES;
        default:
                return REFUSAL_OTHER;
        }
}
