/* SPDX-License-Identifier: MIT */
#include "core/bind.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

/* @path: the file that gets the mode; NULL: none. */
static int bind_and_listen(int fd, const struct sockaddr *address, socklen_t size,
        const struct bind_options *options, const char *path)
{
        if (bind(fd, address, size) < 0)
                return -errno;
        /* before listen(): nobody can connect while the mode is still another one */
        if (path && options && options->unix_mode && chmod(path, options->unix_mode) < 0)
                return -errno;
        return listen(fd, bind_backlog(options)) < 0 ? -errno : 0;
}

static int open_listening(const struct sockaddr *address, socklen_t size,
        const struct bind_options *options, const char *path, int *ret_fd)
{
        int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int r;

        if (fd < 0)
                return -errno;
        r = bind_and_listen(fd, address, size, options, path);
        if (r < 0) {
                close(fd);
                return r;
        }
        *ret_fd = fd;
        return 0;
}

/* A socket that no process listens on any more, left by one that has ended. */
static bool is_stale(const struct sockaddr_un *address)
{
        struct stat status;
        bool refused;
        int fd;

        if (lstat(address->sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
                return false;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return false;
        refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
                  errno == ECONNREFUSED;
        close(fd);
        return refused;
}

int bind_unix(const char *path, const struct bind_options *options, int *ret_fd)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        if (is_stale(&address) && unlink(path) < 0 && errno != ENOENT)
                return -errno;
        return open_listening((struct sockaddr *)&address, sizeof(address), options, path, ret_fd);
}

int bind_unix_abstract(const char *name, const struct bind_options *options, int *ret_fd)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        size_t size = strlen(name);

        if (size >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        /* a zero byte, then the name, without a zero at its end */
        memcpy(address.sun_path + 1, name, size);
        size += offsetof(struct sockaddr_un, sun_path) + 1;
        return open_listening((struct sockaddr *)&address, (socklen_t)size, options, NULL, ret_fd);
}

int bind_vsock(uint32_t cid, uint32_t port, const struct bind_options *options, int *ret_fd)
{
        struct sockaddr_vm address = {
                .svm_family = AF_VSOCK,
                .svm_cid = cid,
                .svm_port = port,
        };

        return open_listening((struct sockaddr *)&address, sizeof(address), options, NULL, ret_fd);
}
