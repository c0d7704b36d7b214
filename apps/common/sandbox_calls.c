/* SPDX-License-Identifier: MIT */
#include "sandbox_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv)
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#endif

/* Of the kernel's interface, what serving takes, often or once. Files: as far as Landlock lets them. */
/* clang-format off */
static const uint32_t permitted[] = {
        /* what a call takes, often */
        SYS_epoll_pwait, SYS_futex, SYS_read, SYS_write, SYS_readv, SYS_writev,
        SYS_recvfrom, SYS_recvmsg, SYS_sendto, SYS_sendmsg, SYS_clock_gettime, SYS_getrandom,
        /* sockets */
        SYS_socketpair,
        SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_connect, SYS_shutdown, SYS_getsockname,
        SYS_getpeername, SYS_setsockopt, SYS_getsockopt, SYS_recvmmsg, SYS_sendmmsg,
        /* descriptors */
        SYS_epoll_create1, SYS_epoll_ctl,
        SYS_ppoll, SYS_pselect6, SYS_eventfd2, SYS_timerfd_create, SYS_timerfd_settime, SYS_timerfd_gettime,
        SYS_signalfd4, SYS_pipe2, SYS_close, SYS_close_range, SYS_dup, SYS_dup3, SYS_fcntl,
        /* files, as far as Landlock lets them */
        SYS_fstat, SYS_lseek, SYS_pread64, SYS_getdents64, SYS_readlinkat,
        SYS_faccessat, SYS_unlinkat, SYS_fchmodat, SYS_fchmod, SYS_statx, SYS_getcwd, SYS_fsync, SYS_fdatasync,
        /* memory, but none to run as code */
        SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk,
        SYS_mlock, SYS_munlock, SYS_membarrier, SYS_mincore,
        /* threads, but no processes */
        SYS_set_robust_list, SYS_get_robust_list, SYS_set_tid_address,
        SYS_gettid, SYS_getpid, SYS_getppid, SYS_exit, SYS_exit_group, SYS_prctl, SYS_sched_yield,
        SYS_sched_getaffinity, SYS_sched_setaffinity, SYS_sched_getparam, SYS_sched_getscheduler, SYS_sched_get_priority_max,
        SYS_sched_get_priority_min,
        /* signals */
        SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigtimedwait, SYS_rt_sigpending, SYS_sigaltstack,
        SYS_kill, SYS_tgkill, SYS_restart_syscall, SYS_wait4, SYS_waitid,
        /* what time it is, who and where this is */
        SYS_clock_nanosleep, SYS_nanosleep, SYS_clock_getres, SYS_gettimeofday, SYS_uname, SYS_sysinfo,
        SYS_getrusage, SYS_prlimit64, SYS_times, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
#ifdef SYS_newfstatat
        SYS_newfstatat,
#endif
#ifdef SYS_rseq
        SYS_rseq,
#endif
#ifdef SYS_epoll_pwait2
        SYS_epoll_pwait2,
#endif
#ifdef SYS_faccessat2
        SYS_faccessat2,
#endif
#ifdef SYS_open /* x86 has older ones too */
        SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_unlink, SYS_chmod, SYS_poll, SYS_select,
        SYS_epoll_wait, SYS_pipe, SYS_dup2, SYS_time, SYS_arch_prctl,
#endif
};
/* clang-format on */

static const uint32_t io_uring_calls[] = { SYS_io_uring_setup, SYS_io_uring_enter,
        SYS_io_uring_register };

/* Numbers beyond are of newer kernels: libc falls back on older calls, but for ENOSYS only. */
#define NEWEST_CALL SYS_landlock_restrict_self

/* Permitted where the low half of argument @argument, of the bits in @mask, is @value. */
static const struct condition {
        uint32_t number;
        uint32_t argument, mask, value;
} conditions[] = {
        { SYS_socket, 0, UINT32_MAX, AF_INET },
        { SYS_socket, 0, UINT32_MAX, AF_INET6 },
        { SYS_socket, 0, UINT32_MAX, AF_UNIX },
        { SYS_socket, 0, UINT32_MAX, AF_VSOCK },
        { SYS_socket, 0, UINT32_MAX, AF_NETLINK },
        /* which number an interface has, as in [fe80::1%eth0] */
        { SYS_ioctl, 1, UINT32_MAX, SIOCGIFINDEX },
        { SYS_ioctl, 1, UINT32_MAX, SIOCGIFNAME },
        /* no file is emptied: older versions of Landlock do not see that */
        { SYS_openat, 2, O_TRUNC, 0 },
#ifdef SYS_open
        { SYS_open, 1, O_TRUNC, 0 },
#endif
        /* no memory to run as code */
        { SYS_mmap, 2, PROT_EXEC, 0 },
        { SYS_mprotect, 2, PROT_EXEC, 0 },
        /* threads, but no processes */
        { SYS_clone, 0, CLONE_THREAD, CLONE_THREAD },
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define PERMIT BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
/* Skips @count instructions unless what is loaded is @value. */
#define UNLESS(value, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (count))

struct filter {
        struct sock_filter
                code[10 + 2 * COUNT(permitted) + 2 * COUNT(io_uring_calls) + 6 * COUNT(conditions)];
        unsigned short size;
};

static void add(struct filter *filter, struct sock_filter instruction)
{
        filter->code[filter->size++] = instruction;
}

static void add_number(struct filter *filter)
{
        add(filter, (struct sock_filter)LOAD(offsetof(struct seccomp_data, nr)));
}

/* For these two the number is loaded, before and after. */

static void add_permitted(struct filter *filter, uint32_t number)
{
        add(filter, (struct sock_filter)UNLESS(number, 1));
        add(filter, (struct sock_filter)PERMIT);
}

static void add_condition(struct filter *filter, const struct condition *condition)
{
        /* all of these machines are little-endian: the low half is first */
        uint32_t argument = offsetof(struct seccomp_data, args) + 8 * condition->argument;

        add(filter, (struct sock_filter)UNLESS(condition->number, 5));
        add(filter, (struct sock_filter)LOAD(argument));
        add(filter, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, condition->mask));
        add(filter, (struct sock_filter)UNLESS(condition->value, 1));
        add(filter, (struct sock_filter)PERMIT);
        add_number(filter);
}

#ifdef ARCHITECTURE
int sandbox_restrict_calls(bool io_uring)
{
        struct filter filter = { .size = 0 };
        struct sock_fprog program = { .filter = filter.code };
        long r;

        add(&filter, (struct sock_filter)LOAD(offsetof(struct seccomp_data, arch)));
        add(&filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
        add(&filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
        add_number(&filter);
        for (unsigned i = 0; i < COUNT(permitted); i++)
                add_permitted(&filter, permitted[i]);
        for (unsigned i = 0; io_uring && i < COUNT(io_uring_calls); i++)
                add_permitted(&filter, io_uring_calls[i]);
        for (unsigned i = 0; i < COUNT(conditions); i++)
                add_condition(&filter, &conditions[i]);
        /* its flags are behind a pointer, where no filter sees them: libc falls back on clone() */
        add(&filter, (struct sock_filter)UNLESS(SYS_clone3, 1));
        add(&filter, (struct sock_filter)REFUSE(ENOSYS));
        add(&filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, NEWEST_CALL, 0, 1));
        add(&filter, (struct sock_filter)REFUSE(ENOSYS));
        add(&filter, (struct sock_filter)REFUSE(EPERM));
        program.len = filter.size;
        r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
        if (r != 0) /* positive: the thread that cannot have it, as it has a filter of its own */
                return r > 0 ? -ESRCH : -errno;
        return 0;
}
#else
int sandbox_restrict_calls(bool io_uring)
{
        (void)io_uring;
        return -ENOSYS;
}
#endif
