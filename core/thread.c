/* SPDX-License-Identifier: MIT */
#include "core/thread.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"

#define NAME_BYTES 16 /* all that the kernel keeps, a NUL included */

static void name_thread(pthread_t thread, const char *what, unsigned number)
{
        char name[NAME_BYTES];

        snprintf(name, sizeof(name), "%s %u", what, number);
        (void)pthread_setname_np(thread, name); /* nothing depends on it */
}

int thread_start_named(pthread_t *ret_thread, const char *what, unsigned number,
        void *(*run)(void *user), void *user)
{
        sigset_t all, old;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        r = -pthread_create(ret_thread, NULL, run, user);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        if (r == 0)
                name_thread(*ret_thread, what, number);
        return r;
}

/* The process's name, which threads that nobody has named inherit; empty where /proc is not there. */
static void read_process_name(char name[NAME_BYTES])
{
        char path[32];
        ssize_t size = 0;
        int fd;

        snprintf(path, sizeof(path), "/proc/self/task/%d/comm", (int)getpid());
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
                size = read(fd, name, NAME_BYTES - 1);
                close(fd);
        }
        name[size > 0 ? size : 0] = '\0';
        name[strcspn(name, "\n")] = '\0';
}

void thread_name_caller(const char *what, unsigned number)
{
        char own[NAME_BYTES], process[NAME_BYTES];

        if (gettid() == getpid() || pthread_getname_np(pthread_self(), own, sizeof(own)) != 0)
                return;
        read_process_name(process);
        if (strcmp(own, process) == 0)
                name_thread(pthread_self(), what, number);
}

/* The kernel's number for the clock of a thread, which glibc has for a pthread_t only: that of a thread that has ended is not to be used. */
#define THREAD_CPU_CLOCK(tid) ((clockid_t)(~(unsigned)(tid) << 3 | 6))

uint64_t thread_cpu_ns(pid_t tid)
{
        struct timespec used;

        if (tid <= 0 || clock_gettime(THREAD_CPU_CLOCK(tid), &used) < 0)
                return 0;
        return (uint64_t)used.tv_sec * NS_PER_S + (uint64_t)used.tv_nsec;
}
