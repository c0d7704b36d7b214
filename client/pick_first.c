/* SPDX-License-Identifier: MIT */
#include "client/pick_first.h"

#include <stdio.h>
#include <string.h>

#include "client/channel.h"
#include "client/client.h"
#include "client/resolver.h"
#include "core/clock.h"

#define LOOKUP_NS (30 * NS_PER_S) /* how long addresses are used before a name is looked up again */

static struct timers *timers_of(struct quoit_channel *channel)
{
        return &channel->client->base->ring.timers;
}

static uint64_t now_of(const struct quoit_channel *channel)
{
        return ring_now_ns(&channel->client->base->ring);
}

/* It is tried, or will be as soon as an attempt that was given up has let it go. */
static bool is_pending(const struct subchannel *subchannel)
{
        return subchannel->state == SUBCHANNEL_CONNECTING ||
               (subchannel->state == SUBCHANNEL_IDLE && subchannel_is_busy(subchannel));
}

static bool any_pending(const struct quoit_channel *channel)
{
        for (unsigned i = 0; i < channel->count; i++) {
                if (is_pending(channel->subchannels + i))
                        return true;
        }
        return false;
}

/* The next one of this round; NULL: there is none. */
static struct subchannel *next_of_round(struct quoit_channel *channel)
{
        while (channel->next < channel->count) {
                struct subchannel *subchannel = channel->subchannels + channel->next++;

                if (subchannel->state == SUBCHANNEL_IDLE && !subchannel_is_busy(subchannel))
                        return subchannel;
        }
        return NULL;
}

static void fail(struct quoit_channel *channel)
{
        if (channel->state == QUOIT_CHANNEL_CONNECTING)
                channel_set_state(channel, QUOIT_CHANNEL_TRANSIENT_FAILURE);
}

static void try_next(struct quoit_channel *channel);

static void on_attempt_slow(struct timer *timer)
{
        try_next(CONTAINER_OF(timer, struct quoit_channel, attempt));
}

static void try_next(struct quoit_channel *channel)
{
        struct subchannel *subchannel = next_of_round(channel);

        timer_cancel(timers_of(channel), &channel->attempt);
        if (!subchannel) {
                if (!any_pending(channel))
                        fail(channel);
                return;
        }
        if (channel->next < channel->count)
                timer_start(timers_of(channel), &channel->attempt,
                        now_of(channel) + channel->client->limits.attempt_delay_ms * NS_PER_MS,
                        on_attempt_slow);
        subchannel_connect(subchannel); /* if it fails at once it has tried the next one */
}

static void begin_round(struct quoit_channel *channel)
{
        channel->next = 0;
        try_next(channel);
}

/* ---- rest ---- */

/* Nobody has called for so long that failing addresses are left alone. */
static bool is_forsaken(const struct quoit_channel *channel)
{
        return channel->state == QUOIT_CHANNEL_TRANSIENT_FAILURE &&
               list_is_empty(&channel->calls) &&
               now_of(channel) >=
                       clock_after_limit_ns(channel->used_ns, channel->client->limits.idle_ms);
}

/* IDLE: no attempt goes on. */
static void rest(struct quoit_channel *channel)
{
        timer_cancel(timers_of(channel), &channel->attempt);
        timer_cancel(timers_of(channel), &channel->lookup_retry);
        for (unsigned i = 0; i < channel->count; i++)
                subchannel_abandon(channel->subchannels + i);
        channel_set_state(channel, QUOIT_CHANNEL_IDLE);
}

/* ---- names ---- */

static bool addresses_are_old(const struct quoit_channel *channel)
{
        return channel->host &&
               (channel->looked_up_ns == 0 || now_of(channel) - channel->looked_up_ns >= LOOKUP_NS);
}

static void on_lookup_retry(struct timer *timer)
{
        struct quoit_channel *channel = CONTAINER_OF(timer, struct quoit_channel, lookup_retry);

        if (is_forsaken(channel))
                rest(channel);
        else
                resolver_start(channel);
}

static void retry_lookup(struct quoit_channel *channel)
{
        const quoit_client_limits *limits = &channel->client->limits;

        channel->lookup_retry_ns =
                now_of(channel) + backoff_next_ns(&channel->lookup_backoff,
                                          limits->backoff_initial_ms, limits->backoff_max_ms,
                                          ring_jitter(&channel->client->base->ring));
        timer_start(timers_of(channel), &channel->lookup_retry, channel->lookup_retry_ns,
                on_lookup_retry);
}

static bool has_address(const struct quoit_channel *channel, const struct endpoint *address)
{
        for (unsigned i = 0; i < channel->count; i++) {
                const struct endpoint *old = &channel->subchannels[i].address;

                if (old->bytes == address->bytes &&
                        memcmp(&old->any, &address->any, old->bytes) == 0)
                        return true;
        }
        return false;
}

/* In any order: servers of DNS rotate them, and the pauses after failures go on. */
static bool are_same(
        const struct quoit_channel *channel, const struct endpoint *addresses, unsigned count)
{
        if (channel->count != count)
                return false;
        for (unsigned i = 0; i < count; i++) {
                if (!has_address(channel, addresses + i))
                        return false;
        }
        return true;
}

static bool any_busy(const struct quoit_channel *channel)
{
        for (unsigned i = 0; i < channel->count; i++) {
                if (subchannel_is_busy(channel->subchannels + i))
                        return true;
        }
        return false;
}

/* Other addresses than before are new ones. Not while the old ones are in use: the next lookup is in time for that. */
static void take_addresses(
        struct quoit_channel *channel, const struct endpoint *addresses, unsigned count)
{
        if (are_same(channel, addresses, count) || channel->picked)
                return;
        for (unsigned i = 0; i < channel->count; i++)
                subchannel_abandon(channel->subchannels + i);
        if (any_busy(channel))
                return;
        for (unsigned i = 0; i < count; i++)
                subchannel_init(channel->subchannels + i, channel, addresses + i);
        channel->count = count;
}

void pick_first_on_addresses(struct quoit_channel *channel, const struct endpoint *addresses,
        unsigned count, const char *problem)
{
        snprintf(channel->lookup_problem, sizeof(channel->lookup_problem), "%s",
                count > 0 ? "" : problem);
        if (count > 0) {
                channel->looked_up_ns = now_of(channel);
                backoff_reset(&channel->lookup_backoff);
                take_addresses(channel, addresses, count);
        } else if (channel->count == 0) {
                retry_lookup(channel);
        }
        if (channel->state == QUOIT_CHANNEL_CONNECTING ||
                channel->state == QUOIT_CHANNEL_TRANSIENT_FAILURE)
                begin_round(channel);
}

/* ---- from the channel ---- */

void pick_first_connect(struct quoit_channel *channel)
{
        channel_set_state(channel, QUOIT_CHANNEL_CONNECTING);
        if (addresses_are_old(channel))
                resolver_start(channel);
        else
                begin_round(channel);
}

void pick_first_hurry(struct quoit_channel *channel)
{
        backoff_reset(&channel->lookup_backoff);
        if (timer_is_running(&channel->lookup_retry)) {
                timer_cancel(timers_of(channel), &channel->lookup_retry);
                resolver_start(channel);
        }
        for (unsigned i = 0; i < channel->count; i++) {
                struct subchannel *subchannel = channel->subchannels + i;

                backoff_reset(&subchannel->backoff);
                if (subchannel->state != SUBCHANNEL_TRANSIENT_FAILURE)
                        continue;
                subchannel_abandon(subchannel);
                pick_first_on_idle(channel, subchannel);
        }
}

void pick_first_end(struct quoit_channel *channel)
{
        timer_cancel(timers_of(channel), &channel->attempt);
        timer_cancel(timers_of(channel), &channel->lookup_retry);
        resolver_forget(channel);
        channel->picked = NULL;
        for (unsigned i = 0; i < channel->count; i++)
                subchannel_abandon(channel->subchannels + i);
}

/* ---- from subchannels ---- */

void pick_first_on_failure(struct quoit_channel *channel, struct subchannel *subchannel)
{
        (void)subchannel;
        if (channel->state == QUOIT_CHANNEL_CONNECTING)
                try_next(channel);
}

void pick_first_on_idle(struct quoit_channel *channel, struct subchannel *subchannel)
{
        if (is_forsaken(channel))
                rest(channel);
        else if (channel->state == QUOIT_CHANNEL_TRANSIENT_FAILURE && addresses_are_old(channel))
                resolver_start(channel); /* which begins a round */
        else if ((channel->state == QUOIT_CHANNEL_CONNECTING ||
                         channel->state == QUOIT_CHANNEL_TRANSIENT_FAILURE) &&
                 !subchannel_is_busy(subchannel))
                subchannel_connect(subchannel);
}

void pick_first_on_free(struct quoit_channel *channel, struct subchannel *subchannel)
{
        if (channel->state == QUOIT_CHANNEL_SHUTDOWN)
                channel_stir(channel);
        else if (subchannel->state == SUBCHANNEL_IDLE)
                pick_first_on_idle(channel, subchannel);
}

void pick_first_on_ready(struct quoit_channel *channel, struct subchannel *subchannel)
{
        timer_cancel(timers_of(channel), &channel->attempt);
        channel->picked = subchannel;
        for (unsigned i = 0; i < channel->count; i++) {
                if (channel->subchannels + i == subchannel)
                        continue;
                backoff_reset(&channel->subchannels[i].backoff);
                subchannel_abandon(channel->subchannels + i);
        }
        channel_set_state(channel, QUOIT_CHANNEL_READY);
}

void pick_first_on_lost(struct quoit_channel *channel)
{
        channel->picked = NULL;
        if (channel->state == QUOIT_CHANNEL_READY)
                channel_set_state(channel, QUOIT_CHANNEL_IDLE);
}

/* ---- words ---- */

static size_t add_failure(const struct subchannel *subchannel, char *text, size_t size, size_t used)
{
        int added;

        if (!subchannel->why[0] || used >= size)
                return used;
        added = snprintf(text + used, size - used, "%s%s: %s", used > 0 ? "; " : "",
                subchannel->text, subchannel->why);
        return added < 0 ? used : used + (size_t)added;
}

/* UINT64_MAX: none is planned. */
static uint64_t next_attempt_ns(const struct quoit_channel *channel)
{
        uint64_t next_ns =
                timer_is_running(&channel->lookup_retry) ? channel->lookup_retry_ns : UINT64_MAX;

        for (unsigned i = 0; i < channel->count; i++) {
                const struct subchannel *subchannel = channel->subchannels + i;

                if (subchannel->state == SUBCHANNEL_TRANSIENT_FAILURE &&
                        subchannel->retry_ns < next_ns)
                        next_ns = subchannel->retry_ns;
        }
        return next_ns;
}

void pick_first_describe(const struct quoit_channel *channel, char *text, size_t size)
{
        char when[64] = "an attempt is under way";
        uint64_t next_ns = next_attempt_ns(channel), now_ns = now_of(channel);
        size_t room = size - sizeof(when) - 2, used = 0;

        *text = '\0';
        if (channel->lookup_problem[0])
                used = (size_t)snprintf(text, room, "cannot resolve %s: %s", channel->host,
                        channel->lookup_problem);
        for (unsigned i = 0; i < channel->count; i++)
                used = add_failure(channel->subchannels + i, text, room, used);
        if (used == 0)
                return;
        if (used >= room)
                used = room - 1;
        if (next_ns != UINT64_MAX)
                snprintf(when, sizeof(when), "the next attempt is in %.1f s",
                        next_ns > now_ns ? (double)(next_ns - now_ns) / NS_PER_S : 0.0);
        snprintf(text + used, size - used, "; %s", when);
}
