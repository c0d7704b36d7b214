/* SPDX-License-Identifier: MIT */
#include "bench/load/run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "bench/clock.h"
#include "bench/load/dial.h"

#define PATIENCE_NS (30 * NS_PER_SECOND) /* with something asked, and nothing heard */
#define OVERTIME_NS (5 * NS_PER_SECOND) /* open loop: for what was not answered in time */
#define RETRY_NS (1 * NS_PER_MS)
#define FIRST_CALL_NS (60 * NS_PER_SECOND) /* for a server to start */
#define UNSETTLED_MAX 32 /* connections whose SETTINGS may be missing while others are made */

static bool complain(const struct load *load, const char *what)
{
        fprintf(stderr, "quoit-load: %s: %s\n", load->options->target, what);
        return false;
}

/* ---- connecting ---- */

static bool resolve(struct load *load, struct dial *dial)
{
        const char *problem = dial_resolve(dial, load->options->host, load->options->port);

        return problem ? complain(load, problem) : true;
}

/* Until at most @unsettled_max of @opened connections wait for the server's SETTINGS. */
static bool await_settings(struct load *load, uint64_t opened, uint64_t unsettled_max)
{
        uint64_t begun_ns = now_ns();

        while (opened - load->ready_count > unsettled_max) {
                load_turn(load);
                if (load->lost_count > 0)
                        return complain(load, load->errors.kinds[0].text);
                if (now_ns() - begun_ns > PATIENCE_NS)
                        return complain(load, "no HTTP/2 SETTINGS");
        }
        return true;
}

static bool connect_one(struct load *load, const struct dial *dial, uint32_t number)
{
        struct connection *connection = &load->connections[number];
        int fd = dial_connect(dial);

        if (fd < 0)
                return complain(load, strerror(-fd));
        if (connection_open(connection, load, number, fd) < 0)
                return complain(load, strerror(ENOMEM));
        connection_push(connection);
        return true;
}

/* Not all at once: a listener's queue is short, and a refused connection waits a second. */
static bool connect_all(struct load *load)
{
        uint32_t count = load->options->connections;
        struct dial dial;

        if (!dial_allow_sockets(count))
                return complain(load, "RLIMIT_NOFILE is too low for so many connections");
        if (!resolve(load, &dial))
                return false;
        for (uint32_t i = 0; i < count; i++)
                if (!connect_one(load, &dial, i) || !await_settings(load, i + 1, UNSETTLED_MAX))
                        return false;
        return await_settings(load, count, 0);
}

/* ---- measuring ---- */

/* From here on it counts. */
static void begin_measuring(struct load *load, uint64_t now)
{
        load->began_ns = load->ended_ns = now;
        load->cpu_ns = cpu_ns();
        load->bytes_in = load->bytes_out = 0;
}

static void begin(struct load *load)
{
        uint64_t now = now_ns();

        /* Sleeps end when they should: the default allows them 50 µs more. */
        prctl(PR_SET_TIMERSLACK, 1);
        load->heard_ns = now;
        schedule_begin(&load->schedule, now);
        if (load->schedule.measure_ns == now)
                begin_measuring(load, now);
        for (uint32_t i = 0; i < load->options->connections; i++)
                connection_push(&load->connections[i]);
}

static bool is_patient(const struct load *load, uint64_t now)
{
        return load->in_flight == 0 || now - load->heard_ns < PATIENCE_NS;
}

/* In closed loop a call is in flight at all times, unless none can begin. */
static bool is_done(const struct load *load, uint64_t now)
{
        bool more = load->options->rate > 0 && !schedule_is_over(&load->schedule, now);

        return load->lost_count == load->options->connections || !is_patient(load, now) ||
               (load->in_flight == 0 && !more);
}

static void run_until_done(struct load *load)
{
        uint64_t now, over_ns = 0;

        for (now = now_ns(); !is_done(load, now); now = now_ns()) {
                if (load->began_ns == 0 && now >= load->schedule.measure_ns)
                        begin_measuring(load, now);
                load_turn(load);
                if (over_ns == 0 && schedule_is_over(&load->schedule, now))
                        over_ns = now;
                if (load->options->rate > 0 && over_ns > 0 && now - over_ns > OVERTIME_NS)
                        break;
        }
        load->cpu_ns = cpu_ns() - load->cpu_ns;
}

/* Calls without an answer by now have failed, and took at least this long. */
static void give_up(struct load *load)
{
        uint64_t now = now_ns();
        struct schedule_call call;

        load->giving_up = true;
        for (uint32_t i = 0; i < load->options->connections; i++) {
                struct connection *connection = &load->connections[i];

                connection_abandon(connection, "not answered");
                while (schedule_take_missed(&load->schedule, &connection->lane, &call)) {
                        load_on_call_begin(load, now);
                        load_on_call_end(load, &call, "not begun: no stream was free", now);
                }
        }
}

bool run_measure(struct load *load)
{
        if (!connect_all(load))
                return false;
        begin(load);
        run_until_done(load);
        give_up(load);
        return true;
}

/* ---- holding ---- */

/* Connections are looked after meanwhile: a PING wants its answer. */
static void hold_until_stdin_ends(struct load *load)
{
        struct epoll_event event = { .events = EPOLLIN };
        char bytes[256];

        /* A file or /dev/null cannot be waited for: it ends at once. */
        if (epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &event) < 0)
                return;
        while (!load_turn(load) || read(STDIN_FILENO, bytes, sizeof(bytes)) > 0)
                continue;
}

bool run_idle(struct load *load)
{
        if (!connect_all(load))
                return false;
        begin(load);
        run_until_done(load);
        give_up(load);
        puts("idle");
        fflush(stdout);
        hold_until_stdin_ends(load);
        return true;
}

/* ---- waiting for a server ---- */

static bool may_go_on(const struct load *load)
{
        return now_ns() - load->began_ns < FIRST_CALL_NS;
}

/* False: there is no answer, and the connection is gone. */
static bool try_first_call(struct load *load, const struct dial *dial)
{
        struct connection *connection = &load->connections[0];
        int fd = dial_connect(dial);

        if (fd < 0 || connection_open(connection, load, 0, fd) < 0)
                return false;
        load->lost_count = 0;
        load->errors = (struct errors){ 0 };
        schedule_init(&load->schedule, &load->schedule.options);
        schedule_begin(&load->schedule, now_ns());
        connection_push(connection);
        while (load->lost_count == 0 && load->calls + load->errors.count == 0 && may_go_on(load))
                load_turn(load);
        return load->lost_count == 0 && load->calls + load->errors.count > 0;
}

bool run_first_call(struct load *load)
{
        struct timespec pause = { .tv_nsec = RETRY_NS };
        struct dial dial;

        if (!resolve(load, &dial))
                return false;
        begin_measuring(load, now_ns());
        while (!try_first_call(load, &dial)) {
                if (!may_go_on(load))
                        return complain(load, "no call was answered within a minute");
                nanosleep(&pause, NULL);
        }
        load->cpu_ns = cpu_ns() - load->cpu_ns;
        return true;
}
