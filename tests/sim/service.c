/* SPDX-License-Identifier: MIT */
#include "service.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/load_reports.h>

#include "call/call.h"
#include "core/clock.h"
#include "core/engine/sim.h"
#include "lent.h"
#include "made.h"
#include "pattern.h"
#include "peer.h"
#include "script.quoit.h"

enum { SERVED_MAX = 1024, CREDITS = 2, COMPRESSIONS = QUOIT_ZSTD + 1 };

#define ENDLESS_MAX 300u /* then it sends nothing more */

#define TOLD_NS_MAX                                                                                \
        NS_PER_S /* of a cancellation, at the latest, where no worker is to be waited for */
#define LEFT_NS_MAX (5 * NS_PER_S) /* of the end at its caller, which goes over the network */
#define SIZE_MAX_BYTES 200000u

/* One call, as its handler has seen it. */
struct served {
        quoit_call *call;
        unsigned id;
        enum act act;
        uint32_t left, size, number;
        unsigned failures; /* of ACT_AGAIN */
        uint32_t delay_ms;
        uint64_t cancelled_ns; /* when service_check() saw it */
        int outcall; /* of the client's; -1: it is a peer's */
        unsigned attempt; /* of that, from 1 */
        uint64_t left_ns; /* when service_check() saw that its caller has ended it */
        bool is_begun, is_cancelled, is_done, is_held, is_posted, was_posted, half_closed;
        bool counts_credits, is_delayed, is_offloaded;
        bool is_wrong; /* its client has damaged the request */
        const struct made *made; /* the outcall that is made for it; NULL: there is none */
        bool awaits; /* it answers when that has ended */
        uint64_t over_ns; /* when service_check() saw that it has ended, and that goes on */
};

static struct served all[SERVED_MAX];
static unsigned served_count;
static bool is_offloaded[4]; /* by kind */

bool act_ends(enum act act)
{
        return act != ACT_HOLD && act != ACT_AT_STOP && act != ACT_ENDLESS;
}

/* ---- life ---- */

/* Without faults, a cancellation must be delivered in time. */
static void check_told(const struct served *served)
{
        uint64_t took_ns = served->cancelled_ns > 0 ? sim.now_ns - served->cancelled_ns : 0;

        if (took_ns > TOLD_NS_MAX)
                sim_fail("call %u was cancelled %" PRIu64 " ms ago, and its handler was not told",
                        served->id, took_ns / NS_PER_MS);
}

static void check_alive(const struct served *served, const char *what)
{
        if (!served->is_begun || served->is_done)
                sim_fail("%s of call %u, which has ended", what, served->id);
}

static void on_cancel(quoit_call *call, void *user)
{
        struct served *served = user;

        check_alive(served, "on_cancel");
        if (served->is_cancelled || !quoit_call_cancelled(call))
                sim_fail("on_cancel of call %u, which was told of it or is not cancelled",
                        served->id);
        served->is_cancelled = true;
        if (served->is_held)
                check_told(served);
        sim_note("on_cancel", served->id, 0);
        if (served->awaits && sim_chance(500)) {
                served->awaits = false;
                quoit_call_finish(call, QUOIT_CANCELLED, NULL);
        }
        if (served->is_held && !served->is_posted) {
                served->is_held = false;
                quoit_call_finish(call, QUOIT_CANCELLED, NULL);
        }
}

static void on_done(quoit_call *call, void *user)
{
        struct served *served = user;

        (void)call;
        check_alive(served, "on_done");
        if (served->is_delayed)
                sim_fail("call %u has ended, and what it delayed has not run", served->id);
        if (served->is_posted)
                sim_fail("call %u has ended while a post to it is on its way", served->id);
        served->is_done = true;
        served->is_held = false;
        sim_note("on_done", served->id, 0);
}

/* So that its caller knows which attempt has answered. */
static void name_attempt(quoit_call *call, const struct served *served)
{
        char text[8];
        int size = snprintf(text, sizeof(text), "%u", served->attempt);

        (void)quoit_call_add_header(
                call, "x-attempt", upb_StringView_FromDataAndSize(text, (size_t)size));
}

static struct served *begin(quoit_call *call)
{
        struct served *served = all + served_count;
        upb_StringView value;

        if (served_count == SERVED_MAX)
                sim_fail("the simulator has too few calls");
        *served = (struct served){ .call = call, .id = served_count++, .is_begun = true };
        sim_note("on_start", served->id, 0);
        served->is_wrong = quoit_call_metadata(call, "x-wrong", &value);
        quoit_call_on_cancel(call, on_cancel, served);
        peer_note_served(call);
        served->outcall = made_note_served(call, &served->attempt);
        if (served->outcall >= 0)
                name_attempt(call, served);
        return served;
}

static void check_payload(const script_Ask *ask)
{
        upb_StringView payload = script_Ask_payload(ask);
        const unsigned char *bytes = (const unsigned char *)payload.data;
        size_t good = payload.size > 0 ? pattern_check(bytes, payload.size, bytes[0]) : 0;

        if (good < payload.size)
                sim_fail("a request of %zu bytes is not what was sent, from byte %zu on",
                        payload.size, good);
}

static void read_ask(struct served *served, const script_Ask *ask)
{
        if (!served->is_wrong)
                check_payload(ask);
        served->act = (enum act)(script_Ask_act(ask) % ACTS);
        served->left = script_Ask_count(ask) % 1000;
        served->delay_ms = script_Ask_count(ask) % 5000;
        served->failures = service_failures(script_Ask_count(ask));
        served->size = script_Ask_size(ask) % SIZE_MAX_BYTES;
}

/* ---- answers ---- */

static script_Told *told_new(quoit_call *call, struct served *served)
{
        upb_Arena *arena = quoit_call_scratch(call);
        script_Told *told = arena ? script_Told_new(arena) : NULL;
        unsigned char *payload = told ? upb_Arena_Malloc(arena, served->size + 1) : NULL;

        if (!payload)
                return NULL;
        pattern_fill(payload, served->size, served->number);
        script_Told_set_number(told, served->number++);
        script_Told_set_payload(
                told, upb_StringView_FromDataAndSize((char *)payload, served->size));
        return told;
}

static void reply(quoit_call *call, struct served *served)
{
        script_Script_Unary_reply(call, told_new(call, served));
}

static bool send_one(quoit_call *call, struct served *served)
{
        served->left--;
        return script_Script_ServerStream_send(call, told_new(call, served)) == 0;
}

static void pump(quoit_call *call, void *user)
{
        struct served *served = user;

        check_alive(served, "a pump");
        while (served->left > 0 && (served->act == ACT_BURST || quoit_call_writable(call)))
                if (!send_one(call, served))
                        return;
        if (served->left == 0 && served->act != ACT_ENDLESS)
                quoit_call_finish(call, QUOIT_OK, NULL);
}

/* Offloaded: it waits on its worker. */
static void stream_blocking(quoit_call *call, struct served *served)
{
        while (served->left > 0 && !quoit_call_cancelled(call))
                if (!send_one(call, served))
                        break;
        quoit_call_finish(call, QUOIT_OK, NULL);
}

static bool sends_many(quoit_call *call)
{
        return strstr(quoit_call_path(call), "ServerStream");
}

static void answer(quoit_call *call, struct served *served)
{
        check_alive(served, "an answer");
        if (quoit_call_cancelled(call))
                quoit_call_finish(call, QUOIT_CANCELLED, NULL);
        else if (sends_many(call))
                quoit_call_pump(call, pump, served);
        else
                reply(call, served);
}

static void on_time(quoit_call *call, void *user)
{
        struct served *served = user;

        check_told(served);
        served->is_delayed = false;
        answer(call, served);
}

static void on_post(quoit_call *call, void *user)
{
        struct served *served = user;

        served->is_posted = false;
        answer(call, served);
}

static void fail_again(quoit_call *call, const struct served *served)
{
        static const char *const pushbacks[8] = { [1] = "20", [2] = "-1" };
        const char *pushback = pushbacks[served->size % 8];

        if (pushback)
                (void)quoit_call_add_trailer(
                        call, "grpc-retry-pushback-ms", upb_StringView_FromString(pushback));
        quoit_call_finish(call, QUOIT_UNAVAILABLE, "again");
}

static void break_off(quoit_call *call, struct served *served)
{
        quoit_call_send_headers(call);
        if (sends_many(call) && served->left > 0)
                (void)send_one(call, served);
        quoit_call_finish(call, QUOIT_UNAVAILABLE, "broken off");
}

/* True: it has failed, as it was asked for. */
static bool fails(quoit_call *call, struct served *served)
{
        if (served->act == ACT_FAIL)
                quoit_call_finish(call, QUOIT_NOT_FOUND, "as it was asked for");
        else if (served->act == ACT_BREAK)
                break_off(call, served);
        else if (served->act == ACT_AGAIN && served->attempt <= served->failures)
                fail_again(call, served);
        else
                return false;
        return true;
}

static void hold(quoit_call *call, struct served *served)
{
        served->is_held = true;
        quoit_call_hold(call);
}

static void delay(quoit_call *call, struct served *served)
{
        int r = served->act == ACT_AT_STOP
                        ? quoit_call_at_stop(call, on_time, served)
                        : quoit_call_after(call, served->delay_ms, on_time, served);

        served->is_delayed = r == 0;
        if (r < 0)
                quoit_call_finish(call, QUOIT_UNAVAILABLE, NULL);
}

/* ---- another service's answer ---- */

static bool is_over(const void *user)
{
        const struct served *served = user;

        return served->is_done || call_is_ended(served->call);
}

static void on_outcall_end(quoit_status status, void *user)
{
        struct served *served = user;

        if (!served->awaits)
                return;
        check_alive(served, "the end of an outcall");
        served->awaits = false;
        served->is_held = true;
        if (status != QUOIT_OK)
                quoit_call_finish(served->call, QUOIT_UNAVAILABLE, "its outcall has failed");
        else if (!fails(served->call, served))
                answer(served->call, served);
}

/* What is served for an outcall makes none: two could wait for each other, behind a stream limit. */
static struct made *draw_outcall(struct served *served)
{
        struct made *made = served->outcall < 0 && !served->is_wrong ? lent_draw() : NULL;

        if (made) {
                made->on_end = on_outcall_end;
                made->user = served;
        }
        return made;
}

/* It ends with the call, for which it is made; or goes on, made for nobody. */
static void call_beside(quoit_call *call, struct served *served)
{
        struct made *made = draw_outcall(served);
        bool has_parent = sim_chance(800);

        if (!made)
                return;
        made->must_end = !has_parent;
        made->parent = has_parent ? call : NULL;
        made->parent_is_over = has_parent ? is_over : NULL;
        if (lent_call(made) == 0 && has_parent)
                served->made = made;
}

/* True: the answer is to come behind the other service's. */
static bool asks_first(quoit_call *call, struct served *served)
{
        struct made *made;

        if (served->act != ACT_ANSWER && served->act != ACT_BURST && served->act != ACT_FAIL)
                return call_beside(call, served), false;
        made = draw_outcall(served);
        if (!made)
                return false;
        made->must_end = true;
        made->parent = call;
        made->parent_is_over = is_over;
        if (lent_call(made) < 0)
                return false;
        served->made = made;
        served->awaits = true;
        quoit_call_hold(call);
        return true;
}

/* The same on a worker. The other service's handler does not need one: it might wait for this one. */
static bool waits_first(quoit_call *call, struct served *served)
{
        struct made *made = is_offloaded[QUOIT_UNARY] ? NULL : draw_outcall(served);

        if (!made)
                return false;
        made->must_end = quoit_call_deadline_ns(call) == UINT64_MAX;
        made->parent = call;
        made->parent_is_over = is_over;
        served->made = made;
        lent_call_blocking(made);
        if (made->status != QUOIT_OK)
                quoit_call_finish(call, QUOIT_UNAVAILABLE, "its outcall has failed");
        return made->status != QUOIT_OK;
}

/* ---- one request ---- */

static void one(quoit_call *call, const script_Ask *ask, quoit_method_kind kind)
{
        struct served *served = begin(call);

        served->is_offloaded = is_offloaded[kind];
        quoit_call_on_done(call, on_done, served);
        read_ask(served, ask);
        if (served->is_offloaded ? waits_first(call, served) : asks_first(call, served))
                return;
        if (fails(call, served))
                return;
        switch (served->act) {
        case ACT_AFTER:
        case ACT_AT_STOP:
                delay(call, served);
                break;
        case ACT_POST:
        case ACT_HOLD:
                hold(call, served);
                break;
        case ACT_ENDLESS:
                /* on a worker it would keep that from other calls of its connection for ever */
                if (!sends_many(call) || served->is_offloaded) {
                        hold(call, served);
                        break;
                }
                served->left = ENDLESS_MAX;
                quoit_call_pump(call, pump, served);
                break;
        default:
                if (!sends_many(call))
                        reply(call, served);
                else if (served->is_offloaded)
                        stream_blocking(call, served);
                else
                        quoit_call_pump(call, pump, served);
        }
}

static void unary(quoit_call *call, const script_Ask *ask, void *user)
{
        (void)user;
        one(call, ask, QUOIT_UNARY);
}

static void server_stream(quoit_call *call, const script_Ask *ask, void *user)
{
        (void)user;
        one(call, ask, QUOIT_SERVER_STREAMING);
}

/* ---- many requests ---- */

static void *many_start(quoit_call *call, void *user)
{
        struct served *served = begin(call);
        bool is_bidi = strstr(quoit_call_path(call), "Bidi");

        (void)user;
        served->is_offloaded = is_offloaded[is_bidi ? QUOIT_BIDI : QUOIT_CLIENT_STREAMING];
        if (!served->is_offloaded)
                call_beside(call, served);
        served->counts_credits = served->id % 3 == 0;
        if (served->counts_credits)
                quoit_call_set_read_credits(call, CREDITS);
        return served;
}

static void refill(quoit_call *call, void *user)
{
        check_alive(user, "a delay");
        quoit_call_set_read_credits(call, CREDITS);
}

static void count_message(quoit_call *call, const script_Ask *ask, struct served *served)
{
        check_alive(served, "on_message");
        read_ask(served, ask);
        if (served->counts_credits && quoit_call_read_credits(call) == 0 &&
                quoit_call_after(call, 3, refill, served) < 0)
                quoit_call_set_read_credits(call, QUOIT_CREDITS_UNLIMITED);
}

static void upload_message(quoit_call *call, const script_Ask *ask, void *state)
{
        struct served *served = state;

        count_message(call, ask, served);
        served->number++;
}

static void upload_half_close(quoit_call *call, void *state)
{
        struct served *served = state;

        check_alive(served, "on_half_close");
        served->half_closed = true;
        if (served->act != ACT_FAIL && fails(call, served))
                return;
        if (served->act == ACT_HOLD || served->act == ACT_POST)
                hold(call, served);
        else if (served->act == ACT_AFTER)
                delay(call, served);
        else
                reply(call, served);
}

static void many_done(quoit_call *call, void *state)
{
        on_done(call, state);
}

static void chat_message(quoit_call *call, const script_Ask *ask, void *state)
{
        struct served *served = state;

        count_message(call, ask, served);
        (void)script_Script_Bidi_send(call, told_new(call, served));
        if (!served->counts_credits && !quoit_call_writable(call))
                quoit_call_set_read_credits(call, 0);
}

static void chat_writable(quoit_call *call, void *state)
{
        struct served *served = state;

        check_alive(served, "on_writable");
        if (!served->counts_credits)
                quoit_call_set_read_credits(call, QUOIT_CREDITS_UNLIMITED);
}

static void chat_half_close(quoit_call *call, void *state)
{
        struct served *served = state;

        check_alive(served, "on_half_close");
        served->half_closed = true;
        if (served->act == ACT_FAIL || !fails(call, served))
                quoit_call_finish(call, QUOIT_OK, NULL);
}

/* ---- interceptors ---- */

static unsigned starts, ends;
static const char intercepted_key;

struct intercepted {
        quoit_call *call;
        bool has_ended;
};

static struct intercepted intercepted[SERVED_MAX];

static void proceed(quoit_call *call, void *user)
{
        (void)user;
        quoit_call_proceed(call);
}

static void on_start(quoit_call *call, void *user)
{
        struct intercepted *own = intercepted + starts;

        (void)user;
        if (starts++ == SERVED_MAX)
                sim_fail("the simulator has too few calls");
        *own = (struct intercepted){ .call = call };
        if (quoit_call_attach(call, &intercepted_key, own) < 0) {
                own->has_ended = true; /* its end cannot be seen */
                ends++;
        }
        if (sim_chance(100))
                quoit_call_finish(call, QUOIT_PERMISSION_DENIED, "intercepted");
        else if (sim_chance(100)) {
                quoit_call_hold(call);
                if (quoit_call_after(call, (uint32_t)sim_below(50), proceed, NULL) < 0)
                        quoit_call_finish(call, QUOIT_UNAVAILABLE, NULL);
        }
}

static void on_end(const quoit_call *call, const quoit_call_summary *summary, void *user)
{
        struct intercepted *own = quoit_call_attachment(call, &intercepted_key);

        (void)user;
        if (!own)
                return;
        if (own->has_ended || own->call != call || !summary->start_seen)
                sim_fail("an interceptor is told twice of a call's end");
        own->has_ended = true;
        ends++;
}

/* ---- from without ---- */

static bool waits(const struct served *served)
{
        return served->is_held && served->act == ACT_POST && !served->was_posted &&
               !served->is_done && !served->is_cancelled;
}

unsigned service_waiting(void)
{
        unsigned count = 0;

        for (unsigned i = 0; i < served_count; i++)
                count += waits(all + i);
        return count;
}

bool service_post(void)
{
        unsigned count = service_waiting();
        uint64_t nth = sim_below(count);

        for (unsigned i = 0; i < served_count && count > 0; i++) {
                if (!waits(all + i) || nth-- > 0)
                        continue;
                all[i].is_posted = all[i].was_posted = true;
                sim_note("posts", all[i].id, 0);
                if (quoit_call_post(all[i].call, on_post, all + i) < 0) /* no memory: tried again */
                        all[i].is_posted = all[i].was_posted = false;
                return all[i].is_posted;
        }
        return false;
}

/* Of its end, or by a delay that is cut short. */
static bool is_to_be_told(const struct served *served)
{
        if (served->is_done || served->is_offloaded || !quoit_call_cancelled(served->call))
                return false;
        return served->is_delayed || (served->is_held && !served->is_cancelled);
}

/* Its caller has ended it, and it has not heard of that. */
static void check_left(struct served *served)
{
        if (served->is_done || served->is_offloaded || served->outcall < 0 ||
                !made_has_ended((unsigned)served->outcall))
                return;
        if (served->left_ns == 0)
                served->left_ns = sim.now_ns;
        if (sim.now_ns - served->left_ns > LEFT_NS_MAX)
                sim_fail("call %u runs, which is attempt %u of outcall %d, which has ended",
                        served->id, served->attempt, served->outcall);
}

/* What is made for a call ends with it. */
static void check_outcall(struct served *served)
{
        if (!served->made || served->made->is_done || !is_over(served))
                return;
        if (served->over_ns == 0)
                served->over_ns = sim.now_ns;
        if (sim.now_ns - served->over_ns > TOLD_NS_MAX)
                sim_fail("outcall %u goes on, and call %u, for which it was made, has ended",
                        served->made->id, served->id);
}

void service_check(void)
{
        for (unsigned i = 0; i < served_count && sim.is_calm; i++) {
                struct served *served = all + i;

                check_left(served);
                check_outcall(served);
                if (!is_to_be_told(served))
                        continue;
                if (served->cancelled_ns == 0)
                        served->cancelled_ns = sim.now_ns;
                check_told(served);
        }
}

void service_end(void)
{
        for (unsigned i = 0; i < served_count; i++)
                if (!all[i].is_done)
                        sim_fail("call %u has begun, and never ended", i);
        if (starts != ends)
                sim_fail("interceptors have seen %u calls start, and %u end", starts, ends);
}

void service_on_log(void *user, quoit_log_level level, const char *line)
{
        (void)user;
        if (sim.is_traced)
                printf("      log %d: %s\n", (int)level, line);
        sim_note("log", level, strlen(line));
        if (level == QUOIT_LOG_ERROR && strstr(line, "a mistake of the handler"))
                sim_fail("the server blames the handlers: %s", line);
}

/* ---- its life ---- */

static bool is_intercepted, reports_load, reports_with_calls;
static quoit_method_options method_options[4];

static int set_methods(quoit_server *server)
{
        static const char *const methods[] = { "/script.Script/Unary",
                "/script.Script/ServerStream", "/script.Script/ClientStream",
                "/script.Script/Bidi" };
        int r = 0;

        for (unsigned i = 0; i < 4 && r == 0; i++)
                r = quoit_server_set_method(server, methods[i], method_options + i);
        return r;
}

/* To clients that ask for weights (weighted_round_robin), by streams or with each call. */
static int report_load(quoit_server *server)
{
        const quoit_load_reports_options options = { .interval_ms_min = 10,
                .with_calls = reports_with_calls };
        const quoit_load load = { .application_utilization = 0.3, .requests_per_second = 100 };
        quoit_load_reports *reports;
        int r = reports_load ? quoit_load_reports_register(server, &options, &reports) : 0;

        return r == 0 && reports_load ? quoit_load_reports_set(reports, &load) : r;
}

int service_register(quoit_server *server, quoit_health **ret_health)
{
        static const script_Script_service service = {
                .Unary = unary,
                .ServerStream = server_stream,
                .ClientStream = {
                        .on_start = many_start,
                        .on_message = upload_message,
                        .on_half_close = upload_half_close,
                        .on_done = many_done,
                },
                .Bidi = {
                        .on_start = many_start,
                        .on_message = chat_message,
                        .on_half_close = chat_half_close,
                        .on_writable = chat_writable,
                        .on_done = many_done,
                },
        };
        static const quoit_interceptor interceptor = { .on_start = on_start, .on_end = on_end };
        int r = is_intercepted ? quoit_server_intercept(server, &interceptor, NULL) : 0;

        if (r == 0)
                r = script_Script_register(server, &service, NULL);
        if (r == 0)
                r = quoit_health_register(server, ret_health);
        if (r == 0)
                r = quoit_health_set(*ret_health, "script.Script", QUOIT_HEALTH_SERVING);
        if (r == 0)
                r = report_load(server);
        if (r == 0)
                r = set_methods(server);
        if (r < 0 && r != -ENOMEM)
                sim_fail("the service cannot be registered");
        return r;
}

void service_choose(quoit_server_options *options)
{
        options->handshake_threads = 1 + (unsigned)sim_below(2);
        options->http2_only = sim_chance(200);
        if (sim_chance(200))
                options->compression = (quoit_compression)sim_below(COMPRESSIONS);
        if (sim_chance(500))
                options->limits.compress_bytes_min = 1;
        if (sim_chance(100))
                options->limits.compress_ring_bytes_max = 1000;
        if (sim_chance(100))
                options->limits.turn_work_us = 1;
        if (sim_chance(100))
                options->limits.window_bytes_max = 1; /* they do not grow */
}

void service_begin(void)
{
        served_count = starts = ends = 0;
        is_intercepted = sim_chance(200);
        reports_load = sim_chance(300);
        reports_with_calls = sim_chance(500);
        for (unsigned i = 0; i < 4; i++) {
                method_options[i] = (quoit_method_options){ .offload = sim_chance(250) };
                is_offloaded[i] = method_options[i].offload;
                if (sim_chance(200))
                        method_options[i].compression = (quoit_compression)sim_below(COMPRESSIONS);
                if (sim_chance(100))
                        method_options[i].deadline_max_ms = 1 + (uint32_t)sim_below(2000);
                if (sim_chance(100))
                        method_options[i].live_calls_max = 1 + (uint32_t)sim_below(8);
        }
}
