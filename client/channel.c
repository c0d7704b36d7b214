/* SPDX-License-Identifier: MIT */
#include "client/channel.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/version.h>

#include "client/client.h"
#include "client/client_connection.h"
#include "client/outcall.h"
#include "client/pick_first.h"
#include "client/target.h"
#include "codec/metadata.h"
#include "transport/tls_context.h"

/* ---- states ---- */

const char *quoit_channel_state_name(quoit_channel_state state)
{
        static const char *const names[] = {
                [QUOIT_CHANNEL_IDLE] = "IDLE",
                [QUOIT_CHANNEL_CONNECTING] = "CONNECTING",
                [QUOIT_CHANNEL_READY] = "READY",
                [QUOIT_CHANNEL_TRANSIENT_FAILURE] = "TRANSIENT_FAILURE",
                [QUOIT_CHANNEL_SHUTDOWN] = "SHUTDOWN",
        };

        return (unsigned)state <= QUOIT_CHANNEL_SHUTDOWN ? names[state] : "UNKNOWN";
}

quoit_channel_state quoit_channel_get_state(const quoit_channel *channel)
{
        return (quoit_channel_state)atomic_load_explicit(
                &channel->state_seen, memory_order_relaxed);
}

void channel_set_state(struct quoit_channel *channel, quoit_channel_state state)
{
        static const unsigned allowed[] = {
                [QUOIT_CHANNEL_IDLE] =
                        1u << QUOIT_CHANNEL_CONNECTING | 1u << QUOIT_CHANNEL_SHUTDOWN,
                [QUOIT_CHANNEL_CONNECTING] = 1u << QUOIT_CHANNEL_READY |
                                             1u << QUOIT_CHANNEL_TRANSIENT_FAILURE |
                                             1u << QUOIT_CHANNEL_SHUTDOWN,
                [QUOIT_CHANNEL_READY] = 1u << QUOIT_CHANNEL_IDLE | 1u << QUOIT_CHANNEL_SHUTDOWN,
                [QUOIT_CHANNEL_TRANSIENT_FAILURE] = 1u << QUOIT_CHANNEL_READY |
                                                    1u << QUOIT_CHANNEL_IDLE |
                                                    1u << QUOIT_CHANNEL_SHUTDOWN,
                [QUOIT_CHANNEL_SHUTDOWN] = 0,
        };

        assert(allowed[channel->state] & 1u << state);
        channel->state = state;
        atomic_store_explicit(&channel->state_seen, (int)state, memory_order_relaxed);
        if (channel->state_count < CHANNEL_STATES_MAX)
                channel->states[channel->state_count++] = state;
        channel_stir(channel);
}

/* What it calls may shut the channel down, or begin calls. */
static void tell_states(struct quoit_channel *channel)
{
        quoit_channel_state states[CHANNEL_STATES_MAX];
        unsigned count = channel->state_count;

        memcpy(states, channel->states, sizeof(states));
        channel->state_count = 0;
        for (unsigned i = 0; i < count && channel->on_state; i++)
                channel->on_state(channel, states[i], channel->state_user);
}

int quoit_channel_watch(quoit_channel *channel,
        void (*on_state)(quoit_channel *channel, quoit_channel_state state, void *user), void *user)
{
        if (!client_is_here(channel->client))
                return -EPERM;
        channel->state_count = 0;
        channel->on_state = on_state;
        channel->state_user = user;
        return 0;
}

/* ---- calls that wait ---- */

void channel_stir(struct quoit_channel *channel)
{
        if (list_is_empty(&channel->stirred))
                list_append(&channel->client->stirred, &channel->stirred);
        client_stir(channel->client);
}

void channel_queue(struct quoit_channel *channel, struct quoit_outcall *call, bool in_front)
{
        list_append(in_front ? channel->queue.next : &channel->queue, &call->queued);
        channel->queued++;
        channel_stir(channel);
}

void channel_unqueue(struct quoit_channel *channel, struct quoit_outcall *call)
{
        list_remove(&call->queued);
        channel->queued--;
}

/* Calls that do not wait for a READY channel hear why there is none. */
static void fail_waiting(struct quoit_channel *channel)
{
        char text[QUOIT_ERROR_TEXT_BYTES - 32];
        struct list *link, *next;

        pick_first_describe(channel, text, sizeof(text));
        for (link = channel->queue.next; link != &channel->queue; link = next) {
                struct quoit_outcall *call = CONTAINER_OF(link, struct quoit_outcall, queued);

                next = link->next;
                if (!call->wait_for_ready)
                        outcall_fail_copy(call, QUOIT_UNAVAILABLE, text);
        }
}

/* As many as the connection has room for. */
static void begin_waiting(struct quoit_channel *channel)
{
        struct client_connection *connection = channel->picked->connection;

        while (!list_is_empty(&channel->queue)) {
                struct quoit_outcall *call =
                        CONTAINER_OF(channel->queue.next, struct quoit_outcall, queued);
                int r = outcall_begin(call, connection);

                if (r == -EAGAIN)
                        return;
                if (r == -ESHUTDOWN) {
                        connection->is_leaving = true;
                        client_connection_note(connection);
                        return;
                }
        }
}

static void channel_free(struct quoit_channel *channel)
{
        free(channel->host);
        free(channel->authority);
        free(channel->user_agent);
        free(channel->server_name);
        tls_context_unref(channel->tls);
        free(channel);
}

static void channel_free_if_unused(struct quoit_channel *channel)
{
        if (!list_is_empty(&channel->calls) ||
                atomic_load_explicit(&channel->is_detaching, memory_order_relaxed))
                return;
        for (unsigned i = 0; i < channel->count; i++) {
                if (subchannel_is_busy(channel->subchannels + i))
                        return;
        }
        list_remove(&channel->link);
        list_remove(&channel->stirred);
        channel_free(channel);
}

void channel_run(struct quoit_channel *channel)
{
        bool wants = channel->connect_asked || !list_is_empty(&channel->calls);

        tell_states(channel);
        switch (channel->state) {
        case QUOIT_CHANNEL_IDLE:
                channel->connect_asked = false;
                if (wants)
                        pick_first_connect(channel);
                break;
        case QUOIT_CHANNEL_READY:
                begin_waiting(channel);
                break;
        case QUOIT_CHANNEL_TRANSIENT_FAILURE:
                fail_waiting(channel);
                break;
        case QUOIT_CHANNEL_SHUTDOWN:
                channel_free_if_unused(channel);
                break;
        case QUOIT_CHANNEL_CONNECTING:
                break;
        }
}

void channel_shut_down(struct quoit_channel *channel)
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
        pick_first_end(channel);
}

/* ---- life ---- */

static void attach(struct quoit_channel *channel)
{
        list_append(&channel->client->channels, &channel->link);
        if (channel->client->is_stopping)
                channel_shut_down(channel);
}

static void on_attach(struct mail *mail)
{
        attach(CONTAINER_OF(mail, struct quoit_channel, attach));
}

static void on_detach(struct mail *mail)
{
        struct quoit_channel *channel = CONTAINER_OF(mail, struct quoit_channel, detach);

        atomic_store_explicit(&channel->is_detaching, false, memory_order_relaxed);
        channel_shut_down(channel);
        channel_stir(channel);
}

/* "MINE quoit/VERSION" */
static char *make_user_agent(const char *mine)
{
        char *text;

        if (asprintf(&text, "%s%squoit/" QUOIT_VERSION, mine ? mine : "", mine ? " " : "") < 0)
                return NULL;
        return text;
}

static bool is_valid(const char *text)
{
        return !text || (*text && metadata_value_valid(text, strlen(text)));
}

/* What is fixed of it, and room for its addresses. NULL: no memory. */
static struct quoit_channel *channel_alloc(
        const struct target *target, const quoit_channel_options *options)
{
        bool has_name = target->count == 0;
        unsigned count_max = has_name ? QUOIT_CHANNEL_ADDRESSES_MAX : target->count;
        struct quoit_channel *channel =
                calloc(1, sizeof(*channel) + count_max * sizeof(*channel->subchannels));

        if (!channel)
                return NULL;
        channel->count_max = count_max;
        channel->count = target->count;
        channel->port = target->port;
        channel->host = has_name ? strdup(target->host) : NULL;
        channel->authority = strdup(options->authority ? options->authority : target->authority);
        channel->user_agent = make_user_agent(options->user_agent);
        if (channel->authority && channel->user_agent && (channel->host || !has_name))
                return channel;
        channel_free(channel);
        return NULL;
}

/* The host of an authority: "HOST:PORT", "[HOST]:PORT", "HOST". NULL: no memory. */
static char *host_of(const char *authority)
{
        bool has_brackets = *authority == '[';

        return has_brackets ? strndup(authority + 1, strcspn(authority + 1, "]"))
                            : strndup(authority, strcspn(authority, ":"));
}

static int set_tls(struct quoit_channel *channel, const quoit_channel_tls *tls)
{
        const quoit_tls_options options = { .version_min = tls->version_min };
        const struct tls_source source = { .certificate_file = (char *)tls->certificate_file,
                .key_file = (char *)tls->key_file };
        const struct tls_client_rules rules = { .options = &options,
                .ca_file = tls->ca_file,
                .source = tls->certificate_file ? &source : NULL };
        struct tls_problem problem;

        if (!tls->certificate_file != !tls->key_file)
                return -EINVAL;
        channel->server_name =
                tls->server_name ? strdup(tls->server_name) : host_of(channel->authority);
        if (!channel->server_name)
                return -ENOMEM;
        return tls_context_new_client(&rules, &channel->tls, &problem);
}

int quoit_channel_new(quoit_client *client, const char *text, const quoit_channel_options *options,
        quoit_channel **ret_channel)
{
        static const quoit_channel_options defaults;
        struct quoit_channel *channel;
        struct target target;
        int r = target_parse(text, &target);

        if (!options)
                options = &defaults;
        if (r == 0 && (!is_valid(options->authority) || !is_valid(options->user_agent)))
                r = -EINVAL;
        if (r < 0)
                return r;
        channel = channel_alloc(&target, options);
        if (!channel)
                return -ENOMEM;
        r = options->tls ? set_tls(channel, options->tls) : 0;
        if (r < 0) {
                channel_free(channel);
                return r;
        }
        channel->client = client;
        call_group_init(&channel->group, &client->base.host, NULL);
        channel->attach.on_delivery = on_attach;
        channel->detach.on_delivery = on_detach;
        list_init(&channel->link);
        list_init(&channel->stirred);
        list_init(&channel->calls);
        list_init(&channel->queue);
        timer_init(&channel->attempt);
        timer_init(&channel->lookup_retry);
        for (unsigned i = 0; i < target.count; i++)
                subchannel_init(channel->subchannels + i, channel, target.addresses + i);
        if (client_is_here(client))
                attach(channel);
        else
                (void)client_post(client, &channel->attach);
        *ret_channel = channel;
        return 0;
}

quoit_channel *quoit_channel_free(quoit_channel *channel)
{
        if (!channel)
                return NULL;
        /* where the client is being freed it is SHUTDOWN already, and waits for the mail */
        atomic_store_explicit(&channel->is_detaching, true, memory_order_relaxed);
        (void)client_post(channel->client, &channel->detach);
        return NULL;
}

static void on_connect(quoit_client *client, void *arg)
{
        struct quoit_channel *channel = arg;

        channel->used_ns = ring_now_ns(&client->base.ring);
        if (channel->state == QUOIT_CHANNEL_IDLE) {
                channel->connect_asked = true;
                channel_stir(channel);
        } else if (channel->state != QUOIT_CHANNEL_SHUTDOWN) {
                pick_first_hurry(channel);
        }
}

int quoit_channel_connect(quoit_channel *channel)
{
        return quoit_client_post(channel->client, on_connect, channel);
}
