/* SPDX-License-Identifier: MIT */
#include "client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "client/channel.h"
#include "client/client_connection.h"
#include "client/client_limits.h"
#include "client/outcall.h"
#include "client/resolver.h"
#include "core/probe.h"
#include "core/thread.h"

#define BROKEN_PAUSE_MS 10

/* ---- what a turn dispatches ---- */

static void on_dispatch(struct deferred *deferred)
{
        struct quoit_client *client = CONTAINER_OF(deferred, struct quoit_client, dispatch);
        struct list now, *link;

        while ((link = list_pop(&client->noted)))
                client_connection_tell(CONTAINER_OF(link, struct client_connection, noted));
        while ((link = list_pop(&client->stirred)))
                channel_run(CONTAINER_OF(link, struct quoit_channel, stirred));
        list_init(&now);
        list_splice(&now, &client->ready);
        while ((link = list_pop(&now)))
                outcall_run_unconnected(CONTAINER_OF(link, struct exchange, ready));
        /* what these have stirred up waits for the next turn, which begins at once */
}

int client_post(struct quoit_client *client, struct mail *mail)
{
        return call_host_post(&client->base.host, mail);
}

/* ---- its thread ---- */

static void ignore_shortage(struct base *base, uint64_t count)
{
        (void)base;
        (void)count;
}

static int set_up(struct quoit_client *client)
{
        const struct base_options options = {
                .ring.engine = client->engine,
                .memory_bytes_max = SIZE_MAX,
                .limits = &client->base_limits,
                .owned = &client->connections,
                .user = client,
                .on_shortage = ignore_shortage,
        };
        int r = base_init(&client->base, &options);

        if (r < 0)
                return r;
        client->base.host.extensions = client->extensions;
        slab_init(&client->connections, sizeof(struct client_connection));
        slab_init(&client->calls, sizeof(struct quoit_outcall));
        deferred_init(&client->dispatch, on_dispatch);
        return 0;
}

static void tear_down(struct quoit_client *client)
{
        call_host_end_posts(&client->base.host); /* their wake-ups use the ring's descriptor */
        ring_take_mail(&client->base.ring);
        base_deinit(&client->base);
        base_free_calls(&client->base);
        slab_deinit(&client->calls);
        slab_deinit(&client->connections);
}

static void begin(struct quoit_client *client, int r)
{
        pthread_mutex_lock(&client->mutex);
        atomic_store(&client->ring_thread, __builtin_thread_pointer());
        client->start_error = r;
        pthread_cond_signal(&client->begun);
        pthread_mutex_unlock(&client->mutex);
}

/* Nothing is left that needs a turn. */
static bool is_over(const struct quoit_client *client)
{
        return client->is_stopping && list_is_empty(&client->channels) &&
               list_is_empty(&client->base.connections) && client->lookups == 0;
}

static void shut_down(struct quoit_client *client)
{
        struct list *link, *next;

        client->is_stopping = true;
        for (link = client->channels.next; link != &client->channels; link = next) {
                next = link->next;
                channel_shut_down(CONTAINER_OF(link, struct quoit_channel, link));
        }
}

static void finish_calls(struct quoit_channel *channel)
{
        struct list *link, *next;

        for (link = channel->calls.next; link != &channel->calls; link = next) {
                next = link->next;
                (void)outcall_run(&CONTAINER_OF(link, struct quoit_outcall, link)->exchange, true);
        }
}

/*
 * The kernel refuses to turn the ring any more. Whoever calls is told, now and until the client is freed. What the ring holds stays as
 * it is, memory and all: operations may be in flight.
 */
static void run_broken(struct quoit_client *client)
{
        const struct timespec pause = { .tv_nsec = BROKEN_PAUSE_MS * 1000000 };
        struct list *link;

        shut_down(client);
        for (link = client->channels.next; link != &client->channels; link = link->next)
                finish_calls(CONTAINER_OF(link, struct quoit_channel, link));
        while (!client->is_stopped) {
                ring_take_mail(&client->base.ring);
                nanosleep(&pause, NULL);
        }
}

static void end_threads(struct quoit_client *client)
{
        resolver_end(client);
        if (client->has_handshakers)
                workers_stop(&client->handshakers);
        workers_deinit(&client->handshakers);
}

static void *run(void *user)
{
        struct quoit_client *client = user;
        int r = set_up(client);

        begin(client, r);
        if (r < 0)
                return NULL;
        while (!is_over(client)) {
                if (ring_turn(&client->base.ring, RING_FOREVER) < 0) {
                        run_broken(client);
                        end_threads(client);
                        return NULL;
                }
                base_look(&client->base);
        }
        end_threads(client);
        tear_down(client);
        return NULL;
}

/* ---- life ---- */

static int choose_engine(quoit_engine asked, enum ring_engine *ret_engine)
{
        struct refusal refusal = { 0 };
        int r;

        *ret_engine = asked == QUOIT_ENGINE_EPOLL ? RING_EPOLL : RING_URING;
        if (asked == QUOIT_ENGINE_EPOLL || asked == QUOIT_ENGINE_IO_URING)
                return 0;
        if (asked != QUOIT_ENGINE_AUTO)
                return -EINVAL;
        r = probe_run(NULL, &refusal);
        if (r < 0 && refusal_is_lasting(&refusal))
                *ret_engine = RING_EPOLL;
        return 0;
}

/* Its thread, and waits until that has begun. */
static int start(struct quoit_client *client)
{
        int r = thread_start_named(&client->thread, "client", 0, run, client);

        if (r < 0)
                return r;
        pthread_mutex_lock(&client->mutex);
        while (client->start_error > 0)
                pthread_cond_wait(&client->begun, &client->mutex);
        r = client->start_error;
        pthread_mutex_unlock(&client->mutex);
        if (r < 0)
                pthread_join(client->thread, NULL);
        return r;
}

static quoit_client *client_free(quoit_client *client)
{
        pthread_cond_destroy(&client->begun);
        pthread_mutex_destroy(&client->mutex);
        free(client);
        return NULL;
}

int quoit_client_new(const quoit_client_options *options, quoit_client **ret_client)
{
        static const quoit_client_options defaults;
        quoit_client *client = calloc(1, sizeof(*client));
        int r;

        if (!client)
                return -ENOMEM;
        if (!options)
                options = &defaults;
        client->limits = options->limits;
        client->extensions = options->extensions;
        client->start_error = 1;
        list_init(&client->channels);
        list_init(&client->noted);
        list_init(&client->stirred);
        list_init(&client->ready);
        workers_init(&client->resolver);
        workers_init(&client->handshakers);
        pthread_mutex_init(&client->mutex, NULL);
        pthread_cond_init(&client->begun, NULL);
        r = client_limits_complete(&client->limits);
        client_limits_of_base(&client->limits, &client->base_limits);
        if (r == 0)
                r = choose_engine(options->engine, &client->engine);
        if (r == 0)
                r = start(client);
        if (r < 0) {
                client_free(client);
                return r;
        }
        *ret_client = client;
        return 0;
}

static void on_stop(struct mail *mail)
{
        struct quoit_client *client = CONTAINER_OF(mail, struct quoit_client, stop);

        client->is_stopped = true;
        shut_down(client);
}

quoit_client *quoit_client_free(quoit_client *client)
{
        if (!client || client_is_here(client))
                return client;
        client->stop.on_delivery = on_stop;
        (void)client_post(client, &client->stop);
        pthread_join(client->thread, NULL);
        return client_free(client);
}

/* ---- posts ---- */

struct client_task {
        struct mail mail;
        quoit_client *client;
        void (*fn)(quoit_client *client, void *arg);
        void *arg;
};

static void on_task(struct mail *mail)
{
        struct client_task *task = CONTAINER_OF(mail, struct client_task, mail);

        task->fn(task->client, task->arg);
        free(task);
}

int quoit_client_post(quoit_client *client, void (*fn)(quoit_client *client, void *arg), void *arg)
{
        struct client_task *task = malloc(sizeof(*task));
        int r;

        if (!task)
                return -ENOMEM;
        *task = (struct client_task){
                .mail.on_delivery = on_task, .client = client, .fn = fn, .arg = arg
        };
        r = client_post(client, &task->mail);
        if (r < 0)
                free(task);
        return r;
}
