/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/io_uring.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "apps/quoit/doctor/machine.h"
#include "apps/quoit/doctor/proc.h"

/* The one finding with that @topic. */
static const struct finding *found(const struct report *report, const char *topic)
{
        const struct finding *result = NULL;

        for (size_t i = 0; i < report->count; i++)
                if (strcmp(report->findings[i].topic, topic) == 0) {
                        assert_null(result);
                        result = &report->findings[i];
                }
        assert_non_null(result);
        return result;
}

static void assert_found(
        struct report *report, const char *topic, enum verdict verdict, const char *part)
{
        const struct finding *finding = found(report, topic);

        assert_string_equal(verdict_name(finding->verdict), verdict_name(verdict));
        if (!strstr(finding->text, part) && !strstr(finding->advice, part))
                fail_msg("%s: %s; %s: no \"%s\"", topic, finding->text, finding->advice, part);
        /* What is not well says what to do, what is well needs nothing. */
        assert_int_equal(finding->advice[0] == '\0', verdict == VERDICT_OK);
}

/* Its only finding, and an empty report again. */
static void assert_one(
        struct report *report, const char *topic, enum verdict verdict, const char *part)
{
        assert_int_equal(report->count, 1);
        assert_found(report, topic, verdict, part);
        report_deinit(report);
}

static void test_report(void **state)
{
        struct report report = { .section = "machine" };

        (void)state;
        report_ok(&report, "a", "%d", 1);
        assert_int_equal(report.worst, VERDICT_OK);
        report_fail(&report, "b", "do\nthis", "\x1b[31m%s", "red");
        report_warn(&report, "c", "do that", "%0400d", 1);
        assert_int_equal(report.worst, VERDICT_FAIL);
        assert_int_equal(report.count, 3);
        assert_string_equal(found(&report, "b")->text, "?[31mred");
        assert_string_equal(found(&report, "b")->advice, "do?this");
        assert_string_equal(found(&report, "b")->section, "machine");
        assert_int_equal(strlen(found(&report, "c")->text), FINDING_TEXT_BYTES - 1);
        report_deinit(&report);
}

static void test_texts(void **state)
{
        uint64_t number = 7;

        (void)state;
        assert_false(proc_number(NULL, &number));
        assert_false(proc_number("max", &number));
        assert_false(proc_number("-1", &number));
        assert_false(proc_number("99999999999999999999", &number));
        assert_int_equal(number, 7);
        assert_true(proc_number(" \t42 x", &number));
        assert_int_equal(number, 42);
        assert_null(proc_field(NULL, "a:"));
        assert_null(proc_field("xa: 1\nb: 2", "a:"));
        assert_string_equal(proc_field("a: 1\nb:\t2", "b:"), "2");
}

static void test_kernel(void **state)
{
        struct report report = { 0 };

        (void)state;
        kernel_check(&report, "5.15.0-91-generic");
        assert_one(&report, "kernel", VERDICT_WARN, "epoll");
        kernel_check(&report, "6.1.0-18-amd64");
        assert_one(&report, "kernel", VERDICT_OK, "6.12");
        kernel_check(&report, "6.12.5");
        assert_one(&report, "kernel", VERDICT_OK, "Linux 6.12.5");
}

static struct uring_facts whole(void)
{
        struct uring_facts facts = {
                .release = "6.12.0",
                .disabled = "0",
                .status = "Name:\tquoit\nSeccomp:\t0\nSeccomp_filters:\t0",
                .features = 3u << 14,
                .has_incremental_buffers = true,
        };

        memset(facts.operations, true, sizeof(facts.operations));
        return facts;
}

static void test_uring_whole(void **state)
{
        struct report report = { 0 };
        struct uring_facts facts = whole();

        (void)state;
        uring_check(&report, &facts);
        assert_int_equal(report.worst, VERDICT_OK);
        assert_found(&report, "io_uring_setup", VERDICT_OK, "allowed");
        assert_found(&report, "io_uring operations", VERDICT_OK, "all 12");
        assert_null(strstr(found(&report, "io_uring features")->text, "not here"));
        report_deinit(&report);
        facts.operations[IORING_OP_MSG_RING] = false;
        facts.has_incremental_buffers = false;
        uring_check(&report, &facts);
        assert_found(&report, "io_uring operations", VERDICT_WARN, "MSG_RING");
        assert_found(
                &report, "io_uring features", VERDICT_OK, "not here: incremental buffers (6.12)");
        report_deinit(&report);
}

static void test_uring_switched_off(void **state)
{
        struct report report = { 0 };
        struct uring_facts facts = whole();

        (void)state;
        facts.disabled = "2";
        facts.setup_error = -EPERM;
        uring_check(&report, &facts);
        assert_found(
                &report, "io_uring_disabled", VERDICT_WARN, "sysctl -w kernel.io_uring_disabled=0");
        assert_found(&report, "io_uring_setup", VERDICT_WARN, "see io_uring_disabled");
        assert_int_equal(report.worst, VERDICT_WARN); /* epoll does it */
        report_deinit(&report);
        facts.disabled = "1";
        uring_check(&report, &facts);
        assert_found(&report, "io_uring_disabled", VERDICT_WARN, "privileged");
        report_deinit(&report);
        facts.is_privileged = true;
        facts.setup_error = 0;
        uring_check(&report, &facts);
        assert_int_equal(report.worst, VERDICT_OK);
        report_deinit(&report);
}

static void test_uring_refused(void **state)
{
        static const struct {
                const char *status;
                int error;
                const char *part;
        } cases[] = {
                { "Seccomp:\t2", -EPERM, "seccomp profile" },
                { "Seccomp:\t2", -ENOSYS, "seccomp profile" },
                { "Seccomp:\t0", -EACCES, "security module" },
                { "Seccomp:\t0", -ENOSYS, "CONFIG_IO_URING" },
                { "Seccomp:\t0", -ENOMEM, "memlock" },
                { "Seccomp:\t0", -EMFILE, "nofile" },
                { "Seccomp:\t0", -EIO, "--engine epoll" },
        };
        struct report report = { 0 };
        struct uring_facts facts = whole();

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                facts.status = cases[i].status;
                facts.enter_error = cases[i].error;
                uring_check(&report, &facts);
                assert_found(&report, "io_uring_enter", VERDICT_WARN, cases[i].part);
                assert_found(&report, "io_uring_register", VERDICT_OK, "allowed");
                report_deinit(&report);
        }
        facts.status = NULL;
        uring_check(&report, &facts);
        assert_found(&report, "seccomp", VERDICT_WARN, "/proc");
        report_deinit(&report);
}

static void test_sysctls(void **state)
{
        static const struct {
                const char *name, *text;
                enum verdict verdict;
                const char *part;
        } cases[] = {
                { "net.core.somaxconn", NULL, VERDICT_WARN, "unknown" },
                { "net.core.somaxconn", "128", VERDICT_WARN, "sysctl -w net.core.somaxconn=4096" },
                { "net.core.somaxconn", "4096", VERDICT_OK, "4096" },
                { "net.ipv4.tcp_max_syn_backlog", "128", VERDICT_WARN, "128" },
                { "net.ipv4.tcp_max_syn_backlog", "512", VERDICT_OK, "512" },
                { "net.ipv4.tcp_abort_on_overflow", "1", VERDICT_WARN, "resets" },
                { "net.ipv4.ip_local_port_range", "32768\t60999", VERDICT_OK, "32768 to 60999" },
                { "net.ipv4.ip_local_port_range", "60000\t60999", VERDICT_WARN,
                        "1000 connections" },
                { "net.ipv4.tcp_rmem", "4096\t131072\t6291456", VERDICT_OK, "6144 KiB" },
                { "net.ipv4.tcp_wmem", "4096\t16384\t65536", VERDICT_WARN,
                        "sysctl -w net.ipv4.tcp_wmem" },
                { "net.ipv4.tcp_slow_start_after_idle", "1", VERDICT_OK, "pause" },
                { "fs.file-nr", "3168\t0\t9223372036854775807", VERDICT_OK, "3168" },
                { "fs.file-nr", "900\t0\t1000", VERDICT_WARN, "900" },
                { "fs.file-nr", "1000\t0\t1000", VERDICT_FAIL, "all 1000" },
        };
        struct report report = { 0 };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                for (const struct sysctl *sysctl = sysctls; sysctl->name; sysctl++)
                        if (strcmp(sysctl->name, cases[i].name) == 0) {
                                sysctl->check(&report, sysctl->name, cases[i].text);
                                assert_one(&report, sysctl->name, cases[i].verdict, cases[i].part);
                        }
        /* What a kernel does not have, or a sandbox does not show, has no line. */
        for (const struct sysctl *sysctl = sysctls + 1; sysctl->name; sysctl++) {
                sysctl->check(&report, sysctl->name, NULL);
                sysctl->check(&report, sysctl->name, "");
                sysctl->check(&report, sysctl->name, "x");
        }
        assert_int_equal(report.count, 0);
}

static void test_listen(void **state)
{
        struct report report = { 0 };

        (void)state;
        listen_check(&report, NULL);
        listen_check(&report, "TcpExt: ListenOverflows\n");
        listen_check(&report, "TcpExt: A B\nTcpExt: 1 2\n");
        listen_check(&report, "TcpExt: A ListenOverflows\nTcpExt: 1\nIpExt: C\nIpExt: 5");
        assert_int_equal(report.count, 0);
        listen_check(&report, "TcpExt: A ListenOverflows B\nTcpExt: 1 0 2\nIpExt: C\nIpExt: 5");
        assert_one(&report, "listen queues", VERDICT_OK, "never");
        listen_check(&report, "TcpExt: A ListenOverflows\nTcpExt: 1 12");
        assert_one(&report, "listen queues", VERDICT_WARN, "12 connections");
}

static const char *limits_of(const char *files, const char *locked)
{
        static char text[512];

        snprintf(text, sizeof(text),
                "Limit                     Soft Limit           Hard Limit           Units     \n"
                "Max open files            %-20s 1048576              files     \n"
                "Max locked memory         %-20s 8388608              bytes     \n",
                files, locked);
        return text;
}

static void test_limits(void **state)
{
        struct report report = { 0 };

        (void)state;
        nofile_check(&report, NULL);
        assert_one(&report, "nofile", VERDICT_WARN, "unknown");
        nofile_check(&report, limits_of("20", "1"));
        assert_one(&report, "nofile", VERDICT_FAIL, "ulimit -n");
        nofile_check(&report, limits_of("1024", "1"));
        assert_one(&report, "nofile", VERDICT_WARN, "1024");
        nofile_check(&report, limits_of("65536", "1"));
        assert_one(&report, "nofile", VERDICT_OK, "65536");
        nofile_check(&report, limits_of("unlimited", "1"));
        assert_one(&report, "nofile", VERDICT_OK, "no limit");
        memlock_check(&report, limits_of("1", "unlimited"), false, "6.14");
        assert_one(&report, "memlock", VERDICT_OK, "no limit");
        memlock_check(&report, limits_of("1", "65536"), false, "6.14");
        assert_one(&report, "memlock", VERDICT_WARN, "64 KiB");
        memlock_check(&report, limits_of("1", "65536"), true, "6.14");
        assert_one(&report, "memlock", VERDICT_OK, "64 KiB");
        memlock_check(&report, limits_of("1", "65536"), false, "6.13");
        assert_one(&report, "memlock", VERDICT_OK, "64 KiB");
        memlock_check(&report, limits_of("1", "8388608"), false, "7.1");
        assert_one(&report, "memlock", VERDICT_OK, "count");
}

static void test_cgroup_none(void **state)
{
        struct report report = { 0 };
        struct cgroup cgroup = {
                .path = "/", .memory_max = "max", .pids_max = "max", .cpu_max = "max 100000"
        };

        (void)state;
        assert_false(cgroup_check(&report, &cgroup));
        assert_false(cgroup_check(&report, &(struct cgroup){ .path = "/", .cpu_max = "1 0" }));
        assert_int_equal(report.count, 0);
        assert_null(cgroup_path(NULL));
        assert_null(cgroup_path("4:memory:/a"));
        assert_string_equal(cgroup_path("4:memory:/a\n0::/b/c"), "/b/c");
}

static void test_cgroup_limits(void **state)
{
        struct report report = { 0 };
        struct cgroup cgroup = {
                .path = "/a",
                .memory_max = "1073741824",
                .memory_current = "104857600",
                .memory_events = "low 0\noom 0\noom_kill 0\noom_group_kill 4",
                .pids_max = "100",
                .pids_current = "10",
                .cpu_max = "150000 100000",
                .cpu_stat = "usage_usec 5\nnr_periods 1000\nnr_throttled 10",
        };

        (void)state;
        assert_true(cgroup_check(&report, &cgroup));
        assert_found(&report, "cgroup memory /a", VERDICT_OK, "100 of 1024 MiB");
        assert_found(&report, "cgroup pids /a", VERDICT_OK, "10 of 100");
        assert_found(&report, "cgroup cpu /a", VERDICT_OK, "1.50 CPUs");
        report_deinit(&report);
        cgroup.memory_current = "1063741824";
        cgroup.pids_current = "90";
        cgroup.cpu_stat = "nr_periods 1000\nnr_throttled 500";
        assert_true(cgroup_check(&report, &cgroup));
        assert_found(&report, "cgroup memory /a", VERDICT_WARN, "MemoryMax=");
        assert_found(&report, "cgroup pids /a", VERDICT_WARN, "TasksMax=");
        assert_found(&report, "cgroup cpu /a", VERDICT_WARN, "500 of 1000");
        report_deinit(&report);
        cgroup.memory_events = "oom_kill 3";
        assert_true(cgroup_check(&report, &cgroup));
        assert_found(&report, "cgroup memory /a", VERDICT_WARN, "killed 3");
        report_deinit(&report);
}

static void test_kernel_choices(void **state)
{
        struct report report = { 0 };

        (void)state;
        congestion_check(&report, NULL, NULL);
        assert_int_equal(report.count, 0);
        congestion_check(&report, "reno", "reno cubic");
        assert_one(&report, "congestion control", VERDICT_WARN, "cubic");
        congestion_check(&report, "cubic", "reno bbrx cubic");
        assert_one(&report, "congestion control", VERDICT_OK, "cubic");
        congestion_check(&report, "cubic", "reno cubic bbr");
        assert_one(&report, "congestion control", VERDICT_OK, "bbr is there");
        hugepages_check(&report, NULL);
        assert_one(&report, "transparent huge pages", VERDICT_OK, "none");
        hugepages_check(&report, "[always] madvise never");
        assert_one(&report, "transparent huge pages", VERDICT_WARN, "madvise");
        hugepages_check(&report, "always [madvise] never");
        assert_one(&report, "transparent huge pages", VERDICT_OK, "asks");
        hugepages_check(&report, "always madvise [never]");
        assert_one(&report, "transparent huge pages", VERDICT_OK, "never");
}

/* This machine, whatever it is. */
static void test_here(void **state)
{
        struct report report = { 0 };

        (void)state;
        machine_check(&report);
        found(&report, "kernel");
        found(&report, "io_uring_setup");
        found(&report, "nofile");
        for (size_t i = 0; i < report.count; i++) {
                assert_string_equal(report.findings[i].section, "machine");
                assert_int_equal(report.findings[i].advice[0] == '\0',
                        report.findings[i].verdict == VERDICT_OK);
        }
        report_deinit(&report);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_report),
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_kernel),
                cmocka_unit_test(test_uring_whole),
                cmocka_unit_test(test_uring_switched_off),
                cmocka_unit_test(test_uring_refused),
                cmocka_unit_test(test_sysctls),
                cmocka_unit_test(test_listen),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_cgroup_none),
                cmocka_unit_test(test_cgroup_limits),
                cmocka_unit_test(test_kernel_choices),
                cmocka_unit_test(test_here),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
