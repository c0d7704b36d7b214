/* SPDX-License-Identifier: MIT */
#include "restart.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../common/program.h"
#include "../common/thread.h"
#include "notify.h"
#include "successor.h"

#define PATIENCE_MS 30000 /* for a new process to come up */

static struct {
        pthread_t thread;
        char **argv;
        const struct doors *doors;
        int signal_fd;
        int end_fd; /* readable when the server has ended */
        bool begun;
        atomic_bool forbidden;
} restart;

static void complain(const char *why)
{
        program_say(QUOIT_LOG_ERROR, "no restart: %s", why);
}

bool restart_forbid(void)
{
        return !atomic_exchange(&restart.forbidden, true);
}

static void hand_over(pid_t pid)
{
        if (!restart_forbid()) {
                kill(pid, SIGTERM); /* who has stopped this one meanwhile means the service */
                return;
        }
        notify_main_pid(pid);
        quoit_log_writer_printf(program_log, "process %d has taken over from %d", pid, getpid());
        quoit_server_stop(restart.doors->server);
}

static void await(struct successor *successor)
{
        struct pollfd polled[] = {
                { .fd = successor->ready_fd, .events = POLLIN },
                { .fd = restart.end_fd, .events = POLLIN },
        };
        pid_t pid = successor->pid;
        char why[64];
        int r = poll(polled, 2, PATIENCE_MS);

        if (r > 0 && polled[0].revents && !polled[1].revents) {
                if (successor_has_come(successor, why, sizeof(why)))
                        hand_over(pid);
                else
                        complain(why);
                return;
        }
        successor_kill(successor);
        if (r == 0)
                complain("the new one did not come up in 30 s");
}

static void start_over(void)
{
        struct successor successor;
        int r;

        if (atomic_load(&restart.forbidden)) {
                complain("it is stopping");
                return;
        }
        if (getpid() == 1) {
                complain("as process 1 it can't end before its container does");
                return;
        }
        r = successor_start(&successor, restart.argv, restart.doors);
        if (r < 0)
                complain(strerror(-r));
        else
                await(&successor);
}

static void *watch(void *user)
{
        struct pollfd polled[] = {
                { .fd = restart.end_fd, .events = POLLIN },
                { .fd = restart.signal_fd, .events = POLLIN },
        };

        (void)user;
        for (;;) {
                struct signalfd_siginfo signal;

                (void)poll(polled, 2, -1);
                if (polled[0].revents)
                        return NULL;
                if (read(restart.signal_fd, &signal, sizeof(signal)) == sizeof(signal))
                        start_over();
        }
}

static void close_fds(void)
{
        if (restart.signal_fd >= 0)
                close(restart.signal_fd);
        if (restart.end_fd >= 0)
                close(restart.end_fd);
}

int restart_begin(char **argv, const struct doors *doors)
{
        sigset_t set = program_signals((const int[]){ SIGUSR2, 0 });
        int r;

        restart.argv = argv;
        restart.doors = doors;
        restart.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        restart.end_fd = eventfd(0, EFD_CLOEXEC);
        r = restart.signal_fd < 0 || restart.end_fd < 0
                    ? -errno
                    : thread_start(&restart.thread, watch, NULL);
        restart.begun = r == 0;
        if (r < 0)
                close_fds();
        return r;
}

void restart_end(void)
{
        uint64_t one = 1;

        if (!restart.begun)
                return;
        (void)!write(restart.end_fd, &one, sizeof(one));
        pthread_join(restart.thread, NULL);
        close_fds();
}
