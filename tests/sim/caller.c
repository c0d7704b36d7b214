/* SPDX-License-Identifier: MIT */
#include "caller.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/engine/sim.h"
#include "pattern.h"
#include "script.quoit.h"
#include "service.h"

enum { MADE_MAX = 256, ASKS_MAX = 4 };

/* One call, as its caller has seen it. */
struct made {
        quoit_outcall *call; /* NULL: it has ended */
        unsigned id;
        quoit_method_kind kind;
        enum act act;
        uint32_t count, size;
        unsigned asks_left; /* to be sent, of a stream */
        uint32_t messages;
        unsigned served; /* handlers that it has had */
        bool is_done, was_cancelled, has_headers, counts_credits;
        bool may_wait; /* for as long as the server has no room for a connection */
};

static struct {
        quoit_client *client;
        quoit_channel *channel;
        const bool *server_is_over;
        int fd;
        uint64_t next_ns; /* when it does something by itself */
        bool is_calm; /* it knows */
        bool is_over;
        uint64_t steps_left; /* it ends before the server does; SIM_NEVER: it does not */
        struct made all[MADE_MAX];
        unsigned count;
} caller;

/* ---- what it hears ---- */

static void check_alive(const struct made *made, const quoit_outcall *call, const char *what)
{
        if (made->is_done || (made->call && made->call != call))
                sim_fail("%s of outcall %u, which has ended", what, made->id);
}

static void on_headers(quoit_outcall *call, void *user)
{
        struct made *made = user;

        check_alive(made, call, "on_headers");
        if (made->has_headers || made->messages > 0)
                sim_fail("outcall %u: headers come twice, or late", made->id);
        made->has_headers = true;
}

static bool sends_many(const struct made *made)
{
        return made->kind == QUOIT_CLIENT_STREAMING || made->kind == QUOIT_BIDI;
}

static bool takes_many(const struct made *made)
{
        return made->kind == QUOIT_SERVER_STREAMING || made->kind == QUOIT_BIDI;
}

static void on_message(quoit_outcall *call, const struct upb_Message *message, void *user)
{
        const script_Told *told = (const script_Told *)message;
        upb_StringView payload = script_Told_payload(told);
        struct made *made = user;
        size_t good = pattern_check(
                (const unsigned char *)payload.data, payload.size, script_Told_number(told));

        check_alive(made, call, "on_message");
        if (good < payload.size || payload.size != made->size)
                sim_fail("outcall %u: a reply of %zu bytes, %zu good ones, %" PRIu32 " asked for",
                        made->id, payload.size, good, made->size);
        if (!sends_many(made) && script_Told_number(told) != made->messages)
                sim_fail("outcall %u: reply %" PRIu32 " in place of %" PRIu32, made->id,
                        script_Told_number(told), made->messages);
        if (!takes_many(made) && made->messages > 0)
                sim_fail("outcall %u: two replies", made->id);
        made->messages++;
        if (made->counts_credits && quoit_outcall_read_credits(call) == 0)
                quoit_outcall_set_read_credits(call, 2);
}

static bool send_one(struct made *made)
{
        upb_Arena *arena = upb_Arena_New();
        script_Ask *ask = arena ? script_Ask_new(arena) : NULL;
        int r = -1;

        if (ask) {
                script_Ask_set_act(ask, (uint32_t)made->act);
                script_Ask_set_count(ask, made->count);
                script_Ask_set_size(ask, made->size);
                r = quoit_outcall_send(made->call, (const struct upb_Message *)ask);
        }
        if (arena)
                upb_Arena_Free(arena);
        return r == 0;
}

/* What there is room for. Without memory it gives the call up. */
static void send_asks(struct made *made)
{
        while (made->asks_left > 0 && (!sends_many(made) || quoit_outcall_writable(made->call))) {
                made->asks_left--;
                if (!send_one(made)) {
                        made->was_cancelled = true;
                        quoit_outcall_cancel(made->call);
                        return;
                }
        }
        if (made->asks_left == 0)
                quoit_outcall_half_close(made->call);
}

static void on_writable(quoit_outcall *call, void *user)
{
        struct made *made = user;

        check_alive(made, call, "on_writable");
        send_asks(made);
}

/* How many replies a call that succeeds has; UINT32_MAX: that is not known. */
static uint32_t replies_of(const struct made *made)
{
        if (!takes_many(made))
                return 1;
        return made->kind == QUOIT_SERVER_STREAMING && act_ends(made->act) ? made->count
                                                                           : UINT32_MAX;
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct made *made = user;
        uint32_t replies = replies_of(made);

        check_alive(made, call, "on_done");
        sim_note("outcall ends", made->id, (uint64_t)status);
        if (status == QUOIT_OK && replies != UINT32_MAX && made->messages != replies)
                sim_fail("outcall %u: OK, with %" PRIu32 " replies of %" PRIu32, made->id,
                        made->messages, replies);
        if (status == QUOIT_OK && made->served != 1)
                sim_fail("outcall %u: OK, and %u handlers have run", made->id, made->served);
        if (status == QUOIT_NOT_FOUND && made->act != ACT_FAIL)
                sim_fail("outcall %u fails as only another was asked to", made->id);
        made->is_done = true;
        made->call = NULL;
}

void caller_note_served(const quoit_call *call)
{
        upb_StringView value;
        unsigned id;

        if (!quoit_call_metadata(call, "x-call", &value))
                return;
        id = (unsigned)strtoul(value.data, NULL, 10);
        if (id >= caller.count || caller.all[id].served++ > 0)
                sim_fail("outcall %u: a second handler has it", id);
}

/* ---- what it does ---- */

static const quoit_method *choose_method(void)
{
        static const char *const names[] = { "Unary", "ServerStream", "ClientStream", "Bidi" };

        return quoit_service_method(&quoit_script__Script_service, names[sim_below(4)]);
}

static enum act choose_act(void)
{
        return sim_chance(500) ? ACT_ANSWER : (enum act)sim_below(ACTS);
}

static void begin_call(void)
{
        static const quoit_outcall_handler handler = { .on_headers = on_headers,
                .on_message = on_message,
                .on_writable = on_writable,
                .on_done = on_done };
        const quoit_method *method = choose_method();
        struct made *made = caller.all + caller.count;
        char id[16]; /* zero-terminated on the wire too: a peer's value is not */
        int size = snprintf(id, sizeof(id), "%u.", caller.count);
        const quoit_metadata field = { "x-call", upb_StringView_FromDataAndSize(id, (size_t)size) };
        const quoit_call_options options = {
                .timeout_ms = sim_chance(300) ? 1 + (uint32_t)sim_below(2000) : 0,
                .wait_for_ready = sim_chance(300),
                .metadata = &field,
                .metadata_count = 1,
        };

        *made = (struct made){ .id = caller.count,
                .kind = method->kind,
                .act = choose_act(),
                .count = (uint32_t)sim_below(20),
                .size = (uint32_t)sim_below(sim_chance(100) ? 100000 : 2000),
                .counts_credits = sim_chance(200),
                .may_wait = options.wait_for_ready && options.timeout_ms == 0 };
        made->asks_left = sends_many(made) ? 1 + (unsigned)sim_below(ASKS_MAX) : 1;
        if (quoit_outcall_start(caller.channel, method, &options, &handler, made, &made->call) < 0)
                return; /* memory was short */
        caller.count++;
        sim_note("outcall", made->id, (uint64_t)made->act);
        if (made->counts_credits && takes_many(made))
                quoit_outcall_set_read_credits(made->call, 1);
        send_asks(made);
}

static void cancel_call(struct made *made)
{
        if (!made->call)
                return;
        made->was_cancelled = true;
        sim_note("outcall is cancelled", made->id, 0);
        quoit_outcall_cancel(made->call);
}

static void act(void)
{
        if (caller.count < MADE_MAX && sim_chance(400))
                begin_call();
        if (caller.count > 0 && sim_chance(100))
                cancel_call(caller.all + sim_below(caller.count));
        if (sim_chance(30))
                (void)quoit_channel_connect(caller.channel);
        caller.next_ns = sim.now_ns + sim_below(sim_chance(100) ? NS_PER_S : 10 * NS_PER_MS);
}

/* What ends by itself shall, the rest is given up. */
static void be_calm(void)
{
        caller.is_calm = true;
        for (unsigned i = 0; i < caller.count; i++) {
                struct made *made = caller.all + i;

                if (!act_ends(made->act) || (made->may_wait && made->served == 0))
                        cancel_call(made);
        }
}

bool caller_is_served(void)
{
        for (unsigned i = 0; i < caller.count; i++) {
                if (caller.all[i].call)
                        return false;
        }
        return caller.is_calm || caller.is_over || !caller.client;
}

void caller_print(void)
{
        for (unsigned i = 0; i < caller.count; i++) {
                const struct made *made = caller.all + i;

                if (made->call)
                        fprintf(stderr,
                                "sim: outcall %u of kind %d, act %d: %" PRIu32 " of %" PRIu32
                                " replies, %u requests left, %u handlers%s\n",
                                i, (int)made->kind, (int)made->act, made->messages, made->count,
                                made->asks_left, made->served,
                                made->was_cancelled ? ", cancelled" : "");
        }
}

/* ---- its life ---- */

static uint32_t one_of(uint32_t one, uint32_t two, uint32_t three)
{
        const uint32_t values[] = { one, two, three };

        return values[sim_below(3)];
}

static void choose_limits(quoit_client_limits *limits)
{
        *limits = (quoit_client_limits){ .message_receive_bytes_max = 1 << 20 };
        if (sim_chance(200))
                limits->call_queue_bytes_max = one_of(1, 100, 2000);
        if (sim_chance(200))
                limits->replay_bytes_max = one_of(1, 100, 1000);
        if (sim_chance(200))
                limits->calls_queued_max = one_of(1, 3, 20);
        if (sim_chance(200))
                limits->streams_max = one_of(1, 3, 10);
        if (sim_chance(200))
                limits->stream_window_bytes = one_of(1000, 16384, 65535);
        if (sim_chance(200))
                limits->connect_ms = one_of(50, 1000, 20000);
        if (sim_chance(300))
                limits->backoff_initial_ms = one_of(10, 100, 1000);
        limits->backoff_max_ms = 10000; /* or a seed's last call may wait for long */
        if (sim_chance(200))
                limits->idle_ms = one_of(10, 200, 5000);
        if (sim_chance(200))
                limits->keepalive_ms = one_of(10, 1000, 20000);
        if (sim_chance(200))
                limits->stall_ms = one_of(50, 1000, UINT32_MAX);
}

static bool begin(void)
{
        static const char *const targets[] = {
                "ipv4:10.0.0.254:443", "ipv4:10.0.0.254:10,10.0.0.254:443", /* refuses, serves */
                "ipv4:10.0.0.254:11,10.0.0.254:443", /* silent, serves */
        };
        quoit_client_options options = { .stepped = true, .engine = QUOIT_ENGINE_EPOLL };

        choose_limits(&options.limits);
        if (quoit_client_new(&options, &caller.client) < 0)
                return false;
        if (quoit_channel_new(caller.client, targets[sim_below(3)], NULL, &caller.channel) < 0) {
                caller.client = quoit_client_free(caller.client);
                return false;
        }
        caller.fd = quoit_client_fd(caller.client);
        caller.steps_left = sim_chance(200) ? sim_below(300) : SIM_NEVER;
        return true;
}

static uint64_t due_ns(const void *unused)
{
        uint64_t ring_ns = sim_poll_due_ns(caller.fd);

        (void)unused;
        if (*caller.server_is_over || caller.is_calm != sim.is_calm)
                return 0;
        return !caller.is_calm && caller.next_ns < ring_ns ? caller.next_ns : ring_ns;
}

static bool ends(void)
{
        if (caller.steps_left != SIM_NEVER && caller.steps_left-- == 0)
                return true;
        return *caller.server_is_over;
}

static void end(void)
{
        sim_note("the client ends", caller.count, 0);
        if (sim_chance(500))
                caller.channel = quoit_channel_free(caller.channel);
        if (quoit_client_free(caller.client))
                sim_fail("a client was not freed");
        for (unsigned i = 0; i < caller.count; i++) {
                if (!caller.all[i].is_done)
                        sim_fail("outcall %u has not ended, and its client has", i);
        }
}

void *caller_run(void *server_is_over)
{
        memset(&caller, 0, sizeof(caller));
        caller.server_is_over = server_is_over;
        if (begin()) {
                while (!ends()) {
                        sim_block(due_ns, NULL);
                        if (sim.is_calm && !caller.is_calm)
                                be_calm();
                        else if (!sim.is_calm && caller.next_ns <= sim.now_ns)
                                act();
                        if (quoit_client_step(caller.client) != 1)
                                sim_fail("a client's step has failed");
                }
                end();
        }
        caller.is_over = true;
        return NULL;
}
