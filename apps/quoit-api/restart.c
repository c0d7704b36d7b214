/* SPDX-License-Identifier: MIT */
#include "restart.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/notify.h"
#include "../common/program.h"
#include "../common/sandbox.h"
#include "../common/thread.h"
#include "keeper.h"
#include "reload.h"
#include "stop.h"
#include "successor.h"

static struct {
        pthread_t thread;
        struct restart_options options;
        int signal_fd;
        int end_fd; /* readable when the server has ended */
        int link_fd; /* to the process that has taken over; -1: none */
        bool begun;
        bool is_alone; /* the process that has taken over, and its successors, have ended */
        atomic_bool forbidden;
} restart = { .link_fd = -1 };

bool restart_forbid(void)
{
        return !atomic_exchange(&restart.forbidden, true);
}

/* ---- the outcome ---- */

static void complain(pid_t asker, const char *why)
{
        char text[256];

        program_say(QUOIT_LOG_ERROR, "no restart: %s", why);
        snprintf(text, sizeof(text), "no restart: %s", why);
        notify_reloaded(text);
        reload_answer(asker, why);
}

static void hand_over(struct successor *successor, pid_t asker)
{
        bool is_first = restart_forbid(), keeps;
        pid_t pid = successor->pid;

        restart.link_fd = successor->link_fd;
        keeps = keeper_begin(pid);
        if (!keeps)
                notify_main_pid(pid);
        if (!is_first) { /* this process was stopped meanwhile: the service has to stop */
                kill(pid, SIGTERM);
                reload_answer(asker, "it is stopping");
                return;
        }
        quoit_log_writer_printf(program_log, "process %d has taken over from %d%s", pid, getpid(),
                keeps ? ", which stays, idle, until the service ends: its parent may wait for it"
                      : "");
        quoit_server_drain(restart.options.doors->server, restart.options.drain_ms);
        reload_answer(asker, "");
}

/* ---- messages from other processes ---- */

static void start_over(pid_t asker);

static void hear_keeper(void)
{
        pid_t pid = 0;

        switch (keeper_read(&pid)) {
        case 'T':
                stop_forwarded();
                break;
        case 'H':
                kill(getpid(), SIGHUP);
                break;
        case 'U':
                start_over(pid);
        }
}

/* The process that serves was signalled to stop, so we stop too; or it has ended. */
static void hear_successor(void)
{
        char byte;
        ssize_t n = read(restart.link_fd, &byte, 1);

        if (n == 1)
                stop_forwarded();
        if (n > 0 || (n < 0 && errno == EINTR))
                return;
        close(restart.link_fd);
        restart.link_fd = -1;
}

/* Without it there is no service, and our parent has to see that. */
static void hear_kept(void)
{
        if (restart.is_alone || keeper_take_news())
                return;
        restart.is_alone = true;
        quoit_server_drain(restart.options.doors->server, 0);
}

/* ---- a new process ---- */

static void await(struct successor *successor, pid_t asker)
{
        struct pollfd polled[] = {
                { .fd = successor->link_fd, .events = POLLIN },
                { .fd = restart.end_fd, .events = POLLIN },
        };
        char why[64];
        int r = poll(polled, 2, RESTART_PATIENCE_MS);

        if (r > 0 && polled[0].revents && !polled[1].revents) {
                if (successor_serves(successor, why, sizeof(why))) {
                        hand_over(successor, asker);
                        return;
                }
                keeper_cancel();
                complain(asker, why);
                return;
        }
        successor_kill(successor);
        keeper_cancel();
        complain(asker,
                r == 0 ? "the new process did not start to serve in 30 s" : "it is stopping");
}

static void start_over(pid_t asker)
{
        struct successor successor;
        int keeper, r;

        if (atomic_load(&restart.forbidden)) {
                complain(asker, "it is stopping");
                return;
        }
        if (sandbox_is_on()) {
                complain(asker, "--sandbox permits no new program; stop this one and start it");
                return;
        }
        while (waitpid(-1, NULL, WNOHANG) > 0)
                ; /* left by an attempt that was given up */
        notify_reloading();
        r = keeper_prepare(&keeper);
        if (r == 0)
                r = successor_start(
                        &successor, restart.options.argv, restart.options.doors, keeper);
        if (r == 0) {
                await(&successor, asker);
                return;
        }
        keeper_cancel();
        complain(asker, strerror(-r));
}

static void hear_signal(void)
{
        struct signalfd_siginfo signal;

        if (read(restart.signal_fd, &signal, sizeof(signal)) != sizeof(signal))
                return;
        if (keeper_news_fd() >= 0)
                keeper_pass_on('U', (pid_t)signal.ssi_pid);
        else
                start_over((pid_t)signal.ssi_pid);
}

/* ---- the thread ---- */

static void *watch(void *user)
{
        (void)user;
        for (;;) {
                struct pollfd polled[] = {
                        { .fd = restart.end_fd, .events = POLLIN },
                        { .fd = restart.signal_fd, .events = POLLIN },
                        { .fd = restart.link_fd, .events = POLLIN },
                        { .fd = keeper_fd(), .events = POLLIN },
                        { .fd = restart.is_alone ? -1 : keeper_news_fd(), .events = POLLIN },
                        { .fd = restart.is_alone ? -1 : keeper_main_fd(), .events = POLLIN },
                };

                (void)poll(polled, sizeof(polled) / sizeof(*polled), -1);
                if (polled[0].revents)
                        return NULL;
                if (polled[1].revents)
                        hear_signal();
                if (polled[2].revents)
                        hear_successor();
                if (polled[3].revents)
                        hear_keeper();
                if (polled[4].revents || polled[5].revents)
                        hear_kept();
        }
}

static void close_fds(void)
{
        if (restart.signal_fd >= 0)
                close(restart.signal_fd);
        if (restart.end_fd >= 0)
                close(restart.end_fd);
}

int restart_begin(const struct restart_options *options)
{
        sigset_t set = program_signals((const int[]){ SIGUSR2, 0 });
        int r;

        restart.options = *options;
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
        if (keeper_news_fd() >= 0 && restart.link_fd >= 0) {
                close(restart.link_fd); /* this process ends later; the other one must not wait for that */
                restart.link_fd = -1;
        }
}
