/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>

#include "proc.h"
#include "release.h"

/* From 6.10 and 6.12 on; the headers may be older than the kernel. */
#define FEATURE_BUNDLES (1u << 14)
#define FEATURE_MIN_TIMEOUT (1u << 15)

#define IN_PROFILE                                                                                 \
        "allow io_uring_setup, io_uring_enter and io_uring_register in the seccomp profile "       \
        "(deploy/docker/seccomp.json is one); "                                                    \
        "until then Quoit uses epoll, which takes more CPU"

/* What rings use, on Linux 6.1 all of it. */
static const struct {
        unsigned number;
        const char *name;
} operations[] = {
        { IORING_OP_ACCEPT, "ACCEPT" },
        { IORING_OP_ASYNC_CANCEL, "ASYNC_CANCEL" },
        { IORING_OP_CLOSE, "CLOSE" },
        { IORING_OP_CONNECT, "CONNECT" },
        { IORING_OP_MSG_RING, "MSG_RING" },
        { IORING_OP_POLL_ADD, "POLL_ADD" },
        { IORING_OP_READ, "READ" },
        { IORING_OP_RECV, "RECV" },
        { IORING_OP_SEND, "SEND" },
        { IORING_OP_SENDMSG, "SENDMSG" },
        { IORING_OP_TIMEOUT, "TIMEOUT" },
        { IORING_OP_TIMEOUT_REMOVE, "TIMEOUT_REMOVE" },
};

enum { OPERATION_COUNT = sizeof(operations) / sizeof(operations[0]) };

/* 1 and 2: strict mode, and a filter. */
static bool has_filter(const char *status)
{
        uint64_t mode;

        return proc_number(proc_field(status, "Seccomp:"), &mode) && mode > 0;
}

static void check_switch(struct report *report, const struct uring_facts *facts)
{
        static const char name[] = "io_uring_disabled";
        uint64_t disabled;

        if (!proc_number(facts->disabled, &disabled))
                return; /* before 6.6 */
        if (disabled == 0)
                report_ok(report, name, "0: every process may use io_uring");
        else if (disabled == 1 && facts->is_privileged)
                report_ok(report, name, "1, and this process is privileged");
        else if (disabled == 1)
                report_warn(report, name,
                        "sysctl -w kernel.io_uring_disabled=0, or add the user to the group in "
                        "kernel.io_uring_group",
                        "1: io_uring is for privileged processes only");
        else
                report_warn(report, name, "sysctl -w kernel.io_uring_disabled=0",
                        "%u: io_uring is switched off", (unsigned)disabled);
}

static void check_seccomp(struct report *report, const struct uring_facts *facts)
{
        if (!proc_field(facts->status, "Seccomp:"))
                report_warn(report, "seccomp", "mount /proc, or run where it is whole",
                        "unknown: /proc/self/status does not say");
        else if (has_filter(facts->status))
                report_ok(report, "seccomp", "a filter is in force");
        else
                report_ok(report, "seccomp", "no filter");
}

/* Why a call is refused. */
static const char *advice_of(int error, const struct uring_facts *facts)
{
        uint64_t disabled = 0;

        switch (error) {
        case -EPERM:
        case -EACCES:
                if (proc_number(facts->disabled, &disabled) && disabled > 0 &&
                        !(disabled == 1 && facts->is_privileged))
                        return "see io_uring_disabled; until then Quoit uses epoll, which takes "
                               "more CPU";
                return has_filter(facts->status) || !facts->status
                               ? IN_PROFILE
                               : "allow io_uring in the policy of the security module (SELinux, "
                                 "AppArmor, BPF)";
        case -ENOSYS:
                return has_filter(facts->status)
                               ? IN_PROFILE
                               : "use a kernel with CONFIG_IO_URING, and a container runtime that "
                                 "lets it through (gVisor does not)";
        case -EINVAL:
                return release_is_older(facts->release, 6, 1)
                               ? "use Linux 6.1 or newer; until then Quoit uses epoll"
                               : "the kernel, or the sandbox around it, lacks flags of Linux 6.1";
        case -ENOMEM:
                return "see memlock and the cgroup's memory; a server starts with smaller rings, "
                       "or not at all";
        case -EMFILE:
                return "see nofile";
        default:
                return "Quoit needs it for io_uring; run servers with --engine epoll";
        }
}

static void check_call(
        struct report *report, const char *name, int error, const struct uring_facts *facts)
{
        if (error == 0)
                report_ok(report, name, "allowed");
        else
                report_warn(report, name, advice_of(error, facts), "%s", strerror(-error));
}

static void append(char *list, size_t size, const char *name)
{
        size_t used = strlen(list);

        snprintf(list + used, size - used, "%s%s", used > 0 ? ", " : "", name);
}

static void check_operations(struct report *report, const struct uring_facts *facts)
{
        char lacking[FINDING_TEXT_BYTES] = "";

        for (size_t i = 0; i < OPERATION_COUNT; i++)
                if (!facts->operations[operations[i].number])
                        append(lacking, sizeof(lacking), operations[i].name);
        if (lacking[0])
                report_warn(report, "io_uring operations",
                        "use Linux 6.1 or newer, or --engine epoll", "not here: %s", lacking);
        else
                report_ok(report, "io_uring operations", "all %u that Quoit needs",
                        (unsigned)OPERATION_COUNT);
}

/* Those that a ring uses where they are there. */
static void check_features(struct report *report, const struct uring_facts *facts)
{
        const struct {
                bool is_here;
                const char *name;
        } features[] = {
                { facts->operations[IORING_OP_SENDMSG_ZC], "zero-copy sends (6.1)" },
                { facts->features & FEATURE_BUNDLES, "receive bundles (6.10)" },
                { facts->has_incremental_buffers, "incremental buffers (6.12)" },
                { facts->features & FEATURE_MIN_TIMEOUT, "least waiting times (6.12)" },
        };
        char here[FINDING_TEXT_BYTES] = "", lacking[FINDING_TEXT_BYTES] = "";

        for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
                if (features[i].is_here)
                        append(here, sizeof(here), features[i].name);
                else
                        append(lacking, sizeof(lacking), features[i].name);
        report_ok(report, "io_uring features", "%s%s%s", here[0] ? here : "none of the newer ones",
                lacking[0] ? "; not here: " : "", lacking);
}

void uring_check(struct report *report, const struct uring_facts *facts)
{
        check_switch(report, facts);
        check_seccomp(report, facts);
        check_call(report, "io_uring_setup", facts->setup_error, facts);
        check_call(report, "io_uring_enter", facts->enter_error, facts);
        check_call(report, "io_uring_register", facts->register_error, facts);
        if (facts->setup_error < 0 || facts->enter_error < 0 || facts->register_error < 0)
                return;
        check_operations(report, facts);
        check_features(report, facts);
}
