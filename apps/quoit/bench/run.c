/* SPDX-License-Identifier: MIT */
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "../../common/clock.h"
#include "../../common/thread.h"
#include "../stop_signals.h"
#include "gate.h"
#include "progress.h"
#include "worker.h"

#define BEGIN_NS UINT64_C(2000000) /* until all threads are there */
#define PROGRESS_MS 500
#define CLOSE_SECONDS 2

struct run {
        struct plan *plan;
        struct worker *workers; /* as many as the plan has threads */
        unsigned worker_count;  /* that were initialized */
        unsigned thread_count;  /* that were started */
        struct gate gate;
        int news_fd, signal_fd;
        sigset_t signals_before;
        struct progress progress;
        bool has_begun;
        bool is_interrupted;
};

/* ---- begin and end ---- */

static void raise_limits(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                setrlimit(RLIMIT_NOFILE, &limit);
        }
}

static int take_signals(struct run *run)
{
        run->signal_fd = stop_signals_open(&run->signals_before);
        if (run->signal_fd < 0)
                return run->signal_fd;
        run->news_fd = eventfd(0, EFD_CLOEXEC);
        return run->news_fd < 0 ? -errno : 0;
}

static int start_threads(struct run *run)
{
        struct plan *plan = run->plan;
        int r = 0;

        run->workers = calloc(plan->threads, sizeof(*run->workers));
        if (!run->workers)
                return -ENOMEM;
        for (unsigned i = 0; r == 0 && i < plan->threads; i++) {
                struct worker *worker = &run->workers[i];

                r = worker_init(worker, plan, &run->gate, i, run->news_fd);
                run->worker_count += r == 0;
        }
        for (unsigned i = 0; r == 0 && i < plan->threads; i++) {
                r = thread_start(&run->workers[i].thread, worker_run, &run->workers[i]);
                run->thread_count += r == 0;
        }
        return r;
}

/* True: all are over. Else one still closes its connections, which the end of the process does as well. */
static bool join_threads(struct run *run)
{
        bool all = true;

        atomic_store(&run->plan->is_stopped, true); /* it is over for all, or one was not started */
        gate_open(&run->gate, 0);
        for (unsigned i = 0; i < run->thread_count; i++) {
                struct timespec until;

                clock_gettime(CLOCK_REALTIME, &until);
                until.tv_sec += CLOSE_SECONDS;
                all &= pthread_timedjoin_np(run->workers[i].thread, NULL, &until) == 0;
        }
        return all;
}

static void run_deinit(struct run *run, bool are_over)
{
        pthread_sigmask(SIG_SETMASK, &run->signals_before, NULL);
        if (!are_over)
                return; /* the thread still uses all of it */
        for (unsigned i = 0; i < run->worker_count; i++)
                worker_deinit(&run->workers[i]);
        free(run->workers);
        gate_deinit(&run->gate);
        if (run->news_fd >= 0)
                close(run->news_fd);
        if (run->signal_fd >= 0)
                close(run->signal_fd);
}

/* ---- meanwhile ---- */

static bool are_connected(struct run *run)
{
        for (unsigned i = 0; i < run->thread_count; i++)
                if (!atomic_load(&run->workers[i].is_connected))
                        return false;
        return true;
}

static bool are_done(struct run *run)
{
        for (unsigned i = 0; i < run->thread_count; i++)
                if (!atomic_load(&run->workers[i].is_done))
                        return false;
        return true;
}

/* The first one ends the run, and the report is of what was done; the second one ends the process. */
static void on_signal(struct run *run)
{
        struct signalfd_siginfo signal;

        if (read(run->signal_fd, &signal, sizeof(signal)) < 0)
                return;
        if (run->is_interrupted) {
                progress_clear(&run->progress);
                pthread_sigmask(SIG_SETMASK, &run->signals_before, NULL);
                raise((int)signal.ssi_signo);
        }
        run->is_interrupted = true;
        atomic_store(&run->plan->is_stopped, true);
        gate_open(&run->gate, 0);
}

static void on_news(struct run *run)
{
        uint64_t news, begin_ns;

        (void)!read(run->news_fd, &news, sizeof(news));
        if (run->has_begun || !are_connected(run))
                return;
        run->has_begun = true;
        begin_ns = clock_now_ns() + BEGIN_NS;
        gate_open(&run->gate, begin_ns);
        progress_begin(&run->progress, begin_ns);
}

static void watch(struct run *run)
{
        struct pollfd fds[] = { { run->news_fd, POLLIN, 0 }, { run->signal_fd, POLLIN, 0 } };
        int timeout_ms = progress_is_shown(&run->progress) ? PROGRESS_MS : -1;

        while (!are_done(run)) {
                int r = poll(fds, 2, timeout_ms);

                if (r < 0)
                        continue;
                if (fds[0].revents)
                        on_news(run);
                if (fds[1].revents)
                        on_signal(run);
                progress_show(&run->progress, run->workers, run->thread_count);
        }
        progress_clear(&run->progress);
}

/* ---- the whole ---- */

static int collect(struct run *run, struct run_result *result)
{
        int r = tally_init(&result->tally);

        for (unsigned i = 0; r == 0 && i < run->thread_count; i++) {
                struct worker *worker = &run->workers[i];

                tally_add(&result->tally, &worker->tally);
                if (result->error.status == QUOIT_OK)
                        result->error = worker->error;
        }
        result->is_interrupted = run->is_interrupted;
        return r;
}

int run_plan(struct plan *plan, struct run_result *ret_result)
{
        struct run run = { .plan = plan, .news_fd = -1, .signal_fd = -1 };
        int r;

        *ret_result = (struct run_result){ 0 };
        gate_init(&run.gate);
        progress_init(&run.progress, plan);
        raise_limits();
        r = take_signals(&run);
        if (r == 0)
                r = start_threads(&run);
        if (r == 0)
                watch(&run);
        if (r == 0)
                r = collect(&run, ret_result);
        run_deinit(&run, join_threads(&run));
        return r;
}
