/* SPDX-License-Identifier: MIT */
#include "client/hedging.h"

#include <errno.h>
#include <string.h>

#include "client/channel.h"
#include "client/outcall.h"
#include "core/clock.h"

#define NEXT_NS_MIN NS_PER_MS /* before an attempt that there was no room for is tried again */

static struct ring *ring_of(const struct hedging *hedging)
{
        return hedging->call->exchange.group->host->ring;
}

static struct quoit_outcall *attempt_at(struct list *link)
{
        return CONTAINER_OF(link, struct quoit_outcall, sibling);
}

/* ---- what is sent ---- */

/* Queues @size bytes of the call's, which live longer than @attempt. 0 or -ENOMEM. */
static int queue_bytes(struct quoit_outcall *attempt, const uint8_t *data, size_t size)
{
        struct exchange *exchange = &attempt->exchange;
        struct writer *writer = &exchange->writer;
        upb_Arena *arena = exchange_arena(exchange);
        struct segment *segment;

        if (writer->first && writer->last->data + writer->last->size == data) {
                writer_extend(exchange, size);
                return 0;
        }
        segment = arena ? upb_Arena_Malloc(arena, sizeof(*segment)) : NULL;
        if (!segment)
                return -ENOMEM;
        *segment =
                (struct segment){ .data = data, .size = size, .release = writer_release_nothing };
        writer_append_segment(exchange, segment);
        return 0;
}

/* What the call has and @attempt has not. */
static int give(const struct quoit_outcall *call, struct quoit_outcall *attempt)
{
        size_t skip = attempt->given_bytes;

        for (const struct segment *segment = call->exchange.writer.first; segment;
                segment = segment->next) {
                size_t size = skip < segment->size ? segment->size - skip : 0;

                if (size > 0 && queue_bytes(attempt, segment->data + skip, size) < 0)
                        return -ENOMEM;
                skip -= size > 0 ? skip : segment->size;
        }
        attempt->given_bytes = call->exchange.writer.queued_bytes;
        attempt->half_closed = call->half_closed;
        outcall_ask_to_send(attempt);
        return 0;
}

/* ---- attempts ---- */

/* Who waited for room in @attempt's queue waits for room in the oldest one's. */
static void pass_writable(struct hedging *hedging, struct quoit_outcall *attempt)
{
        struct quoit_outcall *leader = outcall_leader(hedging->call);

        if (!attempt->wants_writable)
                return;
        attempt->wants_writable = false;
        leader->wants_writable = true;
        if (leader != hedging->call)
                outcall_wake(leader);
}

/* It ends, and nobody hears of it. */
static void drop(struct hedging *hedging, struct quoit_outcall *attempt)
{
        list_remove(&attempt->sibling);
        pass_writable(hedging, attempt);
        outcall_fail(attempt, QUOIT_CANCELLED, "");
}

static void drop_all_but(struct hedging *hedging, const struct quoit_outcall *winner)
{
        struct list *link, *next;

        timer_cancel(&ring_of(hedging)->timers, &hedging->next);
        hedging->stops = true;
        for (link = hedging->attempts.next; link != &hedging->attempts; link = next) {
                next = link->next;
                if (attempt_at(link) != winner)
                        drop(hedging, attempt_at(link));
        }
}

static void on_next(struct timer *timer);

static void start_timer(struct hedging *hedging, uint64_t delay_ns)
{
        struct ring *ring = ring_of(hedging);

        timer_start(&ring->timers, &hedging->next, ring_clock_ns(ring) + delay_ns, on_next);
}

/* The next attempt, which waits for a connection as any call does, and a time for the one behind it. False: there is none. */
static bool begin_next(struct hedging *hedging)
{
        struct quoit_outcall *call = hedging->call, *attempt;

        if (hedging->begun == hedging->policy.attempts_max || !channel_has_room(call->channel) ||
                outcall_new_attempt(call, &attempt) < 0)
                return false;
        if (give(call, attempt) < 0) {
                outcall_free_new(attempt);
                return false;
        }
        attempt->wants_writable = call->wants_writable;
        call->wants_writable = false;
        attempt->retry.attempts = ++hedging->begun;
        hedging->left++;
        list_append(&hedging->attempts, &attempt->sibling);
        if (hedging->begun > 1)
                counter_add(&call->channel->retry_counts.hedged, 1);
        interception_open_attempt(
                attempt, hedging->begun > 1 ? QUOIT_ATTEMPT_HEDGE : QUOIT_ATTEMPT_FIRST);
        channel_queue(call->channel, attempt, false);
        if (hedging->begun < hedging->policy.attempts_max)
                start_timer(hedging, hedging->policy.delay_ns);
        return true;
}

/* Where others are under way, and there is no room or memory for the next attempt, that is tried again. False: there are none. */
static bool begin_next_or_later(struct hedging *hedging, bool has_others)
{
        uint64_t delay_ns = hedging->policy.delay_ns;

        if (begin_next(hedging))
                return true;
        if (has_others)
                start_timer(hedging, delay_ns > NEXT_NS_MIN ? delay_ns : NEXT_NS_MIN);
        return has_others;
}

/* There is no attempt, and cannot be. */
static void fail_for_want(struct quoit_outcall *call)
{
        if (channel_has_room(call->channel))
                outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
        else
                channel_refuse(call);
}

static void on_next(struct timer *timer)
{
        struct hedging *hedging = CONTAINER_OF(timer, struct hedging, next);
        bool has_others = !list_is_empty(&hedging->attempts);

        if (has_others && !throttle_allows(&hedging->call->channel->throttle)) {
                counter_add(&hedging->call->channel->retry_counts.throttled, 1);
                hedging->stops = true;
        } else if (!begin_next_or_later(hedging, has_others)) {
                fail_for_want(hedging->call);
        }
}

int hedging_init(struct quoit_outcall *call, const struct hedging_policy *policy)
{
        upb_Arena *arena = exchange_arena(&call->exchange);
        struct hedging *hedging = arena ? upb_Arena_Malloc(arena, sizeof(*hedging)) : NULL;

        if (!hedging)
                return -ENOMEM;
        memset(hedging, 0, sizeof(*hedging));
        hedging->call = call;
        hedging->policy = *policy;
        hedging->kept.bytes_max = SIZE_MAX;
        list_init(&hedging->attempts);
        timer_init(&hedging->next);
        call->hedging = hedging;
        return 0;
}

void hedging_begin(struct quoit_outcall *call)
{
        outcall_set_state(call, OUTCALL_HEDGED);
        if (!begin_next(call->hedging))
                fail_for_want(call);
        else if (call->exchange.writer.queued_bytes > 0) /* sent before it began */
                hedging_send(call);
}

/* ---- from the caller ---- */

/* Whether all that is sent can be kept. */
static bool count_stored(struct hedging *hedging)
{
        struct channel *channel = hedging->call->channel;
        size_t stored = hedging->call->exchange.writer.queued_bytes;

        channel->replay.bytes += stored - hedging->stored_bytes;
        hedging->stored_bytes = stored;
        if (stored <= channel->client->limits.replay_bytes_max &&
                channel->replay.bytes <= channel->replay.bytes_max)
                return true;
        counter_add(&channel->replay.overruns, 1);
        return false;
}

void hedging_send(struct quoit_outcall *call)
{
        struct hedging *hedging = call->hedging;
        struct list *link;

        for (link = hedging->attempts.next; link != &hedging->attempts; link = link->next) {
                if (give(call, attempt_at(link)) < 0) {
                        outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                        return;
                }
        }
        if (count_stored(hedging))
                return;
        if (list_is_empty(&hedging->attempts) && !begin_next(hedging))
                fail_for_want(call);
        else
                hedging_win(outcall_leader(call));
}

/* ---- from attempts ---- */

void hedging_win(struct quoit_outcall *attempt)
{
        struct hedging *hedging = attempt->face->hedging;

        if (hedging->winner)
                return;
        drop_all_but(hedging, attempt);
        hedging->winner = attempt;
        attempt->exchange.lent.credits = hedging->call->exchange.lent.credits;
        attempt->exchange.lent.sends_plain = hedging->call->exchange.lent.sends_plain;
        if (attempt->state != OUTCALL_PAUSED) /* else it is sent again, once: outcall_retry.c */
                writer_forget(&attempt->exchange);
}

/* An attempt has failed, but not for all. Whether another one takes its place, now or later. */
static bool goes_on(struct hedging *hedging, const struct response *response, bool has_others)
{
        const struct throttle *throttle = &hedging->call->channel->throttle;

        if (response->pushback == PUSHBACK_STOP)
                hedging->stops = true;
        if (!hedging->stops && !throttle_allows(throttle)) {
                counter_add(&hedging->call->channel->retry_counts.throttled, 1);
                hedging->stops = true;
        }
        timer_cancel(&ring_of(hedging)->timers, &hedging->next);
        if (hedging->stops || hedging->begun == hedging->policy.attempts_max)
                return false;
        if (response->pushback != PUSHBACK_NONE) {
                start_timer(hedging, response->pushback_ns);
                return true;
        }
        return begin_next_or_later(hedging, has_others);
}

bool hedging_try_again(struct quoit_outcall *attempt, quoit_status status)
{
        struct hedging *hedging = attempt->face->hedging;
        bool is_fatal = !status_set_has(hedging->policy.codes, status);
        bool has_others = hedging->attempts.next->next != &hedging->attempts;

        if (hedging->winner)
                return false;
        if (!is_fatal || attempt->response.pushback == PUSHBACK_STOP)
                throttle_note_failure(&attempt->channel->throttle);
        if (is_fatal || (!goes_on(hedging, &attempt->response, has_others) && !has_others)) {
                hedging_win(attempt);
                return false;
        }
        drop(hedging, attempt);
        attempt->status = status; /* for the balancer: the server's, and not our CANCELLED */
        return true;
}

/* ---- the end ---- */

void hedging_end(struct quoit_outcall *call)
{
        drop_all_but(call->hedging, NULL);
}

void hedging_set_done(struct quoit_outcall *call)
{
        outcall_set_state(call, OUTCALL_ENDED);
        outcall_set_state(call, OUTCALL_DONE);
}

void hedging_forget(struct quoit_outcall *call, const struct quoit_outcall *attempt)
{
        call->hedging->left--;
        if (call->hedging->winner == attempt)
                call->hedging->winner = NULL;
}
