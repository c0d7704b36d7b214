/* SPDX-License-Identifier: MIT */
#include "client/client_thread.h"

#include <time.h>

#include "core/thread.h"

#define BROKEN_PAUSE_MS 10

static void ignore_shortage(struct base *base, uint64_t count)
{
        (void)base;
        (void)count;
}

int client_own_begin(struct client *client, enum ring_engine engine)
{
        const struct base_options options = {
                .ring.engine = engine,
                .memory_bytes_max = SIZE_MAX,
                .limits = &client->base_limits,
                .owned = &client->connections,
                .user = client,
                .on_shortage = ignore_shortage,
        };
        int r = base_init(&client->own, &options);

        if (r == 0)
                client_begin(client, &client->own, &client->own.host);
        return r;
}

void client_own_end(struct client *client)
{
        client_end(client);
        if (client->is_broken)
                return;
        base_deinit(&client->own);
        base_free_calls(&client->own);
        client_free_memory(client);
}

static void report(struct client *client, int r)
{
        pthread_mutex_lock(&client->mutex);
        client->start_error = r;
        pthread_cond_signal(&client->begun);
        pthread_mutex_unlock(&client->mutex);
}

/* Whoever calls is told, now and until the client is freed. */
static void run_broken(struct client *client)
{
        const struct timespec pause = { .tv_nsec = BROKEN_PAUSE_MS * 1000000 };

        client_break(client);
        while (!client->is_stopped) {
                ring_take_mail(&client->own.ring);
                nanosleep(&pause, NULL);
        }
}

static void *run(void *user)
{
        struct client *client = user;
        int r = client_own_begin(client, client->engine);

        report(client, r);
        if (r < 0)
                return NULL;
        while (!client_is_over(client)) {
                if (ring_turn(&client->own.ring, RING_FOREVER) < 0) {
                        run_broken(client);
                        break;
                }
                base_look(&client->own);
        }
        client_own_end(client);
        return NULL;
}

int client_thread_start(struct client *client, enum ring_engine engine, unsigned number)
{
        int r;

        client->engine = engine;
        client->start_error = 1;
        r = thread_start_named(&client->thread, "client", number, run, client);
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

static void on_stop(struct mail *mail)
{
        struct client *client = CONTAINER_OF(mail, struct client, stop);

        client->is_stopped = true;
        client_shut_down(client);
}

void client_threads_stop(struct client *clients, unsigned count)
{
        for (unsigned i = 0; i < count; i++) {
                clients[i].stop.on_delivery = on_stop;
                (void)client_post(clients + i, &clients[i].stop);
        }
        for (unsigned i = 0; i < count; i++)
                pthread_join(clients[i].thread, NULL);
}
