/* SPDX-License-Identifier: MIT */
#include "made.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choice.h"
#include "core/clock.h"
#include "core/engine/sim.h"
#include "core/here.h"
#include "pattern.h"
#include "script.quoit.h"

enum { ASKS_MAX = 4, MADE_MAX = 256 };

static struct made all[MADE_MAX];
static unsigned all_count;

/* ---- what it hears ---- */

static void check_alive(const struct made *made, const char *what)
{
        if (made->is_done)
                sim_fail("%s of outcall %u, which has ended", what, made->id);
        if (made->thread != here_thread())
                sim_fail("%s of outcall %u, on another thread", what, made->id);
}

static void on_headers(quoit_outcall *call, void *user)
{
        struct made *made = user;
        upb_StringView value;

        check_alive(made, "on_headers");
        if (made->has_headers || made->messages > 0)
                sim_fail("outcall %u: headers come twice, or late", made->id);
        made->has_headers = true;
        if (quoit_outcall_header(call, "x-attempt", &value))
                made->answered = (unsigned)value.data[0] - '0';
}

bool made_sends_many(const struct made *made)
{
        return made->kind == QUOIT_CLIENT_STREAMING || made->kind == QUOIT_BIDI;
}

static bool takes_many(const struct made *made)
{
        return made->kind == QUOIT_SERVER_STREAMING || made->kind == QUOIT_BIDI;
}

void made_note_reply(struct made *made, const struct upb_Message *message)
{
        const script_Told *told = (const script_Told *)message;
        upb_StringView payload = script_Told_payload(told);
        size_t good = pattern_check(
                (const unsigned char *)payload.data, payload.size, script_Told_number(told));

        check_alive(made, "a reply");
        if (good < payload.size || payload.size != made->size)
                sim_fail("outcall %u: a reply of %zu bytes, %zu good ones, %" PRIu32 " asked for",
                        made->id, payload.size, good, made->size);
        if (!made_sends_many(made) && script_Told_number(told) != made->messages)
                sim_fail("outcall %u: reply %" PRIu32 " in place of %" PRIu32, made->id,
                        script_Told_number(told), made->messages);
        if (!takes_many(made) && made->messages > 0)
                sim_fail("outcall %u: two replies", made->id);
        made->messages++;
}

static void on_message(quoit_outcall *call, const struct upb_Message *message, void *user)
{
        struct made *made = user;

        made_note_reply(made, message);
        if (made->counts_credits && quoit_outcall_read_credits(call) == 0)
                quoit_outcall_set_read_credits(call, 2);
}

/* ---- what it sends ---- */

const struct upb_Message *made_ask(const struct made *made, upb_Arena *arena)
{
        script_Ask *ask = arena ? script_Ask_new(arena) : NULL;

        if (!ask)
                return NULL;
        script_Ask_set_act(ask, (uint32_t)made->act);
        script_Ask_set_count(ask, made->count);
        script_Ask_set_size(ask, made->size);
        return (const struct upb_Message *)ask;
}

static bool send_one(struct made *made)
{
        upb_Arena *arena = upb_Arena_New();
        const struct upb_Message *ask = made_ask(made, arena);
        int r = ask ? quoit_outcall_send(made->call, ask) : -ENOMEM;

        if (arena)
                upb_Arena_Free(arena);
        return r == 0;
}

/* What there is room for. Without memory it gives the call up. */
static void send_asks(struct made *made)
{
        while (made->asks_left > 0 &&
                (!made_sends_many(made) || quoit_outcall_writable(made->call))) {
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

        (void)call;
        check_alive(made, "on_writable");
        send_asks(made);
}

/* ---- its end ---- */

/* How many replies a call that succeeds has; UINT32_MAX: that is not known. */
static uint32_t replies_of(const struct made *made)
{
        if (made->reads_part)
                return UINT32_MAX;
        if (!takes_many(made))
                return 1;
        return made->kind == QUOIT_SERVER_STREAMING && act_ends(made->act) ? made->count
                                                                           : UINT32_MAX;
}

/* Its server has failed it, and may be asked once more. */
static void check_given_up(const struct made *made, unsigned attempt)
{
        const quoit_channel *channel = made->rules->channel;
        quoit_retry_statistics retries;

        if (made->policy.kind != POLICY_RETRY || service_forbids_retries(made->size) ||
                made->channel != channel || attempt == 0)
                return;
        quoit_channel_get_retries(channel, &retries);
        if (retries.throttled == 0 && retries.overruns == 0 && attempt != made->policy.attempts_max)
                sim_fail("outcall %u is given up after attempt %u of %u", made->id, attempt,
                        made->policy.attempts_max);
}

/*
 * Connections that are of no use, ten in a row, are a reason to wait, and to say so: subchannel.c. Who is in a hurry (quoit_channel_connect())
 * ends the pause; until a connection is READY the channel has failed all the same.
 */
static bool is_useless(const char *why)
{
        return strstr(why, "GOAWAY (NO_ERROR); the next attempt") ||
               strstr(why, "GOAWAY (NO_ERROR); an attempt is under way");
}

static bool parent_is_over(const struct made *made)
{
        return made->parent_is_over && made->parent_is_over(made->user);
}

/* Who ends it on this side has a reason. */
static void check_reason(const struct made *made, const quoit_error *error)
{
        if (strstr(error->text, "the call that this one was made for") && !parent_is_over(made))
                sim_fail("outcall %u ends before the call that it was made for: %s", made->id,
                        error->text);
        if (made->parent_is_over && !parent_is_over(made) &&
                strstr(error->text, "the channel was freed"))
                sim_fail("outcall %u ends with its client, and a handler needs it", made->id);
}

/* No server has lost it, so it must not be lost. */
static void check_kept(const struct made *made, const quoit_error *error)
{
        quoit_status status = error->status;

        if (!made->rules->is_gentle || *made->rules->server_stops ||
                made->rules->channel != made->channel || made->was_cancelled ||
                made->has_deadline || !act_ends(made->act) || parent_is_over(made) ||
                !(made->waits_for_ready || made->rules->is_steady))
                return;
        if (!made->waits_for_ready && is_useless(error->text))
                return;
        if (status == QUOIT_UNAVAILABLE || status == QUOIT_CANCELLED || status == QUOIT_INTERNAL ||
                status == QUOIT_UNKNOWN)
                sim_fail("outcall %u is lost, and %u handlers have run: %s", made->id, made->served,
                        error->text);
}

/* Neither end may be early: the server has what is left, rounded up. */
static void check_late(const struct made *made, const quoit_error *error)
{
        if (strstr(error->text, "(deadline_max_ms)"))
                return; /* the server's own */
        if (strstr(error->text, "of the call that this one was made for"))
                return; /* whose time was a server's to choose */
        if (!made->has_deadline || sim.now_ns < made->deadline_ns)
                sim_fail("outcall %u ends before its deadline: %s", made->id, error->text);
}

static void check_success(const struct made *made)
{
        uint32_t replies = replies_of(made);

        if (replies != UINT32_MAX && made->messages != replies)
                sim_fail("outcall %u: OK, with %" PRIu32 " replies of %" PRIu32, made->id,
                        made->messages, replies);
        if (made->served == 0 || made->act == ACT_BREAK)
                sim_fail("outcall %u: OK, and no handler has served it", made->id);
        if (made->answered > 0 && !(made->attempts & 1u << made->answered))
                sim_fail("outcall %u: OK, by attempt %u, which no handler had", made->id,
                        made->answered);
}

void made_note_end(struct made *made, const quoit_error *error, unsigned attempt)
{
        quoit_status status = error->status;

        check_alive(made, "the end");
        sim_note("outcall ends", made->id, (uint64_t)status);
        if (sim.is_traced)
                printf("      %s\n", error->text);
        check_reason(made, error);
        if (status == QUOIT_OK)
                check_success(made);
        else if (status == QUOIT_DEADLINE_EXCEEDED)
                check_late(made, error);
        else if (status == QUOIT_NOT_FOUND && made->act != ACT_FAIL)
                sim_fail("outcall %u fails as only another was asked to", made->id);
        else if (strcmp(error->text, "UNAVAILABLE: again") == 0)
                check_given_up(made, attempt);
        else if (strcmp(error->text, "UNAVAILABLE: broken off") != 0)
                check_kept(made, error);
        made->is_done = true;
        made->status = status;
        made->call = NULL;
        if (made->on_end)
                made->on_end(status, made->user);
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        upb_StringView value;
        quoit_error error;
        unsigned attempt = 0;

        (void)status;
        quoit_outcall_get_error(call, &error);
        if (quoit_outcall_trailer(call, "x-attempt", &value))
                attempt = (unsigned)value.data[0] - '0';
        made_note_end(user, &error, attempt);
}

/* ---- its handlers ---- */

static void note_served(struct made *made, unsigned attempt)
{
        unsigned attempts_max = made->policy.attempts_max;

        sim_note("outcall is served", made->id, attempt);
        if (attempt == 0 || attempt > attempts_max || made->served == attempts_max)
                sim_fail("outcall %u: attempt %u of %u, and %u handlers have had it", made->id,
                        attempt, attempts_max, made->served);
        if (made->attempts & 1u << attempt)
                sim_fail("outcall %u: a second handler has attempt %u", made->id, attempt);
        /* an earlier one may come late: what was sent on a connection that the client has lost */
        if (made->policy.kind == POLICY_RETRY && made->answered > 0 && attempt > made->answered)
                sim_fail("outcall %u: attempt %u was answered, and attempt %u begins", made->id,
                        made->answered, attempt);
        made->served++;
        made->attempts |= 1u << attempt;
        if (attempt > made->last_attempt)
                made->last_attempt = attempt;
}

/* That, or what a peer has made up; digits end with what is none. */
static unsigned number(upb_StringView text)
{
        unsigned value = 0;

        for (size_t i = 0; i < text.size && text.data[i] >= '0' && text.data[i] <= '9'; i++)
                value = value * 10 + (unsigned)(text.data[i] - '0');
        return value;
}

int made_note_served(const quoit_call *call, unsigned *ret_attempt)
{
        upb_StringView value;
        unsigned id;

        *ret_attempt = 1;
        if (!quoit_call_metadata(call, "x-call", &value))
                return -1;
        id = number(value);
        if (id >= all_count)
                sim_fail("outcall %u is served, and nobody has made it", id);
        if (quoit_call_metadata(call, "grpc-previous-rpc-attempts", &value))
                *ret_attempt = 1 + number(value);
        if (all[id].has_deadline && quoit_call_deadline_ns(call) == UINT64_MAX)
                sim_fail("outcall %u has a deadline that its server does not know", id);
        note_served(all + id, *ret_attempt);
        return (int)id;
}

/* ---- all of a run ---- */

void made_begin_run(void)
{
        all_count = 0;
}

unsigned made_count(void)
{
        return all_count;
}

struct made *made_at(unsigned id)
{
        return all + id;
}

bool made_has_ended(unsigned id)
{
        return all[id].is_done;
}

bool made_are_served(void)
{
        for (unsigned i = 0; i < all_count; i++) {
                if (!all[i].is_done && made_ends(all + i))
                        return false;
        }
        return true;
}

static void check_counts(const quoit_retry_statistics *retries)
{
        uint64_t seen[POLICIES] = { 0 }, most[POLICIES] = { 0 };

        for (unsigned i = 0; i < all_count; i++) {
                const struct made *made = all + i;

                seen[made->policy.kind] += made->last_attempt > 0 ? made->last_attempt - 1 : 0;
                most[made->policy.kind] += made->policy.attempts_max - 1;
        }
        if (retries->retries < seen[POLICY_RETRY] || retries->retries > most[POLICY_RETRY])
                sim_fail("%" PRIu64 " retries, of at most %" PRIu64
                         "; the servers know of %" PRIu64,
                        retries->retries, most[POLICY_RETRY], seen[POLICY_RETRY]);
        if (retries->hedged < seen[POLICY_HEDGING] || retries->hedged > most[POLICY_HEDGING])
                sim_fail("%" PRIu64 " hedged attempts, of at most %" PRIu64
                         "; the servers know of %" PRIu64,
                        retries->hedged, most[POLICY_HEDGING], seen[POLICY_HEDGING]);
        if (retries->throttled > 0 && all_count > 0 && !all->rules->is_throttled)
                sim_fail("attempts are throttled, and nothing says that they should be");
}

void made_check_ended(void)
{
        for (unsigned i = 0; i < all_count; i++) {
                if (!all[i].is_done)
                        sim_fail("outcall %u has not ended, and its client has", i);
        }
        choice_check_ended();
}

void made_check_all(const quoit_retry_statistics *retries)
{
        made_check_ended();
        check_counts(retries);
}

/* ---- from its caller ---- */

static const quoit_method *method_of(quoit_method_kind kind)
{
        static const char *const names[] = { "Unary", "ServerStream", "ClientStream", "Bidi" };

        return quoit_service_method(&quoit_script__Script_service, names[kind]);
}

static void choose_act(struct made *made)
{
        bool is_tried_again = made->policy.kind != POLICY_NONE;

        if (is_tried_again && sim_chance(500))
                made->act = sim_chance(700) ? ACT_AGAIN : ACT_BREAK;
        else
                made->act = sim_chance(500) ? ACT_ANSWER : (enum act)sim_below(ACTS);
        made->count = (uint32_t)sim_below(20);
        made->size = (uint32_t)sim_below(sim_chance(100) ? 100000 : 2000);
        made->asks_left = made_sends_many(made) ? 1 + (unsigned)sim_below(ASKS_MAX) : 1;
        made->counts_credits = sim_chance(200);
        if (made->is_late || (made->must_end && !made->has_deadline && !act_ends(made->act)))
                made->act = ACT_ANSWER;
}

/* The earlier one of both holds. */
static void inherit_deadline(struct made *made)
{
        uint64_t deadline_ns = quoit_call_deadline_ns(made->parent);

        if (deadline_ns == UINT64_MAX || (made->has_deadline && made->deadline_ns < deadline_ns))
                return;
        made->has_deadline = true;
        made->deadline_ns = deadline_ns;
}

struct made *made_new(const struct rules *rules)
{
        struct made *made = all + all_count;

        if (all_count == MADE_MAX)
                return NULL;
        *made = (struct made){ .rules = rules,
                .id = all_count++,
                .kind = (quoit_method_kind)sim_below(4),
                .policy = { .attempts_max = 1 } };
        return made;
}

struct made *made_new_late(const struct rules *rules)
{
        struct made *made = made_new(rules);

        if (made)
                made->is_late = true;
        return made;
}

void made_prepare(struct made *made, quoit_channel *channel, struct made_request *ret_request)
{
        char *id = ret_request->id;
        int size = snprintf(id, sizeof(ret_request->id), "%u.", made->id);
        uint32_t timeout_ms = !made->is_late && sim_chance(300) ? 1 + (uint32_t)sim_below(2000) : 0;
        uint32_t configured_ms = made->rules->policies[made->kind].timeout_ms;
        bool may_wait = !made->must_end || timeout_ms > 0 || made->rules->is_gentle;

        ret_request->method = method_of(made->kind);
        ret_request->field =
                (quoit_metadata){ "x-call", upb_StringView_FromDataAndSize(id, (size_t)size) };
        ret_request->options = (quoit_call_options){
                .timeout_ms = timeout_ms,
                .compression = (quoit_compression)(sim_chance(200) ? sim_below(QUOIT_ZSTD + 1) : 0),
                .wait_for_ready = made->is_late || (sim_chance(300) && may_wait)
                                          ? QUOIT_WAIT_FOR_READY
                                          : QUOIT_WAIT_AS_CONFIGURED,
                .hash_key = upb_StringView_FromDataAndSize(id, sim_chance(500) ? 1 : 0),
                .metadata = &ret_request->field,
                .metadata_count = 1,
                .parent = made->parent,
        };
        made->channel = channel;
        made->policy = made->rules->policies[made->kind];
        if (configured_ms > 0 && (timeout_ms == 0 || configured_ms < timeout_ms))
                timeout_ms = configured_ms; /* the shorter one holds */
        made->has_deadline = timeout_ms > 0;
        made->deadline_ns = sim.now_ns + timeout_ms * NS_PER_MS;
        made->thread = here_thread();
        if (made->parent)
                inherit_deadline(made);
        made->waits_for_ready = ret_request->options.wait_for_ready == QUOIT_WAIT_FOR_READY;
        choose_act(made);
        sim_note("outcall", made->id, (uint64_t)made->act);
}

int made_begin(struct made *made, quoit_channel *channel)
{
        static const quoit_outcall_handler handler = { .on_headers = on_headers,
                .on_message = on_message,
                .on_writable = on_writable,
                .on_done = on_done };
        struct made_request request;
        int r;

        made_prepare(made, channel, &request);
        r = quoit_outcall_start(
                channel, request.method, &request.options, &handler, made, &made->call);
        made->is_done = r < 0; /* memory was short */
        if (r < 0)
                return r;
        if (made->counts_credits && takes_many(made))
                quoit_outcall_set_read_credits(made->call, 1);
        send_asks(made);
        return 0;
}

void made_cancel(struct made *made)
{
        if (!made->call)
                return;
        made->was_cancelled = true;
        sim_note("outcall is cancelled", made->id, 0);
        quoit_outcall_cancel(made->call);
}

void made_cancel_endless(void)
{
        for (unsigned i = 0; i < all_count; i++) {
                if (all[i].thread == here_thread() && !made_ends(all + i))
                        made_cancel(all + i);
        }
}

bool made_ends(const struct made *made)
{
        return act_ends(made->act) &&
               (!made->waits_for_ready || made->has_deadline ||
                       (made->served > 0 && made->policy.kind == POLICY_NONE) ||
                       made->rules->is_gentle || made->is_late);
}

static void print(const struct made *made)
{
        fprintf(stderr,
                "sim: outcall %u of kind %d, act %d: %" PRIu32 " of %" PRIu32
                " replies, %u requests left, %u handlers, attempt %u of %u%s%s\n",
                made->id, (int)made->kind, (int)made->act, made->messages, made->count,
                made->asks_left, made->served, made->last_attempt, made->policy.attempts_max,
                made->waits_for_ready ? ", waits for ready" : "",
                made->was_cancelled ? ", cancelled" : "");
}

void made_print(void)
{
        for (unsigned i = 0; i < all_count; i++) {
                if (!all[i].is_done)
                        print(all + i);
        }
}
