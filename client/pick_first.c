/* SPDX-License-Identifier: MIT */
#include "client/pick_first.h"

#include <stdio.h>

#include "client/channel.h"
#include "client/client.h"
#include "core/clock.h"

static struct timers *timers_of(struct quoit_channel *channel)
{
        return &channel->client->base.ring.timers;
}

static uint64_t now_of(const struct quoit_channel *channel)
{
        return ring_now_ns(&channel->client->base.ring);
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
                        channel_set_state(channel, QUOIT_CHANNEL_TRANSIENT_FAILURE);
                return;
        }
        if (channel->next < channel->count)
                timer_start(timers_of(channel), &channel->attempt,
                        now_of(channel) + channel->client->limits.attempt_delay_ms * NS_PER_MS,
                        on_attempt_slow);
        subchannel_connect(subchannel); /* if it fails at once it has tried the next one */
}

void pick_first_connect(struct quoit_channel *channel)
{
        channel_set_state(channel, QUOIT_CHANNEL_CONNECTING);
        channel->next = 0;
        try_next(channel);
}

void pick_first_hurry(struct quoit_channel *channel)
{
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

/* Nobody has called for so long that failing addresses are left alone. */
static bool is_forsaken(const struct quoit_channel *channel)
{
        return channel->state == QUOIT_CHANNEL_TRANSIENT_FAILURE &&
               list_is_empty(&channel->calls) &&
               now_of(channel) >=
                       clock_after_limit_ns(channel->used_ns, channel->client->limits.idle_ms);
}

void pick_first_on_idle(struct quoit_channel *channel, struct subchannel *subchannel)
{
        if (is_forsaken(channel))
                channel_set_state(channel, QUOIT_CHANNEL_IDLE);
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
        uint64_t next_ns = UINT64_MAX;

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
