/* SPDX-License-Identifier: MIT */
#include "core/refusal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ALLOW_IN_SECCOMP                                                                           \
        "allow io_uring_setup, io_uring_enter and io_uring_register in the seccomp profile"

static const char *call_name(enum refusal_call call)
{
        switch (call) {
        case REFUSAL_CALL_SETUP:
                return "io_uring_setup";
        case REFUSAL_CALL_ENTER:
                return "io_uring_enter";
        case REFUSAL_CALL_REGISTER:
                return "io_uring_register";
        case REFUSAL_CALL_THREAD:
                return "starting a thread";
        case REFUSAL_CALL_OTHER:
                break;
        }
        return "what a ring needs";
}

static uint64_t kib(uint64_t bytes)
{
        return (bytes + 1023) / 1024;
}

static void say(char ret_text[REFUSAL_TEXT_BYTES], const char *format, ...)
        __attribute__((format(printf, 2, 3)));

static void say(char ret_text[REFUSAL_TEXT_BYTES], const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(ret_text, REFUSAL_TEXT_BYTES, format, arguments);
        va_end(arguments);
}

/* "3 rings need 132 to 420 KiB" */
static void word_need(const struct refusal *refusal, char *ret_text, size_t size)
{
        snprintf(ret_text, size, "%u %s %" PRIu64 " to %" PRIu64 " KiB", refusal->rings,
                refusal->rings == 1 ? "ring needs" : "rings need",
                kib((uint64_t)refusal->rings * refusal->ring_bytes),
                kib((uint64_t)refusal->rings * refusal->ring_bytes_full));
}

static void word_memory(const struct refusal *refusal, const struct refusal_facts *facts,
        enum refusal_reason reason, char ret_text[REFUSAL_TEXT_BYTES])
{
        const char *fewer = refusal->rings > 1 ? " or use fewer rings" : "";
        char need[80];

        word_need(refusal, need, sizeof(need));
        switch (reason) {
        case REFUSAL_MEMLOCK:
                say(ret_text,
                        "no memory for io_uring: %s, which this kernel may count as locked memory, "
                        "and RLIMIT_MEMLOCK is %" PRIu64 " KiB for all processes of this user "
                        "together; raise it (ulimit -l, LimitMEMLOCK=)%s",
                        need, kib(facts->memlock_bytes), fewer);
                return;
        case REFUSAL_CGROUP:
                say(ret_text,
                        "no memory for %s: %s, and the cgroup has %" PRIu64 " KiB left of %" PRIu64
                        " KiB; raise its limit (memory.max, MemoryMax=, "
                        "the container's memory)%s",
                        refusal->call == REFUSAL_CALL_THREAD ? "a thread" : "io_uring", need,
                        kib(facts->cgroup_free_bytes), kib(facts->cgroup_bytes), fewer);
                return;
        case REFUSAL_ADDRESS_SPACE:
                say(ret_text,
                        "no addresses are left for memory that a ring or a thread needs: RLIMIT_AS "
                        "leaves "
                        "%" PRIu64 " KiB; raise it (ulimit -v, LimitAS=)%s",
                        kib(facts->address_free_bytes), fewer);
                return;
        default:
                say(ret_text,
                        "no memory for io_uring: %s, and the machine has none left; free some%s",
                        need, fewer);
        }
}

static void word_seccomp(const struct refusal *refusal, char ret_text[REFUSAL_TEXT_BYTES])
{
        say(ret_text, "%s is forbidden to this process (%s) by a seccomp filter%s; %s%s",
                call_name(refusal->call), strerror(-refusal->error),
                refusal->error == -EACCES ? " or a security module (SELinux)"
                                          : ", as containers have by default",
                ALLOW_IN_SECCOMP, refusal->error == -EACCES ? ", or io_uring in the policy" : "");
}

static void word_other(const struct refusal *refusal, const struct refusal_facts *facts,
        char ret_text[REFUSAL_TEXT_BYTES])
{
        say(ret_text, "%s fails on Linux %s: %s%s", call_name(refusal->call), facts->kernel_release,
                strerror(-refusal->error),
                facts->has_seccomp && refusal->call != REFUSAL_CALL_THREAD
                        ? "; a seccomp filter is in force: " ALLOW_IN_SECCOMP
                        : "");
}

void refusal_describe(const struct refusal *refusal, const struct refusal_facts *facts,
        char ret_text[REFUSAL_TEXT_BYTES])
{
        enum refusal_reason reason = refusal_reason(refusal, facts);

        switch (reason) {
        case REFUSAL_OLD_KERNEL:
                say(ret_text,
                        "Linux %s is too old for io_uring as it is used here; Linux 6.1 or newer "
                        "is needed",
                        facts->kernel_release);
                return;
        case REFUSAL_ABSENT:
                say(ret_text,
                        "this kernel (%s), or the sandbox around it, has no io_uring; use a kernel "
                        "built with "
                        "CONFIG_IO_URING, and a container runtime that lets io_uring through "
                        "(gVisor does "
                        "not)",
                        facts->kernel_release);
                return;
        case REFUSAL_SWITCHED_OFF:
                say(ret_text,
                        "io_uring is switched off: kernel.io_uring_disabled is 2; set it to 0 "
                        "(sysctl -w kernel.io_uring_disabled=0)");
                return;
        case REFUSAL_FOR_PRIVILEGED:
                say(ret_text, "io_uring is for privileged processes only: kernel.io_uring_disabled "
                              "is 1; set it to "
                              "0, or add the process to the group in kernel.io_uring_group");
                return;
        case REFUSAL_SECCOMP:
                word_seccomp(refusal, ret_text);
                return;
        case REFUSAL_POLICY:
                say(ret_text,
                        "%s is forbidden (%s) by a security module (SELinux, AppArmor, BPF); allow "
                        "io_uring "
                        "to this program in its policy",
                        call_name(refusal->call), strerror(-refusal->error));
                return;
        case REFUSAL_MEMLOCK:
        case REFUSAL_CGROUP:
        case REFUSAL_ADDRESS_SPACE:
        case REFUSAL_MEMORY:
                word_memory(refusal, facts, reason, ret_text);
                return;
        case REFUSAL_DESCRIPTORS:
                say(ret_text, "no descriptor is left for a ring: raise RLIMIT_NOFILE (ulimit -n, "
                              "LimitNOFILE=)");
                return;
        case REFUSAL_FILES:
                say(ret_text, "no descriptor is left for a ring on the whole machine; raise "
                              "fs.file-max "
                              "(sysctl)");
                return;
        case REFUSAL_THREADS:
                say(ret_text, "no more threads may be started: raise RLIMIT_NPROC (ulimit -u, "
                              "LimitNPROC=) or the "
                              "cgroup's pids.max (TasksMax=), or use fewer rings and workers");
                return;
        case REFUSAL_OTHER:
                word_other(refusal, facts, ret_text);
        }
}

void refusal_explain(const struct refusal *refusal, char ret_text[REFUSAL_TEXT_BYTES])
{
        struct refusal_facts facts;

        refusal_facts_read(&facts);
        refusal_describe(refusal, &facts, ret_text);
}
