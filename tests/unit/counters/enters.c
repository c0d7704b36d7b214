/* SPDX-License-Identifier: MIT */
#include "enters.h"

#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif

static atomic_ullong enters;

uint64_t enters_now(void)
{
        return atomic_load(&enters);
}

#if defined(__x86_64__)

/* The part of libc that runs: calls from there, the handler's and its return among them, pass. */
struct text {
        uintptr_t start;
        size_t size;
};

static int find_libc(struct dl_phdr_info *object, size_t size, void *user)
{
        uintptr_t inside = (uintptr_t)syscall;
        struct text *ret_text = user;

        (void)size;
        for (unsigned i = 0; i < object->dlpi_phnum; i++) {
                uintptr_t start = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;

                if (object->dlpi_phdr[i].p_type == PT_LOAD && inside >= start &&
                        inside - start < object->dlpi_phdr[i].p_memsz) {
                        *ret_text = (struct text){ start, object->dlpi_phdr[i].p_memsz };
                        return 1;
                }
        }
        return 0;
}

static void on_syscall(int signal_number, siginfo_t *info, void *context)
{
        greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
        int error = errno;
        long r;

        (void)signal_number;
        if (info->si_syscall == SYS_io_uring_enter)
                atomic_fetch_add(&enters, 1);
        r = syscall(info->si_syscall, registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
                registers[REG_R10], registers[REG_R8], registers[REG_R9]);
        registers[REG_RAX] = r < 0 ? -errno : r;
        errno = error;
}

int enters_watch_this_thread(void)
{
        static _Thread_local char always = 1; /* SYSCALL_DISPATCH_FILTER_BLOCK: hand them over */
        struct sigaction action = { .sa_sigaction = on_syscall, .sa_flags = SA_SIGINFO };
        struct text libc;
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGSYS); /* which the library's own threads block */
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        if (!dl_iterate_phdr(find_libc, &libc) || sigaction(SIGSYS, &action, NULL) < 0)
                return -ENOSYS;
        if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, libc.start, libc.size,
                    &always) < 0)
                return -ENOSYS;
        return 0;
}

#else

int enters_watch_this_thread(void)
{
        return -ENOSYS;
}

#endif
