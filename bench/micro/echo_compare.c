/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/micro/echo.h"
#include "bench/micro/measure.h"

#define SECONDS 0.4

static const struct echo_kind quoit = { "quoit", echo_serve_quoit };
static const struct echo_kind limits[] = {
        { "epoll", echo_serve_epoll },
        { "uring", echo_serve_uring },
};

struct comparison {
        struct echo_load load;
        const struct echo_kind *limit;
};

struct server {
        pid_t pid;
        clockid_t clock;
        uint64_t start_ns;
};

static uint64_t clock_ns(clockid_t clock)
{
        struct timespec now;

        if (clock_gettime(clock, &now) < 0)
                echo_die("the server's clock", errno);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void on_start(void *user)
{
        struct server *server = user;

        server->start_ns = clock_ns(server->clock);
}

/* CPU time of a server of that kind, a message. */
static double server_round(const struct echo_kind *kind, struct echo_load load)
{
        int listen_fd = echo_listen(0, &load.port);
        struct server server = { .pid = fork() };
        struct echo_result result;
        uint64_t end_ns;

        if (server.pid < 0)
                echo_die("fork", errno);
        if (server.pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                kind->serve(listen_fd);
        }
        close(listen_fd);
        if (clock_getcpuclockid(server.pid, &server.clock) != 0)
                echo_die("clock_getcpuclockid", ESRCH);
        result = echo_run_client(&load, on_start, &server);
        end_ns = clock_ns(server.clock);
        kill(server.pid, SIGKILL);
        waitpid(server.pid, NULL, 0);
        if (result.messages == 0)
                echo_die(kind->name, ENODATA);
        return (double)(end_ns - server.start_ns) / (double)result.messages;
}

static double quoit_round(void *arg)
{
        const struct comparison *comparison = arg;

        return server_round(&quoit, comparison->load);
}

static double limit_round(void *arg)
{
        const struct comparison *comparison = arg;

        return server_round(comparison->limit, comparison->load);
}

void echo_compare(const struct measure_options *options)
{
        static const struct {
                const char *name;
                struct echo_load load;
        } works[] = {
                { "64 B, 1 x 1", { 0, 64, 1, 1, SECONDS } },
                { "64 B, 64 x 1", { 0, 64, 64, 1, SECONDS } },
                { "64 B, 10 x 100", { 0, 64, 10, 100, SECONDS } },
                { "64 KiB, 4 x 2", { 0, 65536, 4, 2, SECONDS } },
                { "1 MiB, 4 x 2", { 0, 1 << 20, 4, 2, SECONDS } },
        };

        for (unsigned i = 0; i < sizeof(works) / sizeof(*works); i++) {
                for (unsigned kind = 0; kind < sizeof(limits) / sizeof(*limits); kind++) {
                        struct comparison comparison = { works[i].load, limits + kind };
                        char name[64];

                        snprintf(name, sizeof(name), "echo %s, beside %s", works[i].name,
                                limits[kind].name);
                        measure_compare(options, name, quoit_round, limit_round, &comparison);
                }
        }
}
