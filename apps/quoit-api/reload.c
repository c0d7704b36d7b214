/* SPDX-License-Identifier: MIT */
#include "reload.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "../common/program.h"
#include "restart.h"

#define WHY_BYTES 256
#define PATIENCE_MS (RESTART_PATIENCE_MS + 10000)

/* The address on which process @pid receives the answer: an abstract socket. */
static socklen_t make_address(struct sockaddr_un *ret_address, pid_t pid)
{
        *ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
        snprintf(ret_address->sun_path + 1, sizeof(ret_address->sun_path) - 1,
                "quoit-api-reload-%d", pid);
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
                           strlen(ret_address->sun_path + 1));
}

void reload_answer(pid_t sender, const char *why)
{
        struct sockaddr_un address;
        socklen_t size = make_address(&address, sender);
        int fd = sender > 0 ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;

        if (fd < 0)
                return;
        (void)!sendto(fd, why, strlen(why), MSG_NOSIGNAL | MSG_DONTWAIT,
                (struct sockaddr *)&address, size);
        close(fd);
}

static int open_inbox(void)
{
        struct sockaddr_un address;
        socklen_t size = make_address(&address, getpid());
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
                bind(fd, (struct sockaddr *)&address, size) < 0)
                return -errno;
        return fd;
}

/* Anybody can send to it: only a message from the server's user is an answer. False: it was not one. */
static bool read_answer(int fd, uid_t uid, char ret_why[WHY_BYTES])
{
        char control[CMSG_SPACE(sizeof(struct ucred))];
        struct iovec iovec = { ret_why, WHY_BYTES - 1 };
        struct msghdr message = { .msg_iov = &iovec,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = sizeof(control) };
        ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        struct ucred sender;

        if (n < 0 || !head || head->cmsg_type != SCM_CREDENTIALS)
                return false;
        memcpy(&sender, CMSG_DATA(head), sizeof(sender));
        ret_why[n] = '\0';
        return sender.uid == uid;
}

static bool find_uid(pid_t pid, uid_t *ret_uid)
{
        char path[32];
        struct stat status;

        snprintf(path, sizeof(path), "/proc/%d", pid);
        if (stat(path, &status) < 0)
                return false;
        *ret_uid = status.st_uid;
        return true;
}

static int fail(pid_t pid, const char *why)
{
        program_say(QUOIT_LOG_ERROR, "process %d was not replaced: %s", pid, why);
        return EXIT_FAILURE;
}

int reload(pid_t pid)
{
        struct pollfd polled[] = { { .fd = open_inbox(), .events = POLLIN },
                { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN } };
        char why[WHY_BYTES] = "";
        uid_t uid;
        int r;

        if (polled[0].fd < 0)
                return fail(pid, strerror(-polled[0].fd));
        if (!find_uid(pid, &uid) || kill(pid, SIGUSR2) < 0)
                return fail(pid, strerror(errno));
        do
                r = poll(polled, 2, PATIENCE_MS);
        while (r > 0 && polled[0].revents && !read_answer(polled[0].fd, uid, why));
        if (r <= 0)
                return fail(pid, "it does not answer");
        if (!polled[0].revents)
                return fail(pid, "it has ended");
        return *why ? fail(pid, why) : EXIT_SUCCESS;
}
