/* SPDX-License-Identifier: MIT */
#include "blocking.h"

#include <string.h>

#include <quoit/stream.h>

#include "check_client.h"
#include "choice.h"
#include "core/clock.h"
#include "core/engine/sim.h"
#include "fibers.h"
#include "made.h"
#include "names.h"

enum { THREADS_MAX = 5 };

/* One of the threads, and the stream that it has. */
struct waiter {
        quoit_stream *stream; /* NULL: others may not use it */
        quoit_stream *written; /* the same, by a thread that writes */
        struct made *made;
        unsigned users; /* other threads that are in a function of it */
};

static struct {
        const struct setting *setting;
        quoit_client *client;
        quoit_channel *channel;
        struct rules rules;
        struct choice choice;
        struct waiter waiters[THREADS_MAX];
        unsigned threads; /* that have not ended */
        unsigned openers; /* that are in a function with which the channel must not be freed */
        bool is_ending;
        bool is_calm; /* its owner knows */
        bool is_over;
        bool ends_early; /* before the server does */
} blocking;

/* ---- a call ---- */

/* Its request and reply are in @arena. */
static quoit_status call_unary(struct made *made, quoit_channel *channel, upb_Arena *arena,
        const struct made_request *request, quoit_error *ret_error)
{
        const struct upb_Message *reply;
        quoit_status status = quoit_unary_blocking(channel, request->method, arena,
                made_ask(made, arena), &request->options, &reply, ret_error);

        made->asks_left = 0;
        if (status == QUOIT_OK)
                made_note_reply(made, reply);
        return status;
}

void blocking_call(struct made *made, quoit_channel *channel)
{
        struct made_request request;
        upb_Arena *arena = upb_Arena_New();
        quoit_error error = { QUOIT_RESOURCE_EXHAUSTED, "no arena" };

        made->kind = QUOIT_UNARY;
        made->must_end |= made->parent == NULL; /* nobody can cancel it */
        made_prepare(made, channel, &request);
        if (arena) {
                quoit_status status = call_unary(made, channel, arena, &request, &error);

                if (status != error.status)
                        sim_fail("outcall %u returns another status than its error has", made->id);
                upb_Arena_Free(arena);
        }
        made_note_end(made, &error, 0);
}

/* ---- a stream ---- */

static void write_asks(struct made *made, quoit_stream *stream)
{
        while (made->asks_left > 0) {
                upb_Arena *arena = upb_Arena_New();
                const struct upb_Message *ask = made_ask(made, arena);
                bool is_sent = quoit_stream_write(stream, ask);

                made->asks_left--;
                if (!ask)
                        made->was_cancelled = true; /* that ends it */
                if (arena)
                        upb_Arena_Free(arena);
                if (!is_sent)
                        break;
        }
        quoit_stream_half_close(stream);
}

static void *write_beside(void *user)
{
        struct waiter *waiter = user;

        write_asks(waiter->made, waiter->written);
        waiter->users--;
        return NULL;
}

static void write_all(struct waiter *waiter)
{
        if (!made_sends_many(waiter->made))
                return;
        if (sim_chance(500)) {
                write_asks(waiter->made, waiter->stream);
                return;
        }
        waiter->written = waiter->stream;
        waiter->users++;
        fiber_start("a thread that writes", write_beside, waiter);
}

/* Now and then not all. */
static void read_replies(struct waiter *waiter)
{
        uint64_t left = sim_chance(100) ? sim_below(5) : UINT64_MAX;
        const struct upb_Message *reply;
        bool has_more = true;

        while (has_more && left > 0) {
                upb_Arena *arena = upb_Arena_New();

                has_more = arena && quoit_stream_read(waiter->stream, arena, &reply);
                if (has_more)
                        made_note_reply(waiter->made, reply);
                if (!arena)
                        left = 0;
                else
                        upb_Arena_Free(arena);
                left -= left > 0 && left < UINT64_MAX;
        }
        waiter->made->reads_part = left == 0;
}

static uint64_t unused_ns(const void *arg)
{
        return ((const struct waiter *)arg)->users > 0 ? SIM_NEVER : 0;
}

/* No other function of the stream may run with the last one. */
static void finish(struct waiter *waiter)
{
        quoit_stream *stream = waiter->stream;
        struct made *made = waiter->made;
        quoit_error error;

        if (made->reads_part && (!act_ends(made->act) || sim_chance(500))) {
                made->was_cancelled = true;
                quoit_stream_cancel(stream);
        }
        waiter->stream = NULL;
        sim_block(unused_ns, waiter);
        (void)quoit_stream_finish(stream, &error);
        made_note_end(made, &error, 0);
}

/* Of one that sends a single request: it is copied. */
static quoit_stream *open_stream(struct made *made)
{
        struct made_request request;
        upb_Arena *arena = upb_Arena_New();
        quoit_stream *stream;

        made_prepare(made, blocking.channel, &request);
        if (!made_sends_many(made))
                made->asks_left = 0;
        blocking.openers++;
        stream = quoit_stream_open(blocking.channel, request.method,
                made_sends_many(made) ? NULL : made_ask(made, arena), &request.options);
        blocking.openers--;
        if (arena)
                upb_Arena_Free(arena);
        return stream;
}

static void call_stream(struct waiter *waiter)
{
        const quoit_error none = { QUOIT_RESOURCE_EXHAUSTED, "no stream" };

        waiter->stream = open_stream(waiter->made);
        if (!waiter->stream) {
                made_note_end(waiter->made, &none, 0);
                return;
        }
        write_all(waiter);
        read_replies(waiter);
        finish(waiter);
}

static void cancel(struct waiter *waiter)
{
        if (!waiter->stream)
                return;
        waiter->users++;
        waiter->made->was_cancelled = true;
        sim_note("outcall is cancelled", waiter->made->id, 0);
        quoit_stream_cancel(waiter->stream);
        waiter->users--;
}

/* ---- its threads ---- */

static bool goes_on(void)
{
        return !blocking.is_ending && !sim.is_calm;
}

static void *call_many(void *user)
{
        struct waiter *waiter = user;

        while (goes_on()) {
                fiber_sleep(sim_below(sim_chance(100) ? NS_PER_S : 10 * NS_PER_MS));
                waiter->made = goes_on() ? made_new(&blocking.rules) : NULL;
                if (!waiter->made)
                        continue;
                if (waiter->made->kind == QUOIT_UNARY && sim_chance(800))
                        blocking_call(waiter->made, blocking.channel);
                else
                        call_stream(waiter);
        }
        blocking.threads--;
        return NULL;
}

/* ---- its life ---- */

static bool begin(void)
{
        quoit_client_options options = { .rings = 1 + (unsigned)sim_below(2),
                .engine = QUOIT_ENGINE_EPOLL };

        blocking.choice = (struct choice){ .setting = blocking.setting, .rules = &blocking.rules };
        blocking.rules.server_stops = blocking.setting->server_stops;
        blocking.rules.is_gentle = blocking.setting->is_gentle;
        names_begin(blocking.setting->servers);
        choose_client_limits(blocking.setting, &options.limits);
        if (quoit_client_new(&options, &blocking.client) < 0)
                return false;
        if (choose_channel(&blocking.choice, blocking.client, &blocking.channel) < 0) {
                blocking.client = quoit_client_free(blocking.client);
                return false;
        }
        blocking.rules.channel = blocking.channel;
        blocking.ends_early = sim_chance(300);
        return true;
}

static void act(void)
{
        if (sim_chance(150))
                cancel(blocking.waiters + sim_below(THREADS_MAX));
        if (blocking.choice.has_name && sim_chance(20))
                names_change();
        if (sim_chance(20))
                (void)quoit_channel_connect(blocking.channel);
}

static uint64_t over_ns(const void *unused)
{
        (void)unused;
        return *blocking.setting->server_is_over ? 0 : SIM_NEVER;
}

/* A stream that does not end by itself is given up. */
static void be_calm(void)
{
        struct made *made = NULL;

        names_calm();
        for (unsigned i = 0; i < THREADS_MAX; i++) {
                if (blocking.waiters[i].stream && !made_ends(blocking.waiters[i].made))
                        cancel(blocking.waiters + i);
        }
        if (blocking.setting->admits_all && !*blocking.setting->server_stops)
                made = made_new_late(&blocking.rules);
        blocking.is_calm = true;
        if (made)
                blocking_call(made, blocking.channel);
}

static void live(void)
{
        while (!sim.is_calm && !*blocking.setting->server_is_over) {
                fiber_sleep(sim_below(20 * NS_PER_MS));
                if (blocking.ends_early && sim_chance(50))
                        return;
                act();
        }
        be_calm();
        if (!blocking.ends_early)
                sim_block(over_ns, NULL);
}

static uint64_t opened_ns(const void *unused)
{
        (void)unused;
        return blocking.openers > 0 ? SIM_NEVER : 0;
}

static uint64_t ended_ns(const void *unused)
{
        (void)unused;
        return blocking.threads > 0 ? SIM_NEVER : 0;
}

static void end(void)
{
        quoit_client *client = blocking.client;

        sim_note("the client ends", made_count(), 0);
        blocking.is_ending = true;
        blocking.rules.channel = NULL;
        sim_block(opened_ns, NULL);
        if (sim_chance(500))
                (void)quoit_channel_free(blocking.channel);
        blocking.client = NULL; /* nobody looks at it any more */
        if (quoit_client_free(client))
                sim_fail("a client was not freed");
        sim_block(ended_ns, NULL);
        made_check_ended();
}

void blocking_prepare(const struct setting *setting)
{
        memset(&blocking, 0, sizeof(blocking));
        blocking.setting = setting;
}

void *blocking_run(void *unused)
{
        unsigned threads = 1 + (unsigned)sim_below(THREADS_MAX);

        (void)unused;
        blocking.is_over = !begin();
        if (blocking.is_over)
                return NULL;
        blocking.threads = threads;
        for (unsigned i = 0; i < threads; i++)
                fiber_start("a thread that calls", call_many, blocking.waiters + i);
        live();
        end();
        blocking.is_over = true;
        return NULL;
}

bool blocking_is_served(void)
{
        return made_are_served() && (blocking.is_calm || blocking.is_over);
}

void blocking_check(void)
{
        check_client(blocking.client);
}

void blocking_print(void)
{
        made_print();
        check_print_client(blocking.client);
}
