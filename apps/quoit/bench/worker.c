/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "../../common/clock.h"
#include "flight.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define SPIN_NS UINT64_C(50000) /* before a call is due: sleeps end later than they should */
#define TICK_NS (10 * NS_PER_MS) /* what no event tells is looked at so often */
#define UNSETTLED_MAX 32 /* connections that are made at a time: a listener's queue is short */
#define GRACE_NS                                                                                   \
        (10 * NS_PER_SECOND) /* for what is in flight at the end; a call's timeout, if it is longer */
#define GRACE_STOPPED_NS (1 * NS_PER_SECOND) /* if the user has ended it */

/* ---- life ---- */

int worker_init(
        struct worker *worker, struct plan *plan, struct gate *gate, unsigned number, int news_fd)
{
        uint64_t connections = plan_share(plan->connections, plan->threads, number);
        uint64_t flights = plan_share(plan->concurrency, plan->threads, number);

        *worker = (struct worker){
                .plan = plan,
                .gate = gate,
                .number = number,
                .news_fd = news_fd,
                .channels = calloc(connections, sizeof(*worker->channels)),
                .channel_count = (unsigned)connections,
                .flights =
                        aligned_alloc(alignof(struct flight), flights * sizeof(*worker->flights)),
                .flight_count = (unsigned)flights,
                .maker.chance.state = plan->seed + number,
                .seq = number,
                .left = plan_share(plan->requests, plan->threads, number),
                .due_ns = UINT64_MAX,
        };
        if (tally_init(&worker->tally) == 0 && worker->channels && worker->flights)
                return 0;
        worker_deinit(worker);
        return -ENOMEM;
}

void worker_deinit(struct worker *worker)
{
        tally_deinit(&worker->tally);
        buffer_deinit(&worker->maker.buffer);
        free(worker->channels);
        free(worker->flights);
}

static void tell(struct worker *worker, atomic_bool *what)
{
        uint64_t one = 1;

        atomic_store(what, true);
        while (write(worker->news_fd, &one, sizeof(one)) < 0 && errno == EINTR)
                continue;
}

static int fail(struct worker *worker, int error, const char *what)
{
        if (worker->error.status == QUOIT_OK) {
                worker->error.status = QUOIT_UNAVAILABLE;
                snprintf(worker->error.text, sizeof(worker->error.text), "%s: %s", what,
                        strerror(-error));
        }
        return error;
}

static int fail_ring(struct worker *worker, int error)
{
        return fail(worker, error, "the client's ring is broken");
}

/* ---- turns ---- */

/* Waits until the ring has something to do, or until @wake_ns, and does it. 0 or a negative errno. */
static int turn(struct worker *worker, uint64_t wake_ns)
{
        uint64_t now_ns = clock_now_ns();
        int r = quoit_client_wait(worker->client, wake_ns > now_ns ? wake_ns - now_ns : 0);

        return r < 0 ? fail_ring(worker, r) : 0;
}

/* ---- connecting ---- */

static void on_probe_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct worker *worker = user;

        (void)status;
        quoit_outcall_get_error(call, &worker->error);
}

/* Turns until the probe has told why there is no connection, or has not for a while. */
static int await_probe(struct worker *worker)
{
        uint64_t until_ns = clock_now_ns() + TICK_NS;
        int r = 0;

        while (r == 0 && worker->error.status == QUOIT_OK && clock_now_ns() < until_ns)
                r = turn(worker, until_ns);
        return r;
}

/* What a call hears that does not wait for a connection: why there is none. */
static int fail_to_connect(struct worker *worker, quoit_channel *channel)
{
        static const quoit_outcall_handler handler = { .on_done = on_probe_done };
        const quoit_call_options options = { .wait_for_ready = QUOIT_WAIT_NEVER };
        quoit_outcall *call;
        int r = quoit_outcall_start(
                channel, &worker->plan->method, &options, &handler, worker, &call);

        if (r == 0)
                r = await_probe(worker);
        if (r == 0 && worker->error.status == QUOIT_OK) {
                quoit_outcall_cancel(
                        call); /* its request is missing, so it can have no other end */
                r = await_probe(worker);
        }
        return fail(worker, r < 0 ? r : -ECONNREFUSED, worker->plan->target);
}

/* Turns until no more than @unsettled_max of the first @count channels are without a connection. */
static int settle(struct worker *worker, unsigned *settled, unsigned count, unsigned unsettled_max)
{
        int r = 0;

        while (r == 0 && count - *settled > unsettled_max) {
                quoit_channel *channel = worker->channels[*settled];
                quoit_channel_state state = quoit_channel_get_state(channel);

                if (atomic_load(&worker->plan->is_stopped))
                        return fail(worker, -EINTR, worker->plan->target);
                if (state == QUOIT_CHANNEL_READY)
                        ++*settled;
                else if (state == QUOIT_CHANNEL_TRANSIENT_FAILURE)
                        r = fail_to_connect(worker, channel);
                else
                        r = turn(worker, clock_now_ns() + TICK_NS);
        }
        return r;
}

static int connect_all(struct worker *worker)
{
        const struct plan *plan = worker->plan;
        unsigned settled = 0;
        int r = 0;

        for (unsigned i = 0; r == 0 && i < worker->channel_count; i++) {
                quoit_channel **channel = &worker->channels[i];

                r = quoit_channel_new(worker->client, plan->target, &plan->channel, channel);
                if (r == 0)
                        r = quoit_channel_connect(*channel);
                if (r < 0)
                        return fail(worker, r, plan->target);
                r = settle(worker, &settled, i + 1, UNSETTLED_MAX);
        }
        return r < 0 ? r : settle(worker, &settled, worker->channel_count, 0);
}

static int begin_client(struct worker *worker)
{
        quoit_client_options options = worker->plan->client;
        int r;

        options.stepped = true;
        r = quoit_client_new(&options, &worker->client);
        return r < 0 ? fail(worker, r, "the client") : connect_all(worker);
}

/* ---- calling ---- */

static void set_out(struct worker *worker, uint64_t begin_ns)
{
        const struct plan *plan = worker->plan;

        worker->begin_ns = begin_ns;
        worker->measure_ns = worker->tally.begin_ns = begin_ns + plan->warmup_ns;
        worker->tally.end_ns = worker->measure_ns;
        worker->end_ns = plan->duration_ns == PLAN_UNLIMITED
                                 ? UINT64_MAX
                                 : worker->measure_ns + plan->duration_ns;
        for (unsigned i = worker->flight_count; i-- > 0;) {
                struct flight *flight = &worker->flights[i];

                *flight = (struct flight){
                        .worker = worker,
                        .channel = worker->channels[i % worker->channel_count],
                        .next = worker->idle,
                };
                worker->idle = flight;
        }
        if (!plan->profile)
                return;
        arrivals_init(&worker->arrivals, plan->profile, worker->number, plan->threads,
                plan->by_chance, plan->seed);
        flights_set_out(worker);
}

/* When something is to be done that no event tells. */
static uint64_t wake_ns(const struct worker *worker)
{
        uint64_t now_ns = clock_now_ns(), due_ns = worker->due_ns;

        if (worker->is_behind || due_ns > now_ns + TICK_NS)
                return now_ns + TICK_NS;
        return due_ns > now_ns + SPIN_NS ? due_ns - SPIN_NS : now_ns;
}

static void wait_until(uint64_t ns)
{
        struct timespec until = { .tv_sec = (time_t)(ns / NS_PER_SECOND),
                .tv_nsec = (long)(ns % NS_PER_SECOND) };

        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
                continue;
}

static uint64_t grace_ns(const struct plan *plan)
{
        uint64_t timeout_ns = plan->call.timeout_ms * NS_PER_MS + NS_PER_SECOND;

        if (atomic_load(&plan->is_stopped))
                return GRACE_STOPPED_NS;
        return timeout_ns > GRACE_NS ? timeout_ns : GRACE_NS;
}

/* Calls are awaited for a while after the last one was due. */
static bool is_done(struct worker *worker, uint64_t now_ns)
{
        bool is_over = flights_are_over(worker, now_ns) || now_ns >= worker->end_ns;

        if (!is_over)
                return false;
        if (worker->over_ns == 0)
                worker->over_ns = now_ns;
        return (worker->in_flight == 0 && flights_are_over(worker, now_ns)) ||
               now_ns - worker->over_ns > grace_ns(worker->plan);
}

static uint64_t thread_cpu_ns(void)
{
        struct timespec time;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return (uint64_t)time.tv_sec * NS_PER_SECOND + (uint64_t)time.tv_nsec;
}

/* Begins what is due, and waits; not at all where something has begun. */
static int work(struct worker *worker, uint64_t now_ns)
{
        if (worker->parked && now_ns >= worker->tick_ns) {
                worker->tick_ns = now_ns + TICK_NS;
                flights_retry_parked(worker, now_ns);
        }
        flights_push(worker, now_ns);
        return turn(worker, wake_ns(worker));
}

static int call_until_done(struct worker *worker)
{
        uint64_t now_ns = clock_now_ns(), cpu_ns = thread_cpu_ns();
        bool is_measured = false;
        int r = 0;

        if (!worker->plan->profile)
                flights_launch(worker, now_ns);
        for (; r == 0 && !is_done(worker, now_ns); now_ns = clock_now_ns()) {
                if (!is_measured && now_ns >= worker->measure_ns) {
                        is_measured = true;
                        cpu_ns = thread_cpu_ns();
                }
                r = work(worker, now_ns);
        }
        worker->tally.cpu_ns = thread_cpu_ns() - cpu_ns;
        return r;
}

/* What is left has no answer. */
static void give_up(struct worker *worker)
{
        uint64_t now_ns = clock_now_ns(), until_ns = now_ns + NS_PER_SECOND;
        int r = 0;

        worker->gives_up = true;
        flights_give_up(worker, now_ns);
        for (; r == 0 && worker->in_flight > 0 && now_ns < until_ns; now_ns = clock_now_ns())
                r = turn(worker, now_ns + TICK_NS);
}

void *worker_run(void *arg)
{
        struct worker *worker = arg;
        uint64_t begin_ns = 0;
        int r = begin_client(worker);

        if (r < 0)
                gate_open(worker->gate, 0);
        tell(worker, &worker->is_connected);
        if (r == 0)
                begin_ns = gate_wait(worker->gate);
        if (begin_ns > 0) {
                prctl(PR_SET_TIMERSLACK,
                        1); /* sleeps end when they should, not up to 50 µs later */
                set_out(worker, begin_ns);
                wait_until(begin_ns);
                call_until_done(worker);
                give_up(worker);
        }
        tell(worker, &worker->is_done);
        /* closing connections may take longer than the report waits */
        quoit_client_free(worker->client);
        return NULL;
}
