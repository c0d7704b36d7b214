/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Why a ring could not be made, or stopped working: which call failed, with which errno, and facts about the process and the
 * machine. From these refusal_reason() derives one reason, and refusal_describe() a sentence for the operator.
 */

/* The call that failed. */
enum refusal_call {
        REFUSAL_CALL_OTHER, /* memory of our own, an eventfd */
        REFUSAL_CALL_SETUP, /* io_uring_setup */
        REFUSAL_CALL_ENTER, /* io_uring_enter */
        REFUSAL_CALL_REGISTER, /* io_uring_register */
        REFUSAL_CALL_THREAD, /* pthread_create, for a ring's thread or a worker */
};

struct refusal {
        enum refusal_call call;
        int error; /* a negative errno */
        unsigned rings; /* how many rings the process needs in all */
        size_t ring_bytes; /* the kernel's memory for one of the smallest size */
        size_t ring_bytes_full; /* and for one of the usual size */
};

/* Facts that help to find the reason. */
struct refusal_facts {
        char kernel_release[65]; /* as uname -r has it */
        int uring_disabled; /* kernel.io_uring_disabled; -1: there is no such sysctl (before 6.6) */
        bool uring_privileged; /* io_uring_disabled=1 is not for this process: it is in the group, or CAP_SYS_ADMIN */
        bool proc_known; /* /proc could be read; it has: */
        bool has_seccomp; /* a filter is in force */
        bool may_lock; /* CAP_IPC_LOCK, in the initial user namespace: no limit to locked memory */
        uint64_t memlock_bytes; /* RLIMIT_MEMLOCK; UINT64_MAX: none */
        uint64_t cgroup_bytes; /* limit of the fullest cgroup; UINT64_MAX: none */
        uint64_t cgroup_free_bytes; /* how much is left there */
        uint64_t address_free_bytes; /* how much RLIMIT_AS leaves; UINT64_MAX: no limit */
};

enum refusal_reason {
        REFUSAL_OLD_KERNEL, /* before 6.1 */
        REFUSAL_ABSENT, /* the kernel, or a sandbox that emulates one, has no io_uring */
        REFUSAL_SWITCHED_OFF, /* kernel.io_uring_disabled=2 */
        REFUSAL_FOR_PRIVILEGED, /* kernel.io_uring_disabled=1 */
        REFUSAL_SECCOMP, /* a seccomp filter: one is in force, or may be */
        REFUSAL_POLICY, /* a security module */
        REFUSAL_MEMLOCK, /* RLIMIT_MEMLOCK */
        REFUSAL_CGROUP, /* the memory of a cgroup */
        REFUSAL_ADDRESS_SPACE, /* RLIMIT_AS */
        REFUSAL_MEMORY, /* the machine's */
        REFUSAL_DESCRIPTORS, /* RLIMIT_NOFILE */
        REFUSAL_FILES, /* fs.file-max */
        REFUSAL_THREADS, /* RLIMIT_NPROC, pids.max */
        REFUSAL_OTHER,
};

/* Pure. */
enum refusal_reason refusal_reason(
        const struct refusal *refusal, const struct refusal_facts *facts);

/*
 * This process can never have io_uring: it is forbidden, missing, too old or incomplete. False for a lack of resources, which
 * could be freed, or be enough for a smaller ring. Pure.
 */
bool refusal_is_lasting(const struct refusal *refusal);

enum { REFUSAL_TEXT_BYTES = 400 };

/* The sentence: the cause and the remedy, one line without a newline. Pure. */
void refusal_describe(const struct refusal *refusal, const struct refusal_facts *facts,
        char ret_text[REFUSAL_TEXT_BYTES]);

/* The facts of this process now. Call it while memory that was already allocated for the ring is still there. */
void refusal_facts_read(struct refusal_facts *ret_facts);

/* The two together. */
void refusal_explain(const struct refusal *refusal, char ret_text[REFUSAL_TEXT_BYTES]);

/* "6.1.0-18-amd64" → 6, 1. False: not a release. Pure. */
bool refusal_parse_release(const char *kernel_release, unsigned *ret_major, unsigned *ret_minor);
