/* SPDX-License-Identifier: MIT */
#include "client/channel.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/version.h>

#include "client/addresses.h"
#include "client/balancer.h"
#include "client/channel_config.h"
#include "client/client.h"
#include "client/client_connection.h"
#include "client/credentials.h"
#include "client/fallbacks.h"
#include "client/handle.h"
#include "client/note.h"
#include "client/outcall.h"
#include "client/proxy.h"
#include "client/scaling.h"
#include "client/srv.h"
#include "client/target.h"
#include "transport/tls_client_config.h"

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

/* ---- calls that wait ---- */

void channel_stir(struct channel *channel)
{
        if (list_is_empty(&channel->stirred))
                list_append(&channel->client->stirred, &channel->stirred);
        client_stir(channel->client);
}

/* It waits in front of @next, a call's place or a list's end. */
static void queue_before(struct list *next, struct quoit_outcall *call)
{
        list_append(next, &call->queued);
        counter_add(&call->channel->queued, 1);
        channel_stir(call->channel);
}

void channel_queue(struct channel *channel, struct quoit_outcall *call, bool in_front)
{
        queue_before(in_front ? channel->queue.next : &channel->queue, call);
}

void channel_queue_at(struct subchannel *subchannel, struct quoit_outcall *call)
{
        queue_before(&subchannel->waiting, call);
}

void channel_take_back(struct channel *channel, struct list *waiting)
{
        if (list_is_empty(waiting))
                return;
        list_splice(channel->queue.next, waiting);
        channel_stir(channel);
}

bool channel_has_room(const struct channel *channel)
{
        return counter_read(&channel->queued) + channel->authorizing <
               channel->client->limits.calls_queued_max;
}

void channel_refuse(struct quoit_outcall *call, const char *why)
{
        counter_add(&call->channel->refused, 1);
        outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED, why);
}

bool channel_has_calls(const struct channel *channel)
{
        for (struct list *link = channel->calls.next; link != &channel->calls; link = link->next) {
                if (!CONTAINER_OF(link, struct quoit_outcall, link)->is_check)
                        return true;
        }
        return false;
}

void channel_unqueue(struct channel *channel, struct quoit_outcall *call)
{
        list_remove(&call->queued);
        counter_set(&channel->queued, counter_read(&channel->queued) - 1);
}

/* It does not wait for a READY channel, and hears why there is none. @text: the same for all of a turn; "": not known yet. */
static void fail_at_once(struct quoit_outcall *call, char *text, size_t size)
{
        if (call->wait_for_ready)
                return;
        if (!text[0])
                addresses_describe(call->channel, text, size);
        outcall_fail_attempt(call, QUOIT_UNAVAILABLE, text);
}

/* Connections are full. True: @call is not to wait for room, and has ended, or begins again later. */
static bool fail_when_full(struct quoit_outcall *call)
{
        if (!call->channel->fails_when_full || call->is_check)
                return false;
        counter_add(&call->channel->refused, 1);
        outcall_fail_attempt(call, QUOIT_RESOURCE_EXHAUSTED,
                "all connections have as many calls as they can (fails_when_full)");
        return true;
}

/* Where there is no room it waits, there and nowhere else; not if the oldest connection is about to be another one. */
static void begin(struct quoit_outcall *call, struct subchannel *subchannel)
{
        struct client_connection *connection = scaling_room(subchannel);

        if (connection) {
                if (outcall_begin(call, subchannel, connection) == -ESHUTDOWN) {
                        connection->is_leaving = true;
                        client_connection_note(connection);
                }
        } else if (!subchannel_oldest(subchannel)->is_leaving &&
                   !(scaling_is_full(subchannel) && fail_when_full(call))) {
                list_remove(&call->queued);
                list_append(&subchannel->waiting, &call->queued);
        }
}

static struct quoit_outcall *first_waiting(const struct subchannel *subchannel)
{
        return list_is_empty(&subchannel->waiting)
                       ? NULL
                       : CONTAINER_OF(subchannel->waiting.next, struct quoit_outcall, queued);
}

/* Those that wait at a subchannel, as far as there is room. */
static void run_waiting(struct subchannel *subchannel)
{
        struct quoit_outcall *call;

        while ((call = first_waiting(subchannel)) && subchannel_has_room(subchannel))
                begin(call, subchannel);
        while ((call = first_waiting(subchannel)) && scaling_is_full(subchannel) &&
                fail_when_full(call))
                ;
}

/* Those that have somewhere to go. What this calls may take any call out of the queue. */
static void run_queue(struct channel *channel)
{
        char text[QUOIT_ERROR_TEXT_BYTES - 32] = "";
        struct list rest, *link;
        bool goes_on = true;

        list_init(&rest);
        list_splice(&rest, &channel->queue);
        while (goes_on && (link = list_pop(&rest))) {
                struct quoit_outcall *call = CONTAINER_OF(link, struct quoit_outcall, queued);
                struct subchannel *subchannel;
                enum balancer_pick pick;

                list_append(&channel->queue, link);
                if (channel->state == QUOIT_CHANNEL_READY && !authorization_complete(call))
                        continue;
                pick = balancer_pick(channel, call, &subchannel);
                if (outcall_is_over(call)) /* a user's policy may end calls */
                        continue;
                switch (pick) {
                case PICK_WAIT:
                        if (!scaling_channel_is_full(channel) || !fail_when_full(call))
                                goes_on = channel->balancing.policy->is_by_call;
                        break;
                case PICK_FAIL:
                        fail_at_once(call, text, sizeof(text));
                        break;
                case PICK_SUBCHANNEL:
                        if (authorization_complete(call))
                                begin(call, subchannel);
                        break;
                }
        }
        list_splice(&channel->queue, &rest);
}

/* Of its memory: what is fixed of it too. */
static void channel_deinit(struct channel *channel)
{
        for (unsigned i = 0; i < channel->count; i++)
                subchannel_free(channel->subchannels[i]);
        tiers_deinit(channel);
        channel_config_deinit(channel);
        free(channel->states);
        free(channel->fallbacks);
        free(channel->host);
        free(channel->dns_server);
        free(channel->authority);
        free(channel->user_agent);
        free(channel->server_name);
        free(channel->proxy_request);
        tls_client_config_unref(channel->tls);
        quoit_call_credentials_free(channel->credentials);
        free(channel);
}

void channel_free(struct channel *channel)
{
        quoit_channel *handle = channel->handle;

        list_remove(&channel->stirred);
        channel_deinit(channel);
        if (atomic_fetch_sub(&handle->parts_left, 1) == 1)
                channel_handle_free(handle);
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
        for (unsigned i = 0; channel->queued > 0 && i < channel->count; i++)
                run_waiting(channel->subchannels[i]);
        run_queue(channel);
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

void channel_attach(struct channel *channel)
{
        if (client_is_here(channel->client))
                on_attach(&channel->attach);
        else if (!attach_early(channel) && client_post(channel->client, &channel->attach) < 0)
                attach_late(channel);
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

/* "MINE quoit/VERSION" */
static char *make_user_agent(const char *mine)
{
        char *text;

        if (asprintf(&text, "%s%squoit/" QUOIT_VERSION, mine ? mine : "", mine ? " " : "") < 0)
                return NULL;
        return text;
}

/* Those that the options have, beside the target's. 0 or a negative errno. */
static int set_fallbacks(
        struct channel *channel, const struct target *target, const quoit_channel_options *options)
{
        struct fallbacks fallbacks;
        int r = fallbacks_parse(options, target->count, &fallbacks);

        if (r < 0 || fallbacks.count == 0)
                return r;
        channel->fallbacks = calloc(fallbacks.count, sizeof(*channel->fallbacks));
        if (!channel->fallbacks)
                return -ENOMEM;
        memcpy(channel->fallbacks, fallbacks.addresses,
                fallbacks.count * sizeof(*channel->fallbacks));
        channel->fallback_count = fallbacks.count;
        channel->fallback_tiers = fallbacks.tiers;
        return 0;
}

/* As the target has them. 0 or a negative errno. */
static int set_addresses(
        struct channel *channel, const struct target *target, const quoit_channel_options *options)
{
        struct address addresses[QUOIT_CHANNEL_ADDRESSES_MAX];
        int r = set_fallbacks(channel, target, options);

        for (unsigned i = 0; i < target->count; i++)
                addresses[i] = (struct address){ .endpoint = target->addresses[i] };
        return r < 0 ? r : addresses_set(channel, addresses, target->count);
}

/* Where the caller sets none: a name of a service is asked for as its domain. */
static const char *authority_of(const char *authority, const quoit_channel_options *options)
{
        if (options->authority)
                return options->authority;
        return options->looks_up_srv ? srv_domain(authority) : authority;
}

/* What is fixed of it, and room for its addresses, which will be those of @way. NULL: no memory. */
static struct channel *channel_alloc(
        const struct target *way, const char *authority, const quoit_channel_options *options)
{
        bool has_name = way->count == 0, has_fallbacks = options->fallback_target_count > 0;
        unsigned count_max = has_name || has_fallbacks ? QUOIT_CHANNEL_ADDRESSES_MAX : way->count;
        struct channel *channel =
                calloc(1, sizeof(*channel) + count_max * sizeof(*channel->subchannels));

        if (!channel)
                return NULL;
        channel->count_max = count_max;
        list_init(&channel->lost);
        tiers_init(channel);
        timer_init(&channel->lookup_retry);
        timer_init(&channel->outlier_look);
        timer_init(&channel->lookup_due);
        timer_init(&channel->rest);
        channel->connections_max = options->connections_max;
        channel->fails_when_full = options->fails_when_full;
        channel->port = way->port;
        channel->looks_up_srv = options->looks_up_srv;
        channel->host = has_name ? strdup(way->host) : NULL;
        channel->dns_server = way->dns_server[0] ? strdup(way->dns_server) : NULL;
        channel->authority = strdup(authority_of(authority, options));
        channel->user_agent = make_user_agent(options->user_agent);
        if (channel->authority && channel->user_agent && (channel->host || !has_name) &&
                (channel->dns_server || !way->dns_server[0]))
                return channel;
        channel_deinit(channel);
        return NULL;
}

/* The host of an authority: "HOST:PORT", "[HOST]:PORT", "HOST". NULL: no memory. */
static char *host_of(const char *authority)
{
        bool has_brackets = *authority == '[';

        return has_brackets ? strndup(authority + 1, strcspn(authority + 1, "]"))
                            : strndup(authority, strcspn(authority, ":"));
}

static int set_tls(
        struct channel *channel, const quoit_channel_tls *options, struct tls_client_config *tls)
{
        channel->server_name =
                options->server_name ? strdup(options->server_name) : host_of(channel->authority);
        if (!channel->server_name)
                return -ENOMEM;
        channel->tls = tls_client_config_ref(tls);
        return 0;
}

/* A socket of this machine, which nobody else can read. */
static bool is_local(const struct endpoint *endpoint)
{
        return endpoint->any.sa_family == AF_UNIX;
}

/* So are all that its calls may go to. */
static bool stays_local(const struct channel *channel, const struct target *target)
{
        bool is = target->count > 0 && is_local(&target->addresses[0]); /* they are of one kind */

        for (unsigned i = 0; is && i < channel->fallback_count; i++)
                is = is_local(&channel->fallbacks[i].endpoint);
        return is;
}

static void init(struct channel *channel)
{
        channel->replay.bytes_max = channel->client->limits.replay_channel_bytes_max;
        channel->keepalive_ms = channel->client->limits.keepalive_ms;
        channel->attach.on_delivery = on_attach;
        channel->detach.on_delivery = on_detach;
        list_init(&channel->link);
        list_init(&channel->stirred);
        list_init(&channel->calls);
        list_init(&channel->queue);
}

/* The proxy knows the server's name, not we: no records are looked up for it. */
static int set_proxy(struct channel *channel, const struct proxy *proxy)
{
        if (!proxy->request)
                return 0;
        channel->looks_up_srv = false;
        channel->proxy_request = strdup(proxy->request);
        return channel->proxy_request ? 0 : -ENOMEM;
}

int channel_new(struct client *client, const struct target *target, const struct proxy *proxy,
        const quoit_channel_options *options, struct tls_client_config *tls,
        struct channel **ret_channel)
{
        const struct target *way = proxy->request ? &proxy->target : target;
        struct channel *channel = channel_alloc(way, target->authority, options);
        int r;

        if (!channel)
                return -ENOMEM;
        r = set_addresses(channel, way, options);
        if (r == 0)
                r = set_proxy(channel, proxy);
        if (r == 0 && tls)
                r = set_tls(channel, options->tls, tls);
        if (r < 0) {
                channel_deinit(channel);
                return r;
        }
        channel->client = client;
        channel->credentials = credentials_ref(options->call_credentials);
        channel->keeps_secrets =
                tls || options->insecure_credentials || stays_local(channel, target);
        init(channel);
        *ret_channel = channel;
        return 0;
}
