/* SPDX-License-Identifier: MIT */
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/program.h"

#define TEXT_BYTES 32

static int up_fd = -1; /* to the keeper */
static int down_fds[2] = { -1,
        -1 }; /* as a keeper: our end, and the successors' end until the first has inherited it */
static int main_fd = -1; /* pidfd of the process that serves */
static pid_t main_pid;
static atomic_bool is_keeper;

/* ---- for a process that has a keeper ---- */

void keeper_read_environment(void)
{
        const char *value = getenv(KEEPER_VARIABLE);
        int fd = value ? atoi(value) : -1, type;
        socklen_t size = sizeof(type);

        unsetenv(KEEPER_VARIABLE);
        if (fd > STDERR_FILENO && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
                type == SOCK_SEQPACKET && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
                up_fd = fd;
}

void keeper_tell_main(void)
{
        char text[TEXT_BYTES];
        int size = snprintf(text, sizeof(text), "M%d", getpid());

        if (up_fd >= 0)
                (void)!send(up_fd, text, (size_t)size, MSG_NOSIGNAL);
}

int keeper_fd(void)
{
        return up_fd;
}

char keeper_read(pid_t *ret_pid)
{
        char text[TEXT_BYTES];
        ssize_t n = recv(up_fd, text, sizeof(text) - 1, MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n <= 0) {
                keeper_leave();
                return 'T';
        }
        text[n] = '\0';
        *ret_pid = (pid_t)strtol(text + 1, NULL, 10);
        return *text;
}

void keeper_leave(void)
{
        if (up_fd >= 0)
                close(up_fd);
        up_fd = -1;
}

/* ---- for the keeper ---- */

/* The first process of a container must not end before the others, whatever systemd knows. */
static bool is_wanted(void)
{
        const char *manager = getenv("NOTIFY_SOCKET");

        return getpid() == 1 || !manager || !*manager;
}

int keeper_prepare(int *ret_fd)
{
        *ret_fd = up_fd;
        if (up_fd >= 0 || !is_wanted())
                return 0;
        if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ||
                socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, down_fds) < 0)
                return -errno;
        *ret_fd = down_fds[1];
        return 0;
}

static void close_fd(int *fd)
{
        if (*fd >= 0)
                close(*fd);
        *fd = -1;
}

static void set_main(pid_t pid)
{
        close_fd(&main_fd);
        main_pid = pid;
        main_fd = (int)syscall(SYS_pidfd_open, pid, 0);
}

void keeper_cancel(void)
{
        close_fd(&down_fds[1]);
        close_fd(&down_fds[0]);
}

bool keeper_begin(pid_t pid)
{
        close_fd(&down_fds[1]);
        if (down_fds[0] < 0) {
                keeper_leave();
                return false;
        }
        set_main(pid);
        atomic_store(&is_keeper, true);
        return true;
}

void keeper_pass_on(char what, pid_t sender)
{
        char text[TEXT_BYTES];
        int size = snprintf(text, sizeof(text), "%c%d", what, sender);

        if (atomic_load(&is_keeper))
                (void)!send(down_fds[0], text, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int keeper_news_fd(void)
{
        return atomic_load(&is_keeper) ? down_fds[0] : -1;
}

int keeper_main_fd(void)
{
        return atomic_load(&is_keeper) ? main_fd : -1;
}

bool keeper_take_news(void)
{
        siginfo_t info = { 0 };
        char text[TEXT_BYTES];
        ssize_t n;

        while ((n = recv(down_fds[0], text, sizeof(text) - 1, MSG_DONTWAIT)) > 0) {
                text[n] = '\0';
                if (*text == 'M')
                        set_main((pid_t)strtol(text + 1, NULL, 10));
        }
        if (main_fd >= 0)
                return poll(&(struct pollfd){ .fd = main_fd, .events = POLLIN }, 1, 0) <= 0;
        /* no descriptor was left for a pidfd; SIGCHLD wakes us nevertheless */
        return waitid(P_PID, (id_t)main_pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
               info.si_pid == 0;
}

/* ---- the rest of a keeper's life ---- */

static void pass_on(const struct signalfd_siginfo *info)
{
        if (info->ssi_signo == SIGTERM || info->ssi_signo == SIGINT)
                keeper_pass_on('T', 0);
        else if (info->ssi_signo == SIGHUP)
                keeper_pass_on('H', 0);
        else if (info->ssi_signo == SIGUSR2)
                keeper_pass_on('U', (pid_t)info->ssi_pid);
}

/* Reaps all children that have ended, except the main one. */
static void reap_others(void)
{
        siginfo_t info = { 0 };

        while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid > 0 &&
                info.si_pid != main_pid) {
                waitpid(info.si_pid, NULL, 0);
                info.si_pid = 0;
        }
}

static int main_status(void)
{
        int status = 0;

        while (waitpid(main_pid, &status, 0) < 0) {
                if (errno != EINTR)
                        return EXIT_FAILURE;
        }
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int open_signals(void)
{
        sigset_t set = program_signals((const int[]){ SIGTERM, SIGINT, SIGHUP, SIGUSR2, 0 });

        sigaddset(&set, SIGCHLD);
        sigprocmask(SIG_BLOCK, &set, NULL);
        return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int keeper_wait(int status)
{
        int signals = atomic_load(&is_keeper) ? open_signals() : -1;

        if (signals < 0)
                return status;
        quoit_log_writer_printf(program_log,
                "process %d has finished its calls; it stays, idle, until the service "
                "(now process %d) ends",
                getpid(), main_pid);
        while (keeper_take_news()) {
                struct pollfd polled[] = {
                        { .fd = signals, .events = POLLIN },
                        { .fd = down_fds[0], .events = POLLIN },
                        { .fd = main_fd, .events = POLLIN },
                };
                struct signalfd_siginfo info;

                reap_others();
                (void)poll(polled, 3, -1);
                while (read(signals, &info, sizeof(info)) == sizeof(info))
                        pass_on(&info);
        }
        return main_status();
}
