/* SPDX-License-Identifier: MIT */
#include "outcalls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include <quoit/client.h>

#include "counters.quoit.h"
#include "counts.h"
#include "enters.h"

struct series {
        quoit_channel *channel;
        unsigned begun, count, depth;
        atomic_uint over;
};

static void begin(struct series *series);

static void on_message(quoit_outcall *call, const struct upb_Message *message, void *user)
{
        (void)call;
        (void)user;
        assert_int_equal(
                counters_Text_text((const counters_Text *)message).size, 12); /* "Hello, Ann.!" */
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct series *series = user;

        (void)call;
        assert_int_equal(status, QUOIT_OK);
        if (series->begun < series->count)
                begin(series);
        atomic_fetch_add(&series->over, 1);
}

static void begin(struct series *series)
{
        static const quoit_outcall_handler handler = { .on_message = on_message,
                .on_done = on_done };
        const quoit_method *greet =
                quoit_service_method(&quoit_counters__Counters_service, "greet");
        const quoit_call_options options = { .timeout_ms = 1000 * 1000 };
        quoit_outcall *call;
        counters_Text *text;

        series->begun++;
        assert_int_equal(
                quoit_outcall_start(series->channel, greet, &options, &handler, series, &call), 0);
        text = counters_Text_new(quoit_outcall_arena(call));
        counters_Text_set_text(text, upb_StringView_FromString("Ann."));
        assert_int_equal(quoit_outcall_send(call, (const struct upb_Message *)text), 0);
}

static void run(quoit_client *client, void *arg)
{
        struct series *series = arg;

        (void)client;
        for (unsigned i = 0; i < series->depth; i++)
                begin(series);
}

void outcalls_call(struct outcalls *outcalls, unsigned count, unsigned depth)
{
        struct series series = { .channel = outcalls->channel, .count = count, .depth = depth };

        assert_int_equal(quoit_client_post(outcalls->client, run, &series), 0);
        while (atomic_load(&series.over) < count)
                usleep(1000);
}

struct watching {
        struct outcalls *outcalls;
        atomic_bool begun;
};

static void watch(quoit_client *client, void *arg)
{
        struct watching *watching = arg;

        (void)client;
        counts_watch_this_thread();
        if (watching->outcalls->traces_enters)
                watching->outcalls->traced = enters_watch_this_thread();
        atomic_store(&watching->begun, true);
}

void outcalls_init(struct outcalls *outcalls, uint16_t port, bool traces_enters)
{
        struct watching watching = { .outcalls = outcalls };
        char target[32];

        *outcalls = (struct outcalls){ .traces_enters = traces_enters };
        snprintf(target, sizeof(target), "127.0.0.1:%u", port);
        assert_int_equal(quoit_client_new(NULL, &outcalls->client), 0);
        assert_int_equal(quoit_channel_new(outcalls->client, target, NULL, &outcalls->channel), 0);
        assert_int_equal(quoit_client_post(outcalls->client, watch, &watching), 0);
        while (!atomic_load(&watching.begun))
                usleep(1000);
}

void outcalls_deinit(struct outcalls *outcalls)
{
        quoit_channel_free(outcalls->channel);
        quoit_client_free(outcalls->client);
}
