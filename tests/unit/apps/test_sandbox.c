/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../../apps/common/sandbox_calls.h"
#include "../../../apps/common/sandbox_files.h"

/* A sandbox is for good: each test has a child for it, which ends with the number of the first line that is wrong. */
#define CHECK(condition)                                                                           \
        do {                                                                                       \
                if (!(condition))                                                                  \
                        _exit(__LINE__ % 200 + 1);                                                 \
        } while (0)
#define REFUSED(call) CHECK((call) < 0 && errno == EPERM)

static char folder[] = P_tmpdir "/quoit-sandbox-XXXXXX";

static void in_child(void (*checks)(void))
{
        int status;
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0) {
                checks();
                _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- system calls ---- */

static void *nothing(void *argument)
{
        return argument;
}

static void check_calls(void)
{
        char *const words[] = { "/bin/true", NULL };
        pthread_t thread;
        void *page;

        CHECK(sandbox_restrict_calls(true) == 0);
        REFUSED(execv(words[0], words));
        REFUSED(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
        CHECK(syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS);
        REFUSED(unshare(CLONE_NEWUSER));
        REFUSED(syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0));
        REFUSED(syscall(SYS_bpf, 0, NULL, 0));
        REFUSED(socket(AF_PACKET, SOCK_RAW, 0));
        CHECK(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                MAP_FAILED);
        page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(page != MAP_FAILED);
        REFUSED(mprotect(page, 4096, PROT_READ | PROT_EXEC));
        REFUSED(open("/dev/null", O_WRONLY | O_TRUNC));
        CHECK(open("/dev/null", O_WRONLY) >= 0);
        CHECK(syscall(SYS_landlock_restrict_self + 1000, 0) < 0 && errno == ENOSYS);
        CHECK(syscall(SYS_io_uring_setup, 0, NULL) < 0 && errno != EPERM);
        CHECK(if_nametoindex("lo") > 0);
        CHECK(socket(AF_INET, SOCK_STREAM, 0) >= 0);
        CHECK(pthread_create(&thread, NULL, nothing, NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
}

static void check_epoll(void)
{
        CHECK(sandbox_restrict_calls(false) == 0);
        REFUSED(syscall(SYS_io_uring_setup, 0, NULL));
        CHECK(epoll_create1(0) >= 0);
}

static void test_calls(void **state)
{
        (void)state;
        in_child(check_calls);
        in_child(check_epoll);
}

/* ---- files ---- */

static void check_files(void)
{
        char log[64], address[80];
        const char *const sockets[] = { "127.0.0.1:0", address };
        struct sandbox_paths paths = { .log = "-", .sockets = sockets, .socket_count = 2 };
        int r;

        snprintf(log, sizeof(log), "%s/log", folder);
        snprintf(address, sizeof(address), "unix:%s/socket", folder);
        r = sandbox_restrict_files(&paths);
        CHECK(r == 0);
        CHECK(open("/proc/self/status", O_RDONLY) >= 0);
        CHECK(open(log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 && errno == EACCES);
        CHECK(open("/dev/null", O_WRONLY) < 0 && errno == EACCES);
        CHECK(execl("/bin/true", "true", NULL) < 0 && errno == EACCES);
}

static void check_log(void)
{
        char log[64], other[64];
        struct sandbox_paths paths = { .log = log };

        snprintf(log, sizeof(log), "%s/log", folder);
        snprintf(other, sizeof(other), "%s/../quoit-sandbox-other", folder);
        CHECK(sandbox_restrict_files(&paths) == 0);
        CHECK(open(log, O_WRONLY | O_APPEND | O_CREAT, 0600) >= 0);
        CHECK(open(other, O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
        CHECK(unlink(log) < 0 && errno == EACCES);
}

static void test_files(void **state)
{
        char log[64];

        (void)state;
        if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 0)
                skip();
        assert_non_null(mkdtemp(folder));
        in_child(check_files);
        in_child(check_log);
        snprintf(log, sizeof(log), "%s/log", folder);
        unlink(log);
        rmdir(folder);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_calls),
                cmocka_unit_test(test_files),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
