/* SPDX-License-Identifier: MIT */
#include "client/channel.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/addresses.h"
#include "client/balancer.h"
#include "client/client.h"
#include "client/client_connection.h"
#include "client/handle.h"
#include "client/note.h"
#include "client/outcall.h"
#include "client/scaling.h"

#define STATES_AT_FIRST 8

struct ring *channel_ring(const struct channel *channel)
{
        return &channel->client->base->ring;
}

/* ---- states ---- */

/* For the watch, however many changes a turn has. Without memory the newest takes the place of the one before. */
static void note_state(struct channel *channel, quoit_channel_state state)
{
        unsigned max = channel->states_max > 0 ? 2 * channel->states_max : STATES_AT_FIRST;
        quoit_channel_state *larger =
                channel->state_count == channel->states_max
                        ? realloc(channel->states, max * sizeof(*channel->states))
                        : NULL;

        if (larger) {
                channel->states = larger;
                channel->states_max = max;
        }
        if (channel->state_count < channel->states_max)
                channel->state_count++;
        if (channel->state_count > 0)
                channel->states[channel->state_count - 1] = state;
}

void channel_set_state(struct channel *channel, quoit_channel_state state)
{
        static const unsigned allowed[] = {
                [QUOIT_CHANNEL_IDLE] =
                        1u << QUOIT_CHANNEL_CONNECTING | 1u << QUOIT_CHANNEL_SHUTDOWN,
                [QUOIT_CHANNEL_CONNECTING] =
                        1u << QUOIT_CHANNEL_READY | 1u << QUOIT_CHANNEL_TRANSIENT_FAILURE |
                        1u << QUOIT_CHANNEL_IDLE | 1u << QUOIT_CHANNEL_SHUTDOWN,
                [QUOIT_CHANNEL_READY] = 1u << QUOIT_CHANNEL_CONNECTING |
                                        1u << QUOIT_CHANNEL_TRANSIENT_FAILURE |
                                        1u << QUOIT_CHANNEL_IDLE | 1u << QUOIT_CHANNEL_SHUTDOWN,
                [QUOIT_CHANNEL_TRANSIENT_FAILURE] =
                        1u << QUOIT_CHANNEL_READY | 1u << QUOIT_CHANNEL_CONNECTING |
                        1u << QUOIT_CHANNEL_IDLE | 1u << QUOIT_CHANNEL_SHUTDOWN,
                [QUOIT_CHANNEL_SHUTDOWN] = 0,
        };

        assert(allowed[channel->state] & 1u << state);
        atomic_store_explicit(&channel->state, state, memory_order_relaxed);
        note_channel_state(channel);
        if (channel->on_state)
                note_state(channel, state);
        channel_stir(channel);
}

/* What it calls may shut the channel down, or begin calls. */
static void tell_states(struct channel *channel)
{
        quoit_channel_state *states = channel->states;
        unsigned count = channel->state_count;

        channel->states = NULL; /* what changes meanwhile is told in the next turn */
        channel->state_count = channel->states_max = 0;
        for (unsigned i = 0; i < count && channel->on_state; i++) {
                uint64_t began_ns = note_callback(channel->client);

                channel->on_state(channel->handle, states[i], channel->state_user);
                note_callback_end(channel->client, began_ns, channel->handle->target,
                        "quoit_channel_watch()'s on_state");
        }
        free(states);
}

void channel_stir(struct channel *channel)
{
        if (list_is_empty(&channel->stirred))
                list_append(&channel->client->stirred, &channel->stirred);
        client_stir(channel->client);
}

bool channel_is_used(const struct channel *channel)
{
        return channel->state != QUOIT_CHANNEL_SHUTDOWN || channel->state_count > 0 ||
               !list_is_empty(&channel->calls) || !list_is_empty(&channel->lost);
}

static void remove_and_free(struct channel *channel)
{
        struct client *client = channel->client;

        pthread_mutex_lock(&client->mutex);
        list_remove(&channel->link);
        pthread_mutex_unlock(&client->mutex);
        channel_free(channel);
}

static void channel_free_if_unused(struct channel *channel)
{
        if (channel->is_detached && !channel_is_used(channel))
                remove_and_free(channel);
}

void channel_run(struct channel *channel)
{
        tell_states(channel);
        if (channel->state == QUOIT_CHANNEL_SHUTDOWN) {
                channel_free_if_unused(channel);
                return;
        }
        if (channel->state == QUOIT_CHANNEL_IDLE &&
                (channel->connect_asked || channel_has_calls(channel)))
                balancer_wake(channel);
        channel_run_queue(channel);
        scaling_grow(channel);
}

void channel_shut_down(struct channel *channel)
{
        struct list *link, *next;

        if (channel->state == QUOIT_CHANNEL_SHUTDOWN)
                return;
        channel_set_state(channel, QUOIT_CHANNEL_SHUTDOWN);
        for (link = channel->calls.next; link != &channel->calls; link = next) {
                next = link->next;
                outcall_fail(CONTAINER_OF(link, struct quoit_outcall, link), QUOIT_CANCELLED,
                        "the channel was freed");
        }
        balancer_end(channel);
}

/* ---- life ---- */

static void add(struct channel *channel)
{
        pthread_mutex_lock(&channel->client->mutex);
        list_append(&channel->client->channels, &channel->link);
        pthread_mutex_unlock(&channel->client->mutex);
}

void channel_begin(struct channel *channel)
{
        call_group_init(&channel->group, channel->client->host, NULL);
        note_channel_begin(channel);
        addresses_register(channel);
        if (channel->client->is_stopping)
                channel_shut_down(channel);
        else if (channel->count > 0)
                tiers_on_addresses(channel);
}

static void on_attach(struct mail *mail)
{
        struct channel *channel = CONTAINER_OF(mail, struct channel, attach);

        add(channel);
        channel_begin(channel);
}

/* True: its ring has not begun, and it waits for that. */
static bool attach_early(struct channel *channel)
{
        struct client *client = channel->client;
        bool is_early;

        pthread_mutex_lock(&client->mutex);
        is_early = client->life == CLIENT_NEW;
        if (is_early)
                list_append(&client->channels, &channel->link);
        pthread_mutex_unlock(&client->mutex);
        return is_early;
}

/* The ring has ended meanwhile. */
static void attach_late(struct channel *channel)
{
        atomic_store_explicit(&channel->state, QUOIT_CHANNEL_SHUTDOWN, memory_order_relaxed);
        add(channel);
}

static bool detach_early(struct channel *channel)
{
        struct client *client = channel->client;
        bool is_early;

        pthread_mutex_lock(&client->mutex);
        is_early = client->life == CLIENT_NEW;
        if (is_early)
                list_remove(&channel->link);
        pthread_mutex_unlock(&client->mutex);
        if (is_early)
                channel_free(channel);
        return is_early;
}

static void on_detach(struct mail *mail)
{
        struct channel *channel = CONTAINER_OF(mail, struct channel, detach);

        channel->is_detached = true;
        channel_shut_down(channel);
        channel_stir(channel);
}

void channel_attach(struct channel *channel)
{
        channel->attach.on_delivery = on_attach;
        channel->detach.on_delivery = on_detach;
        if (client_is_here(channel->client))
                on_attach(&channel->attach);
        else if (!attach_early(channel) && client_post(channel->client, &channel->attach) < 0)
                attach_late(channel);
}

void channel_detach(struct channel *channel)
{
        if (detach_early(channel) || client_post(channel->client, &channel->detach) == 0)
                return;
        if (client_is_here(channel->client)) { /* in its last mail: client_deinit() frees it */
                on_detach(&channel->detach);
                return;
        }
        client_wait_over(channel->client);
        remove_and_free(channel);
}
