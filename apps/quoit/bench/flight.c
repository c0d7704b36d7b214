/* SPDX-License-Identifier: MIT */
#include "flight.h"

#include <errno.h>
#include <string.h>

#include "../../common/clock.h"

#define BURST 256 /* calls that begin before the ring has a turn */
#define NOT_ANSWERED "not answered when the run ended"
#define NOT_BEGUN "not begun when the run ended: as many calls were in flight as there may be"

static void begin(struct flight *flight, uint64_t due_ns);

/* ---- whether there is a next one ---- */

static bool is_open_loop(const struct worker *worker)
{
        return worker->plan->profile != NULL;
}

static bool is_stopped(const struct worker *worker)
{
        return worker->gives_up ||
               atomic_load_explicit(&worker->plan->is_stopped, memory_order_relaxed);
}

bool flights_are_over(const struct worker *worker, uint64_t now_ns)
{
        if (is_stopped(worker) || worker->left == 0)
                return true;
        return is_open_loop(worker) ? worker->due_ns == UINT64_MAX : now_ns >= worker->end_ns;
}

/* ---- the end of a call ---- */

static void put_idle(struct flight *flight)
{
        flight->next = flight->worker->idle;
        flight->worker->idle = flight;
}

/* A channel without a connection fails calls at once: without a pause a closed loop would do nothing else. */
static void park(struct flight *flight)
{
        flight->next = flight->worker->parked;
        flight->worker->parked = flight;
}

static void follow(struct flight *flight, quoit_status status, uint64_t now_ns)
{
        struct worker *worker = flight->worker;

        if (is_open_loop(worker) || flights_are_over(worker, now_ns))
                put_idle(flight);
        else if (status == QUOIT_UNAVAILABLE &&
                 quoit_channel_get_state(flight->channel) != QUOIT_CHANNEL_READY)
                park(flight);
        else
                begin(flight, now_ns);
}

/* Returns the time. */
static uint64_t record_end(struct flight *flight, quoit_status status, const char *message)
{
        struct worker *worker = flight->worker;
        const struct tally_call call = {
                .due_ns = flight->due_ns,
                .end_ns = clock_now_ns(),
                .status = status,
                .message = message,
                .is_given_up = worker->gives_up,
        };

        flight->is_in_flight = false;
        HDR_RAISE(&worker->in_flight, -1U);
        if (flight->is_measured)
                tally_record(&worker->tally, &call);
        else
                worker->tally.warmup_calls++;
        return call.end_ns;
}

static void end(struct flight *flight, quoit_status status, const char *message)
{
        follow(flight, status, record_end(flight, status, message));
}

/* There was no call. The same would happen again at once: so a closed loop waits a moment here too. */
static void fail_to_begin(struct flight *flight, const char *why)
{
        record_end(flight, QUOIT_INTERNAL, why);
        if (is_open_loop(flight->worker))
                put_idle(flight);
        else
                park(flight);
}

/* ---- messages ---- */

/* Ends the call here, with what is wrong. */
static void refuse(struct flight *flight, const char *why)
{
        flight->refusal = why;
        quoit_outcall_cancel(flight->call);
}

static bool sends_one(const struct worker *worker)
{
        quoit_method_kind kind = worker->plan->method.kind;

        return kind == QUOIT_UNARY || kind == QUOIT_SERVER_STREAMING;
}

/* Calls with one message take those of the payload in turn, others begin with the first one. */
static bool send_one(struct flight *flight)
{
        struct worker *worker = flight->worker;
        size_t index = sends_one(worker) ? flight->seq : flight->requests, bytes;
        const upb_Message *message;
        int r = payload_get(&worker->plan->payload, index, flight->seq, &worker->maker,
                flight->call, &message, &bytes, &worker->payload_problem);

        if (r < 0) {
                refuse(flight, worker->payload_problem.text);
                return false;
        }
        r = quoit_outcall_send(flight->call, message);
        if (r < 0) {
                refuse(flight, strerror(-r));
                return false;
        }
        flight->requests++;
        if (flight->is_measured)
                tally_count_request(&worker->tally, bytes);
        return true;
}

static bool may_send(const struct flight *flight)
{
        const struct plan *plan = flight->worker->plan;

        return flight->requests < plan->messages &&
               (!plan->ping_pong || flight->requests == flight->replies) &&
               quoit_outcall_writable(flight->call);
}

static void send_more(struct flight *flight)
{
        if (sends_one(flight->worker)) {
                send_one(flight);
                return;
        }
        while (may_send(flight))
                if (!send_one(flight))
                        return;
        if (flight->is_half_closed || flight->requests < flight->worker->plan->messages)
                return;
        flight->is_half_closed = true;
        quoit_outcall_half_close(flight->call);
}

/* ---- a call ---- */

static void on_message(quoit_outcall *call, const upb_Message *message, void *user)
{
        struct flight *flight = user;

        (void)call;
        flight->replies++;
        if (flight->is_measured)
                tally_count_reply(&flight->worker->tally, payload_bytes(message));
        if (flight->worker->plan->ping_pong)
                send_more(flight);
}

static void on_writable(quoit_outcall *call, void *user)
{
        struct flight *flight = user;

        (void)call;
        if (!flight->is_half_closed && !flight->refusal)
                send_more(flight);
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct flight *flight = user;

        if (flight->worker->gives_up)
                end(flight, QUOIT_CANCELLED, NOT_ANSWERED);
        else if (flight->refusal)
                end(flight, QUOIT_INVALID_ARGUMENT, flight->refusal);
        else
                end(flight, status,
                        status == QUOIT_OK ? NULL : quoit_outcall_status_message(call).data);
}

/* Counts it among those that are measured, or not. */
static void take_number(struct flight *flight, uint64_t due_ns)
{
        struct worker *worker = flight->worker;

        flight->seq = worker->seq;
        worker->seq += worker->plan->threads;
        flight->is_measured = due_ns >= worker->measure_ns;
        if (flight->is_measured && worker->left != PLAN_UNLIMITED)
                worker->left--;
}

static void begin(struct flight *flight, uint64_t due_ns)
{
        static const quoit_outcall_handler handler = {
                .on_message = on_message,
                .on_writable = on_writable,
                .on_done = on_done,
        };
        struct worker *worker = flight->worker;
        const struct plan *plan = worker->plan;
        int r;

        flight->due_ns = due_ns;
        flight->refusal = NULL;
        flight->requests = flight->replies = 0;
        flight->is_half_closed = false;
        flight->is_in_flight = true;
        take_number(flight, due_ns);
        HDR_RAISE(&worker->in_flight, 1);
        r = quoit_outcall_start(
                flight->channel, &plan->method, &plan->call, &handler, flight, &flight->call);
        if (r == 0)
                send_more(flight);
        else
                fail_to_begin(flight, strerror(-r));
}

/* ---- closed loop ---- */

static struct flight *take(struct flight **list)
{
        struct flight *flight = *list;

        if (flight)
                *list = flight->next;
        return flight;
}

void flights_launch(struct worker *worker, uint64_t now_ns)
{
        struct flight *flight;

        while (!flights_are_over(worker, now_ns) && (flight = take(&worker->idle)))
                begin(flight, now_ns);
}

void flights_retry_parked(struct worker *worker, uint64_t now_ns)
{
        struct flight *all = worker->parked, *flight;

        worker->parked = NULL;
        while ((flight = take(&all))) {
                if (flights_are_over(worker, now_ns))
                        put_idle(flight);
                else
                        begin(flight, now_ns);
        }
}

/* ---- open loop ---- */

static void take_due(struct worker *worker)
{
        uint64_t ns = arrivals_next_ns(&worker->arrivals);

        worker->due_ns = ns == UINT64_MAX ? UINT64_MAX : worker->begin_ns + ns;
}

void flights_set_out(struct worker *worker)
{
        take_due(worker);
}

static void note_late(struct worker *worker, uint64_t late_ns)
{
        if (!worker->is_behind && late_ns > worker->tally.late_ns)
                worker->tally.late_ns = late_ns;
}

void flights_push(struct worker *worker, uint64_t now_ns)
{
        unsigned begun = 0;

        while (worker->due_ns <= now_ns && begun < BURST && !flights_are_over(worker, now_ns)) {
                struct flight *flight = take(&worker->idle);
                uint64_t due_ns = worker->due_ns;

                if (!flight) {
                        worker->is_behind = true;
                        return;
                }
                note_late(worker, now_ns - due_ns);
                take_due(worker);
                flight->channel = worker->channels[worker->next_channel];
                worker->next_channel = (worker->next_channel + 1) % worker->channel_count;
                begin(flight, due_ns);
                begun++;
        }
        if (worker->due_ns > now_ns)
                worker->is_behind = false;
}

void flights_give_up(struct worker *worker, uint64_t now_ns)
{
        for (unsigned i = 0; i < worker->flight_count; i++)
                if (worker->flights[i].is_in_flight)
                        quoit_outcall_cancel(worker->flights[i].call);
        for (; worker->due_ns <= now_ns && worker->left > 0; take_due(worker)) {
                const struct tally_call call = {
                        .due_ns = worker->due_ns,
                        .end_ns = now_ns,
                        .status = QUOIT_CANCELLED,
                        .message = NOT_BEGUN,
                        .is_given_up = true,
                };

                if (worker->due_ns < worker->measure_ns)
                        continue;
                tally_record(&worker->tally, &call);
                if (worker->left != PLAN_UNLIMITED)
                        worker->left--;
        }
}
