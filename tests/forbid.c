/* SPDX-License-Identifier: MIT */

/*
 * forbid WHAT... -- PROGRAM [ARGUMENT...]: runs the program where something is really forbidden, as a container, a sandbox or
 * an operator does it. WHAT is one of:
 *      CALL=ERRNO      a seccomp filter that answers a system call so, such as io_uring_enter=EPERM
 *      container       what Docker's default seccomp profile forbids to who has no capabilities, io_uring among it
 *      landlock        no TCP port may be bound, by Landlock
 *      memlock=KIB     RLIMIT_MEMLOCK, and no CAP_IPC_LOCK
 *      capability=N    not in the bounding set, so that root has none after the exec
 *      as=KIB, nofile=N, nproc=N
 *      uid=N           another user
 */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ERRNO_MAX 133

static const struct {
        const char *name;
        unsigned number;
} calls[] = {
        { "io_uring_setup", SYS_io_uring_setup },
        { "io_uring_enter", SYS_io_uring_enter },
        { "io_uring_register", SYS_io_uring_register },
        { "socket", SYS_socket },
        { "setsockopt", SYS_setsockopt },
        { "bind", SYS_bind },
        { "listen", SYS_listen },
};

static void check(int r, const char *what)
{
        if (r < 0) {
                fprintf(stderr, "forbid: %s: %s\n", what, strerror(errno));
                exit(125);
        }
}

/* moby's profiles/seccomp/default.json lists what is allowed. All else is EPERM; these are what is left of it on x86-64 and
 * arm64 alike. */
static const unsigned contained[] = {
        SYS_acct,
        SYS_add_key,
        SYS_bpf,
        SYS_clock_adjtime,
        SYS_clock_settime,
        SYS_delete_module,
        SYS_fanotify_init,
        SYS_finit_module,
        SYS_fsconfig,
        SYS_fsmount,
        SYS_fsopen,
        SYS_fspick,
        SYS_get_mempolicy,
        SYS_init_module,
        SYS_io_uring_enter,
        SYS_io_uring_register,
        SYS_io_uring_setup,
        SYS_kcmp,
        SYS_kexec_load,
        SYS_keyctl,
        SYS_lookup_dcookie,
        SYS_mbind,
        SYS_mount,
        SYS_mount_setattr,
        SYS_move_mount,
        SYS_move_pages,
        SYS_nfsservctl,
        SYS_open_by_handle_at,
        SYS_open_tree,
        SYS_perf_event_open,
        SYS_pivot_root,
        SYS_quotactl,
        SYS_reboot,
        SYS_request_key,
        SYS_set_mempolicy,
        SYS_setdomainname,
        SYS_sethostname,
        SYS_setns,
        SYS_settimeofday,
        SYS_swapoff,
        SYS_swapon,
        SYS_syslog,
        SYS_umount2,
        SYS_unshare,
        SYS_userfaultfd,
        SYS_vhangup,
};

static unsigned errno_of(const char *name)
{
        for (int error = 1; error <= ERRNO_MAX; error++) {
                if (strerrorname_np(error) && strcmp(strerrorname_np(error), name) == 0)
                        return (unsigned)error;
        }
        errno = EINVAL;
        check(-1, name);
        return 0;
}

static void forbid_call(unsigned number, unsigned error)
{
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { .len = 4, .filter = filter };

        check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
        check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
}

static void contain(void)
{
        for (size_t i = 0; i < sizeof(contained) / sizeof(*contained); i++)
                forbid_call(contained[i], EPERM);
        forbid_call(SYS_clone3,
                ENOSYS); /* so that libc takes clone(), whose flags the profile looks at */
}

static void forbid_bind(void)
{
        struct landlock_ruleset_attr attributes = {
                .handled_access_net = LANDLOCK_ACCESS_NET_BIND_TCP,
        };
        long fd = syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);

        check((int)fd, "landlock");
        check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
        check((int)syscall(SYS_landlock_restrict_self, fd, 0), "landlock");
        close((int)fd);
}

static void limit(int resource, rlim_t value)
{
        check(setrlimit(resource, &(struct rlimit){ value, value }), "setrlimit");
}

static void forbid_memory(rlim_t bytes)
{
        (void)prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK); /* who may not drop it has none */
        limit(RLIMIT_MEMLOCK, bytes);
}

static void become(uid_t uid)
{
        check(setgroups(0, NULL), "setgroups");
        check(setgid(uid), "setgid");
        check(setuid(uid), "setuid");
}

static void forbid(char *what)
{
        char *value = strchr(what, '=');
        unsigned long number;

        if (strcmp(what, "landlock") == 0) {
                forbid_bind();
                return;
        }
        if (strcmp(what, "container") == 0) {
                contain();
                return;
        }
        if (!value) {
                errno = EINVAL;
                check(-1, what);
        }
        *value++ = '\0';
        number = strtoul(value, NULL, 10);
        if (strcmp(what, "memlock") == 0)
                forbid_memory(number * 1024);
        else if (strcmp(what, "capability") == 0)
                check(prctl(PR_CAPBSET_DROP, number), "capability");
        else if (strcmp(what, "as") == 0)
                limit(RLIMIT_AS, number * 1024);
        else if (strcmp(what, "nofile") == 0)
                limit(RLIMIT_NOFILE, number);
        else if (strcmp(what, "nproc") == 0)
                limit(RLIMIT_NPROC, number);
        else if (strcmp(what, "uid") == 0)
                become((uid_t)number);
        else
                for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
                        if (strcmp(what, calls[i].name) == 0) {
                                forbid_call(calls[i].number, errno_of(value));
                                return;
                        }
                }
}

int main(int argc, char **argv)
{
        int i;

        for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
                forbid(argv[i]);
        if (i + 1 >= argc) {
                fprintf(stderr, "usage: forbid WHAT... -- PROGRAM [ARGUMENT...]\n");
                return 125;
        }
        execv(argv[i + 1], argv + i + 1);
        check(-1, argv[i + 1]);
}
