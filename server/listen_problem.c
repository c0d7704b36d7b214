/* SPDX-License-Identifier: MIT */
#include "server/listen_problem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/refusal.h"
#include "server/address.h"

#define VSOCK_PRIVILEGED_PORTS 1024
#define TCP_PRIVILEGED_PORTS 1024 /* where the sysctl cannot be read */

static const struct {
        enum address_kind kind;
        int error;
        const char *text;
} hints[] = {
        { ADDRESS_TCP, -EADDRINUSE,
                "a listener or a connection has this port (ss -atnp shows which); stop it or "
                "choose another port" },
        { ADDRESS_TCP, -EAGAIN, "the host name does not resolve now: no name server answers" },
        { ADDRESS_TCP, -EADDRNOTAVAIL,
                "this machine does not have that address; [::] stands for all that it has" },
        { ADDRESS_TCP, -ENODEV, "there is no such network interface as after the %" },
        { ADDRESS_UNIX, -ENOENT, "its folder does not exist" },
        { ADDRESS_UNIX, -ENOTDIR, "a part of its path is not a folder" },
        { ADDRESS_UNIX, -ELOOP, "its folder is a symbolic link that leads to itself" },
        { ADDRESS_UNIX, -EROFS, "its file system is read-only" },
        { ADDRESS_UNIX, -ENOSPC, "its file system is full" },
        { ADDRESS_UNIX, -EDQUOT, "this user's quota of its file system is used up" },
        { ADDRESS_UNIX, -ENAMETOOLONG, "the path of a unix socket has at most 107 bytes" },
        { ADDRESS_UNIX_ABSTRACT, -EADDRINUSE, "another process listens there" },
        { ADDRESS_UNIX_ABSTRACT, -ENAMETOOLONG, "an abstract name has at most 107 bytes" },
        { ADDRESS_VSOCK, -EADDRINUSE, "another process listens there; choose another port" },
        { ADDRESS_VSOCK, -EADDRNOTAVAIL, "not a CID of this machine; give its own, or any" },
        { ADDRESS_VSOCK, -EAFNOSUPPORT,
                "the kernel has no vsock (modprobe vsock), or a sandbox forbids it "
                "(RestrictAddressFamilies=)" },
        { ADDRESS_FD, -EBADF, "no such descriptor is open; it has to be inherited" },
        { ADDRESS_FD, -ENOTSOCK, "it is not a socket" },
        { ADDRESS_FD, -ESOCKTNOSUPPORT, "it is not a stream socket" },
        { ADDRESS_FD, -EAFNOSUPPORT, "it is neither TCP, unix nor vsock" },
        { ADDRESS_FD, -ENOTCONN, "it does not listen; call listen(2) before it is passed" },
        { ADDRESS_FD, -EEXIST, "this server listens on it already" },
        { ADDRESS_SYSTEMD, -ENOENT,
                "systemd passed no sockets (LISTEN_FDS, LISTEN_PID); start this program by a "
                "socket unit" },
        { ADDRESS_SYSTEMD, -ESRCH, "systemd passed no socket of that name (FileDescriptorName=)" },
        { ADDRESS_SYSTEMD, -EINVAL, "LISTEN_FDS or LISTEN_PID is not a number" },
        { ADDRESS_SYSTEMD, -ENOTCONN, "it does not listen; its unit needs Accept=no" },
        { ADDRESS_SYSTEMD, -ESOCKTNOSUPPORT, "its unit needs ListenStream=" },
        { ADDRESS_SYSTEMD, -EEXIST, "this server listens on it already" },
};

/* For all kinds of address, if nothing above fits. */
static const struct {
        int error;
        const char *text;
} common[] = {
        { -EMFILE, "this process has no file descriptor left; raise RLIMIT_NOFILE (ulimit -n, "
                   "LimitNOFILE=)" },
        { -ENFILE, "the machine has no file descriptor left; raise fs.file-max" },
        { -ENOBUFS, "no memory for a socket: the cgroup or the machine has none left" },
        { -ENOMEM, "no memory for a socket: the cgroup or the machine has none left" },
};

static bool say(char ret_hint[LISTEN_HINT_BYTES], const char *text)
{
        snprintf(ret_hint, LISTEN_HINT_BYTES, "%s", text);
        return true;
}

/* ---- who forbids it ---- */

static bool has_bind_capability(void)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2];

        if (syscall(SYS_capget, &header, data) < 0)
                return false;
        return data[0].effective & 1u << CAP_NET_BIND_SERVICE;
}

static unsigned read_first_port(void)
{
        FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
        unsigned port = TCP_PRIVILEGED_PORTS;

        if (!file)
                return port;
        if (fscanf(file, "%u", &port) != 1)
                port = TCP_PRIVILEGED_PORTS;
        fclose(file);
        return port;
}

/* A port that only a capability opens. */
static bool hint_port(const struct address *address, char ret_hint[LISTEN_HINT_BYTES])
{
        bool is_tcp = address->kind == ADDRESS_TCP;
        unsigned first = is_tcp ? read_first_port() : VSOCK_PRIVILEGED_PORTS;

        if ((!is_tcp && address->kind != ADDRESS_VSOCK) || address->port == 0 ||
                address->port >= first || has_bind_capability())
                return false;
        snprintf(ret_hint, LISTEN_HINT_BYTES,
                "ports below %u need the capability CAP_NET_BIND_SERVICE%s; choose another port",
                first, is_tcp ? " (or a lower net.ipv4.ip_unprivileged_port_start)" : "");
        return true;
}

/* The folder of @path, in place. */
static const char *folder_of(char *path)
{
        char *slash = strrchr(path, '/');

        if (!slash)
                return ".";
        slash[slash == path] = '\0'; /* of "/socket" it is "/" */
        return path;
}

static bool hint_folder(const struct address *address, char ret_hint[LISTEN_HINT_BYTES])
{
        char *path = strdup(address->name);
        bool may = !path || faccessat(AT_FDCWD, folder_of(path), W_OK | X_OK, AT_EACCESS) == 0;

        free(path);
        return !may && say(ret_hint, "this user may not write to its folder");
}

/* EACCES, EPERM or ENOSYS that the rules for ports and files do not explain. */
static bool hint_policy(int error, char ret_hint[LISTEN_HINT_BYTES])
{
        struct refusal_facts facts;

        refusal_facts_read(&facts);
        snprintf(ret_hint, LISTEN_HINT_BYTES,
                "denied by %sa security policy such as Landlock, SELinux or AppArmor%s; allow it "
                "there",
                facts.has_seccomp || !facts.proc_known ? "a seccomp filter or " : "",
                error == -EPERM ? ", or a BPF program of the cgroup" : "");
        return true;
}

/* ---- what is there ---- */

static bool hint_taken_path(const char *path, char ret_hint[LISTEN_HINT_BYTES])
{
        struct stat status;

        if (lstat(path, &status) == 0 && !S_ISSOCK(status.st_mode))
                return say(ret_hint,
                        "the file there is not a socket; remove it or choose another path");
        return say(ret_hint, "another process listens there; stop it or choose another path");
}

/* As in /tmp, a folder with the sticky bit. */
static bool hint_owner(const char *path, char ret_hint[LISTEN_HINT_BYTES])
{
        struct stat status;

        return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode) &&
               status.st_uid != geteuid() &&
               say(ret_hint, "an unused socket of another user is there; remove it");
}

static bool hint_family(const struct address *address, char ret_hint[LISTEN_HINT_BYTES])
{
        if (address->kind == ADDRESS_TCP && strchr(address->host, ':'))
                return say(ret_hint,
                        "the kernel has no IPv6 (ipv6.disable=1), or a sandbox forbids it "
                        "(RestrictAddressFamilies=); 0.0.0.0 stands for all IPv4 addresses");
        return say(ret_hint, "a sandbox forbids sockets of this kind (RestrictAddressFamilies=)");
}

static bool is_link_local(const char *host)
{
        return strncasecmp(host, "fe8", 3) == 0 || strncasecmp(host, "fe9", 3) == 0 ||
               strncasecmp(host, "fea", 3) == 0 || strncasecmp(host, "feb", 3) == 0;
}

/* An IPv6 address with something behind a % was looked up as a name. */
static bool hint_unknown_host(const char *host, char ret_hint[LISTEN_HINT_BYTES])
{
        const char *zone = strchr(host, '%');

        if (!zone || !strchr(host, ':'))
                return say(ret_hint, "the host name does not resolve");
        if (is_link_local(host))
                return say(ret_hint, "there is no such network interface as that behind the %");
        return say(ret_hint, "only an address of one link (fe80::) has a % and an interface");
}

static bool hint_invalid(const char *host, char ret_hint[LISTEN_HINT_BYTES])
{
        if (is_link_local(host) && !strchr(host, '%'))
                return say(
                        ret_hint, "a link-local address needs its interface, as in [fe80::1%eth0]");
        return say(ret_hint, "not an address that a TCP socket can have");
}

/* Hints that need a look at the machine. */
static bool hint_looked_up(
        const struct address *address, int error, char ret_hint[LISTEN_HINT_BYTES])
{
        bool is_path = address->kind == ADDRESS_UNIX;

        switch (error) {
        case -EACCES:
                return hint_port(address, ret_hint) ||
                       (is_path && hint_folder(address, ret_hint)) || hint_policy(error, ret_hint);
        case -EPERM:
                return (is_path && hint_owner(address->name, ret_hint)) ||
                       hint_policy(error, ret_hint);
        case -ENOSYS: /* all kernels with io_uring have these calls, so a filter forbids them */
                return hint_policy(error, ret_hint);
        case -EADDRINUSE:
                return is_path && hint_taken_path(address->name, ret_hint);
        case -EAFNOSUPPORT:
                return hint_family(address, ret_hint);
        case -ENXIO:
                return address->kind == ADDRESS_TCP && hint_unknown_host(address->host, ret_hint);
        case -EINVAL:
                return address->kind == ADDRESS_TCP && hint_invalid(address->host, ret_hint);
        default:
                return false;
        }
}

bool listen_hint(const struct address *address, int error, char ret_hint[LISTEN_HINT_BYTES])
{
        for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++) {
                if (hints[i].kind == address->kind && hints[i].error == error)
                        return say(ret_hint, hints[i].text);
        }
        for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++) {
                if (common[i].error == error)
                        return say(ret_hint, common[i].text);
        }
        return hint_looked_up(address, error, ret_hint);
}
