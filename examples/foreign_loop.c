/* SPDX-License-Identifier: MIT */
/*
 * A server in the program's own event loop, together with other events: here epoll, with a clock and signals. Greet answers how
 * often the clock has ticked. Everything runs on this one thread, so there is no lock.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "guide.quoit.h"
#include "serve.h"

#define TICK_NS 10000000 /* a hundredth of a second */

static uint64_t ticks;

static void greet(quoit_call *call, const guide_Name *request, void *user)
{
        upb_StringView name = guide_Name_name(request);
        guide_Greeting *reply = guide_Greeting_new(quoit_call_scratch(call));

        (void)user;
        if (reply)
                guide_Greeting_set_text(
                        reply, quoit_call_format(call, "Hello %.*s, after %llu ticks",
                                       (int)name.size, name.data, (unsigned long long)ticks));
        guide_Guide_Greet_reply(call, reply);
}

static const guide_Guide_service service = { .Greet = greet };

static int watch(int epoll, int fd)
{
        struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

        return fd < 0 ? -1 : epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static int open_clock(void)
{
        const struct itimerspec every = {
                .it_interval.tv_nsec = TICK_NS,
                .it_value.tv_nsec = TICK_NS,
        };
        int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

        if (fd >= 0)
                timerfd_settime(fd, 0, &every, NULL);
        return fd;
}

static int open_signals(void)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, NULL);
        return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void tick(int clock)
{
        uint64_t count;

        if (read(clock, &count, sizeof(count)) == sizeof(count))
                ticks += count;
}

static void stop(quoit_server *server, int signals)
{
        struct signalfd_siginfo signal;

        if (read(signals, &signal, sizeof(signal)) == sizeof(signal))
                quoit_server_stop(server); /* steps go on until running calls have finished */
}

/* Returns the result of the last step. */
static int loop(quoit_server *server, int epoll, int clock, int signals)
{
        int r = 1;

        while (r > 0) {
                struct epoll_event events[8];
                int count = epoll_wait(epoll, events, 8, -1);

                for (int i = 0; i < count; i++) {
                        if (events[i].data.fd == clock)
                                tick(clock);
                        else if (events[i].data.fd == signals)
                                stop(server, signals);
                        else
                                r = quoit_server_step(server);
                }
        }
        return r;
}

int main(int argc, char **argv)
{
        quoit_server *server = example_server(NULL);
        const char *address = example_address(argc, argv);
        int clock = open_clock(), signals = open_signals();
        int epoll = epoll_create1(EPOLL_CLOEXEC);

        if (guide_Guide_register(server, &service, NULL) < 0 ||
                quoit_server_listen(server, address, NULL) < 0 || quoit_server_start(server) < 0)
                return example_fail(server);
        if (watch(epoll, clock) < 0 || watch(epoll, signals) < 0 ||
                watch(epoll, quoit_server_fd(server)) < 0) {
                fprintf(stderr, "no loop: %s\n", strerror(errno));
                return EXIT_FAILURE;
        }
        quoit_log_writer_printf(example_log, "listening on %s", address);
        if (loop(server, epoll, clock, signals) < 0)
                return example_fail(server);
        close(epoll);
        close(clock);
        close(signals);
        return example_end(server, EXIT_SUCCESS);
}
