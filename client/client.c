/* SPDX-License-Identifier: MIT */
#include "client/client.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "client/channel.h"
#include "client/client_connection.h"
#include "client/client_limits.h"
#include "client/handle.h"
#include "client/note.h"
#include "client/outcall.h"

/* ---- what a turn dispatches ---- */

/* Calls without a connection: those of @list as it is now. */
static void run_calls(struct list *list)
{
        struct list now, *link;

        list_init(&now);
        list_splice(&now, list);
        while ((link = list_pop(&now)))
                outcall_run_unconnected(CONTAINER_OF(link, struct exchange, ready));
}

static void on_dispatch(struct deferred *deferred)
{
        struct client *client = CONTAINER_OF(deferred, struct client, dispatch);
        struct list *link;

        while ((link = list_pop(&client->noted)))
                client_connection_tell(CONTAINER_OF(link, struct client_connection, noted));
        run_calls(&client->left);
        while ((link = list_pop(&client->stirred)))
                channel_run(CONTAINER_OF(link, struct channel, stirred));
        run_calls(&client->ready);
        /* what these have stirred up waits for the next turn, which begins at once */
}

int client_post(struct client *client, struct mail *mail)
{
        /* acquire: the host is there */
        if (atomic_load_explicit(&client->life, memory_order_acquire) == CLIENT_NEW)
                return -EAGAIN;
        if (client_is_inherited(client->handle))
                return -ESHUTDOWN;
        return call_host_post(client->host, mail);
}

/* ---- life ---- */

void client_init(struct client *client, quoit_client *handle, const quoit_client_options *options,
        const quoit_client_limits *limits)
{
        client->handle = handle;
        client->limits = *limits;
        client_limits_of_base(limits, &client->base_limits);
        client->extensions = options->extensions;
        list_init(&client->channels);
        list_init(&client->noted);
        list_init(&client->left);
        list_init(&client->stirred);
        list_init(&client->ready);
        workers_init(&client->handshakers);
        deferred_init(&client->dispatch, on_dispatch);
        census_init(&client->census);
        pthread_mutex_init(&client->mutex, NULL);
        pthread_cond_init(&client->begun, NULL);
}

void client_deinit(struct client *client)
{
        struct list *link;

        while (!client->is_broken && (link = list_pop(&client->channels)))
                channel_free(CONTAINER_OF(link, struct channel, link));
        census_deinit(&client->census);
        pthread_cond_destroy(&client->begun);
        pthread_mutex_destroy(&client->mutex);
}

static void on_report(const struct call_host *host, const char *line)
{
        note_client(host->user, QUOIT_LOG_WARNING, "%s", line);
}

void client_begin(struct client *client, struct base *base, struct call_host *host)
{
        struct list *link;

        client->base = base;
        client->host = host;
        census_draw(&client->census, &base->ring);
        host->extensions = client->extensions;
        host->on_report = client->handle->log.on_log ? on_report : NULL;
        base_slab_init(&client->connections, base, sizeof(struct client_connection));
        base_slab_init(&client->calls, base, sizeof(struct quoit_outcall));
        atomic_store(&client->ring_thread, here_thread());
        pthread_mutex_lock(&client->mutex);
        for (link = client->channels.next; link != &client->channels; link = link->next)
                channel_begin(CONTAINER_OF(link, struct channel, link));
        atomic_store_explicit(&client->life, CLIENT_RUNS, memory_order_release);
        pthread_mutex_unlock(&client->mutex);
}

/* ---- its end ---- */

void client_shut_down(struct client *client)
{
        struct list *link, *next;

        client->is_stopping = true;
        for (link = client->channels.next; link != &client->channels; link = next) {
                next = link->next;
                channel_shut_down(CONTAINER_OF(link, struct channel, link));
        }
}

bool client_is_over(const struct client *client)
{
        const struct list *link;

        if (!client->is_stopping || client->connection_count > 0 || client->dns_sockets > 0)
                return false;
        for (link = client->channels.next; link != &client->channels; link = link->next) {
                if (channel_is_used(CONTAINER_OF(link, struct channel, link)))
                        return false;
        }
        return true;
}

static void finish_calls(struct channel *channel)
{
        struct quoit_outcall *call;
        struct list *link, *next;

        for (link = channel->calls.next; link != &channel->calls; link = next) {
                next = link->next;
                call = outcall_subject(CONTAINER_OF(link, struct quoit_outcall, link));
                (void)outcall_run(&call->exchange, true);
        }
}

void client_break(struct client *client)
{
        struct list *link;

        client->is_broken = true;
        note_client(client, QUOIT_LOG_ERROR,
                "the ring refuses to go on: all its calls end, and further ones fail");
        client_shut_down(client);
        for (link = client->channels.next; link != &client->channels; link = link->next)
                finish_calls(CONTAINER_OF(link, struct channel, link));
}

static void forget_all(struct list *list)
{
        while (list_pop(list))
                ;
}

void client_end(struct client *client)
{
        workers_deinit(&client->handshakers);
        call_host_end_posts(client->host); /* their wake-ups use the ring's descriptor */
        ring_take_mail(&client->base->ring);
        ring_undefer(&client->dispatch);
        forget_all(&client->stirred); /* by that mail */
        atomic_store(&client->ring_thread, NULL); /* another thread may have its place next */
        atomic_store_explicit(&client->life, CLIENT_OVER, memory_order_release);
}

void client_wait_over(struct client *client)
{
        while (atomic_load_explicit(&client->life, memory_order_acquire) == CLIENT_RUNS)
                sched_yield();
}

void client_free_memory(struct client *client)
{
        base_slab_deinit(&client->calls);
        base_slab_deinit(&client->connections);
}

/* ---- tasks ---- */

struct client_task {
        struct mail mail;
        struct client *client;
        quoit_client *handle;
        void (*fn)(quoit_client *handle, void *arg);
        void *arg;
};

static void on_task(struct mail *mail)
{
        struct client_task *task = CONTAINER_OF(mail, struct client_task, mail);

        uint64_t began_ns = note_callback(task->client);

        task->fn(task->handle, task->arg);
        note_callback_end(task->client, began_ns, "the client", "a posted function");
        free(task);
}

int client_run_task(struct client *client, void (*fn)(quoit_client *handle, void *arg), void *arg)
{
        struct client_task *task = malloc(sizeof(*task));
        int r;

        if (!task)
                return -ENOMEM;
        *task = (struct client_task){ .mail.on_delivery = on_task,
                .client = client,
                .handle = client->handle,
                .fn = fn,
                .arg = arg };
        r = client_post(client, &task->mail);
        if (r < 0)
                free(task);
        return r;
}
