/* SPDX-License-Identifier: MIT */
#include "client/addresses.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/balancer.h"
#include "client/channel.h"
#include "client/client.h"
#include "client/handle.h"
#include "client/note.h"
#include "client/resolver.h"
#include "core/clock.h"

#define ADDRESSES_TEXT_BYTES 256 /* of a line of the log */

static struct timers *timers_of(struct channel *channel)
{
        return &channel_ring(channel)->timers;
}

static uint64_t now_of(const struct channel *channel)
{
        return ring_now_ns(channel_ring(channel));
}

/* ---- subchannels ---- */

static bool is_same(const struct endpoint *one, const struct endpoint *other)
{
        return one->bytes == other->bytes && memcmp(&one->any, &other->any, one->bytes) == 0;
}

static struct subchannel *find(
        struct subchannel *const *subchannels, unsigned count, const struct endpoint *address)
{
        for (unsigned i = 0; i < count; i++) {
                if (is_same(&subchannels[i]->address, address))
                        return subchannels[i];
        }
        return NULL;
}

/* The channel's own, of a tier. */
static struct subchannel *find_own(struct channel *channel, const struct address *address)
{
        const struct tier *tier = channel->tiers + address->tier;

        return find(tier->subchannels, tier->count, &address->endpoint);
}

static bool has(struct subchannel *const *subchannels, unsigned count, const struct subchannel *one)
{
        for (unsigned i = 0; i < count; i++) {
                if (subchannels[i] == one)
                        return true;
        }
        return false;
}

static void lose(struct subchannel *subchannel)
{
        subchannel->is_lost = true;
        list_append(&subchannel->channel->lost, &subchannel->link);
        addresses_release(subchannel);
}

/* In *@ret_made, in the order of @addresses. How many; -ENOMEM. */
static int make(struct channel *channel, const struct address *addresses, unsigned count,
        struct subchannel **ret_made)
{
        unsigned made = 0;

        for (unsigned i = 0; i < count; i++) {
                const struct endpoint *endpoint = &addresses[i].endpoint;
                struct subchannel *subchannel;

                if (find(ret_made, made, endpoint))
                        continue;
                subchannel = find_own(channel, addresses + i);
                if (!subchannel)
                        subchannel = subchannel_new(channel->tiers + addresses[i].tier, endpoint);
                if (!subchannel) {
                        while (made > 0) {
                                if (!has(channel->subchannels, channel->count, ret_made[--made]))
                                        subchannel_free(ret_made[made]);
                        }
                        return -ENOMEM;
                }
                subchannel->is_fallback = addresses[i].is_fallback;
                ret_made[made++] = subchannel;
        }
        return (int)made;
}

/* Of an address that occurs twice, the first counts. */
static void set_shares(struct subchannel *const *subchannels, unsigned count,
        const struct address *addresses, unsigned address_count)
{
        while (address_count-- > 0) {
                struct subchannel *subchannel =
                        find(subchannels, count, &addresses[address_count].endpoint);

                if (subchannel)
                        subchannel->share = addresses[address_count].share;
        }
}

/* With the channel's fallbacks behind them. *@ret_tiers: how many there are. How many addresses. */
static unsigned add_fallbacks(const struct channel *channel, const struct address *addresses,
        unsigned count, struct address *ret_all, unsigned *ret_tiers)
{
        unsigned room = channel->count_max - channel->fallback_count, tiers;

        count = count < room ? count : room;
        tiers = count > 0 ? addresses[count - 1].tier + 1 : 1;
        if (count > 0)
                memcpy(ret_all, addresses, count * sizeof(*ret_all));
        for (unsigned i = 0; i < channel->fallback_count; i++) {
                ret_all[count + i] = channel->fallbacks[i];
                ret_all[count + i].tier += tiers;
        }
        count += channel->fallback_count;
        *ret_tiers = channel->fallback_count > 0 ? ret_all[count - 1].tier + 1 : tiers;
        return count;
}

void addresses_register(struct channel *channel)
{
        quoit_client *client = channel->client->handle;

        for (unsigned i = 0; i < channel->count; i++) {
                struct subchannel *subchannel = channel->subchannels[i];

                if (record_is_added(&subchannel->record.record))
                        continue;
                registry_add_subchannel(
                        &client->registry, &channel->handle->record, &subchannel->record);
                note_subchannel_state(subchannel);
        }
}

/* As addresses_set(). *@ret_old: the @ret_old_count that there were. */
static int replace(struct channel *channel, const struct address *addresses, unsigned count,
        struct subchannel **ret_old, unsigned *ret_old_count)
{
        struct subchannel *made[QUOIT_CHANNEL_ADDRESSES_MAX];
        struct address all[QUOIT_CHANNEL_ADDRESSES_MAX];
        const struct balancer_policy *policy = channel->balancing.policy;
        unsigned tiers;
        int r;

        count = add_fallbacks(channel, addresses, count, all, &tiers);
        if (policy && tiers_set_policy(channel, policy, tiers) < 0)
                return -ENOMEM;
        r = make(channel, all, count, made);
        if (r < 0)
                return r;
        *ret_old_count = channel->count;
        memcpy(ret_old, channel->subchannels, channel->count * sizeof(*ret_old));
        channel->count = (unsigned)r;
        memcpy(channel->subchannels, made, channel->count * sizeof(*made));
        set_shares(made, channel->count, all, count);
        if (channel->handle) /* else it has not begun */
                addresses_register(channel);
        for (unsigned i = 0; i < *ret_old_count; i++) {
                if (!has(made, channel->count, ret_old[i]))
                        subchannel_abandon(ret_old[i]);
        }
        tiers_divide(channel, tiers);
        return 0;
}

static void lose_all_but_mine(
        struct channel *channel, struct subchannel **subchannels, unsigned count)
{
        for (unsigned i = 0; i < count; i++) {
                if (!has(channel->subchannels, channel->count, subchannels[i]))
                        lose(subchannels[i]);
        }
}

int addresses_set(struct channel *channel, const struct address *addresses, unsigned count)
{
        struct subchannel *old[QUOIT_CHANNEL_ADDRESSES_MAX];
        unsigned old_count;
        int r = replace(channel, addresses, count, old, &old_count);

        if (r == 0)
                lose_all_but_mine(channel, old, old_count);
        return r;
}

void addresses_release(struct subchannel *subchannel)
{
        struct channel *channel = subchannel->channel;

        if (!subchannel->is_lost || subchannel_is_busy(subchannel) || subchannel->calls > 0)
                return;
        list_remove(&subchannel->link);
        subchannel_free(subchannel);
        if (channel->state == QUOIT_CHANNEL_SHUTDOWN)
                channel_stir(channel);
}

/* As many as there is room for. */
static void list_addresses(const struct channel *channel, char *text, size_t size)
{
        size_t used = 0;

        *text = '\0';
        for (unsigned i = 0; i < channel->count && used < size; i++)
                used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "",
                        channel->subchannels[i]->text);
}

/* ---- names ---- */

/* When the name may be looked up, if the addresses need it. */
static uint64_t soonest_ns(const struct channel *channel, uint64_t since_ns)
{
        return clock_after_limit_ns(since_ns, channel->client->limits.resolution_ms_min);
}

/* None has ever been found, or the channel has rested for long. */
static bool are_unknown(const struct channel *channel)
{
        return channel->looked_up_ns == 0 ||
               (channel->doubted_ns > 0 &&
                       now_of(channel) >= soonest_ns(channel, channel->doubted_ns));
}

static void on_lookup_retry(struct timer *timer)
{
        struct channel *channel = CONTAINER_OF(timer, struct channel, lookup_retry);

        if (channel->state == QUOIT_CHANNEL_IDLE ||
                (channel->state == QUOIT_CHANNEL_TRANSIENT_FAILURE && balancer_rests(channel)))
                return;
        resolver_start(channel);
}

static void retry_lookup(struct channel *channel)
{
        channel->lookup_retry_ns =
                now_of(channel) + client_pause_ns(channel->client, &channel->lookup_backoff);
        timer_start(timers_of(channel), &channel->lookup_retry, channel->lookup_retry_ns,
                on_lookup_retry);
}

/* At rest nobody needs to know: whoever wakes the channel asks anew. */
static void on_lookup_due(struct timer *timer)
{
        struct channel *channel = CONTAINER_OF(timer, struct channel, lookup_due);

        if (channel->state != QUOIT_CHANNEL_IDLE || channel_has_calls(channel))
                resolver_start(channel);
}

/* The next lookup, by doubts and by the period; after one that has failed comes another anyway. */
static void plan(struct channel *channel)
{
        uint64_t due_ns = clock_after_limit_ns(
                channel->looked_up_ns, channel->client->limits.resolution_period_ms);
        uint64_t soon_ns = soonest_ns(channel, channel->looked_up_ns);

        if (!channel->host || channel->looked_up_ns == 0 ||
                channel->state == QUOIT_CHANNEL_SHUTDOWN ||
                timer_is_running(&channel->lookup_retry))
                return;
        if (channel->doubted_ns > 0 && soon_ns < due_ns)
                due_ns = soon_ns;
        timer_cancel(timers_of(channel), &channel->lookup_due);
        if (due_ns != UINT64_MAX)
                timer_start(timers_of(channel), &channel->lookup_due, due_ns, on_lookup_due);
}

void addresses_doubt(struct channel *channel)
{
        channel->doubted_ns = now_of(channel);
        plan(channel);
}

bool addresses_wait(struct channel *channel)
{
        if (!channel->host || !are_unknown(channel)) {
                plan(channel);
                return false;
        }
        tier_set_state(channel->tier, QUOIT_CHANNEL_CONNECTING);
        resolver_start(channel);
        return true;
}

/* What the lookup has found, for the log: only what was not so before. */
static void note_found(struct channel *channel, bool had_failed, bool is_other)
{
        char text[ADDRESSES_TEXT_BYTES];

        if (!had_failed && !is_other)
                return;
        list_addresses(channel, text, sizeof(text));
        note_channel(channel, had_failed ? QUOIT_LOG_INFO : QUOIT_LOG_DEBUG, "%u address%s: %s",
                channel->count, channel->count == 1 ? "" : "es", text);
}

static void note_not_found(struct channel *channel)
{
        uint64_t wait_ns = timer_is_running(&channel->lookup_retry)
                                   ? channel->lookup_retry_ns - now_of(channel)
                                   : 0;
        char when[64] = "";

        if (wait_ns > 0)
                snprintf(when, sizeof(when), "; the next lookup is in %.1f s",
                        (double)wait_ns / NS_PER_S);
        note_channel(channel, QUOIT_LOG_WARNING, "cannot resolve %s: %s%s", channel->host,
                channel->lookup_problem, when);
}

static bool are_other(
        const struct channel *channel, struct subchannel *const *subchannels, unsigned count)
{
        return count != channel->count ||
               memcmp(subchannels, channel->subchannels, count * sizeof(*subchannels)) != 0;
}

/* True: there are some from now on. False: as if the lookup had failed. */
static bool take_found(struct channel *channel, const struct address *addresses, unsigned count,
        struct subchannel **ret_old, unsigned *ret_old_count)
{
        if (replace(channel, addresses, count, ret_old, ret_old_count) < 0)
                return false;
        channel->looked_up_ns = now_of(channel);
        channel->doubted_ns = 0;
        backoff_reset(&channel->lookup_backoff);
        timer_cancel(timers_of(channel), &channel->lookup_retry);
        plan(channel);
        return true;
}

void addresses_on_lookup(struct channel *channel, const struct address *addresses, unsigned count,
        const char *problem)
{
        struct subchannel *old[QUOIT_CHANNEL_ADDRESSES_MAX];
        bool had_failed = channel->lookup_problem[0], is_news;
        unsigned old_count = 0;

        if (count > 0)
                problem = take_found(channel, addresses, count, old, &old_count) ? ""
                                                                                 : "out of memory";
        if (*problem && channel->state != QUOIT_CHANNEL_IDLE)
                retry_lookup(channel);
        is_news = strncmp(channel->lookup_problem, problem, CHANNEL_PROBLEM_BYTES - 1) != 0;
        snprintf(channel->lookup_problem, sizeof(channel->lookup_problem), "%s", problem);
        if (!*problem)
                note_found(channel, had_failed, are_other(channel, old, old_count));
        else if (is_news)
                note_not_found(channel);
        tiers_on_addresses(channel);
        lose_all_but_mine(channel, old, old_count);
}

void addresses_hurry(struct channel *channel)
{
        backoff_reset(&channel->lookup_backoff);
        if (!timer_is_running(&channel->lookup_retry))
                return;
        timer_cancel(timers_of(channel), &channel->lookup_retry);
        resolver_start(channel);
}

/* ---- rest ---- */

void addresses_rest(struct channel *channel)
{
        timer_cancel(timers_of(channel), &channel->lookup_retry);
        timer_cancel(timers_of(channel), &channel->lookup_due);
        for (unsigned i = 0; i < channel->count; i++)
                subchannel_rest(channel->subchannels[i]);
}

void addresses_end(struct channel *channel)
{
        resolver_forget(channel);
        addresses_rest(channel);
        channel->fallback_count = 0;
        (void)addresses_set(channel, NULL, 0);
}

/* ---- words ---- */

/* Why calls do not go there. "": nothing is wrong. */
static const char *why_of(const struct subchannel *subchannel)
{
        if (!subchannel->why[0] && outlier_is_ejected(&subchannel->outlier))
                return "ejected by outlier detection, as calls fail there";
        return subchannel->why;
}

static size_t add_failure(const struct subchannel *subchannel, char *text, size_t size, size_t used)
{
        const char *why = why_of(subchannel);
        int added;

        if (!*why || used >= size)
                return used;
        added = snprintf(text + used, size - used, "%s%s%s: %s", used > 0 ? "; " : "",
                !subchannel->is_fallback && subchannel->channel->proxy_request ? "by the proxy "
                                                                               : "",
                subchannel->text, why);
        return added < 0 ? used : used + (size_t)added;
}

/* UINT64_MAX: none is planned. */
static uint64_t next_attempt_ns(const struct channel *channel)
{
        uint64_t next_ns =
                timer_is_running(&channel->lookup_retry) ? channel->lookup_retry_ns : UINT64_MAX;

        for (unsigned i = 0; i < channel->count; i++) {
                const struct subchannel *subchannel = channel->subchannels[i];

                if (timer_is_running(&subchannel->retry) && subchannel->retry_ns < next_ns)
                        next_ns = subchannel->retry_ns;
        }
        return next_ns;
}

void addresses_describe(const struct channel *channel, char *text, size_t size)
{
        char when[64] = "an attempt is under way";
        uint64_t next_ns = next_attempt_ns(channel), now_ns = now_of(channel);
        size_t room = size - sizeof(when) - 2, used = 0;

        *text = '\0';
        if (channel->lookup_problem[0])
                used = (size_t)snprintf(text, room, "cannot resolve %s%s: %s",
                        channel->proxy_request ? "the proxy " : "", channel->host,
                        channel->lookup_problem);
        for (unsigned i = 0; i < channel->count; i++)
                used = add_failure(channel->subchannels[i], text, room, used);
        if (used == 0)
                return;
        if (used >= room)
                used = room - 1;
        if (next_ns != UINT64_MAX)
                snprintf(when, sizeof(when), "the next attempt is in %.1f s",
                        next_ns > now_ns ? (double)(next_ns - now_ns) / NS_PER_S : 0.0);
        snprintf(text + used, size - used, "; %s", when);
}
