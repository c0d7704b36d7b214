/* SPDX-License-Identifier: MIT */

/* Other addresses: what stays is not touched, and what goes finishes its calls. */

#include "stage.h"

#include <stdio.h>

#include "client/addresses.h"
#include "client/channel.h"
#include "client/handle.h"
#include "client/target.h"

/* What a lookup says, as the client's thread hears it. */
struct news {
        struct stage *stage;
        char text[120]; /* a target */
};

static void bring(void *arg)
{
        struct news *news = arg;
        struct address addresses[QUOIT_CHANNEL_ADDRESSES_MAX];
        struct target target;

        assert_int_equal(target_parse(news->text, &target), 0);
        for (unsigned i = 0; i < target.count; i++)
                addresses[i] = (struct address){ .endpoint = target.addresses[i] };
        addresses_on_lookup(news->stage->channel->parts[0], addresses, target.count, "");
}

/* The target of some of the stage's servers, by their numbers. */
static void say(struct stage *stage, const char *numbers, char *ret_text, size_t size)
{
        int used = snprintf(ret_text, size, "ipv4:");

        for (; *numbers; numbers++)
                used += snprintf(ret_text + used, size - (size_t)used, "%s%s",
                        stage->servers[*numbers - '0'].target, numbers[1] ? "," : "");
}

static void change(struct stage *stage, const char *numbers)
{
        struct news news = { .stage = stage };

        say(stage, numbers, news.text, sizeof(news.text));
        stage_run(stage, bring, &news);
}

static void open_three(struct stage *stage)
{
        char target[120];

        stage_init(stage, NULL);
        for (unsigned i = 0; i < 3; i++)
                stage_serve(stage, i, 0, NULL);
        say(stage, "012", target, sizeof(target));
        stage_open(stage, target);
}

static void assert_served(struct stage *stage, unsigned first, unsigned second, unsigned third)
{
        stage_call_ok(stage);
        assert_int_equal(stage->servers[0].script.started, first);
        assert_int_equal(stage->servers[1].script.started, second);
        assert_int_equal(stage->servers[2].script.started, third);
}

/* In another order, beside others, twice: it is the same connection. */
static void test_stays(void **state)
{
        struct stage stage;
        struct client_connection *connection;

        (void)state;
        open_three(&stage);
        assert_served(&stage, 1, 0, 0);
        connection = subchannel_oldest(stage.channel->parts[0]->subchannels[0]);
        change(&stage, "210");
        assert_served(&stage, 2, 0, 0);
        assert_int_equal(stage.channel->parts[0]->count, 3);
        assert_ptr_equal(subchannel_oldest(stage.channel->parts[0]->subchannels[2]), connection);
        change(&stage, "00");
        assert_served(&stage, 3, 0, 0);
        assert_int_equal(stage.channel->parts[0]->count, 1);
        assert_ptr_equal(subchannel_oldest(stage.channel->parts[0]->subchannels[0]), connection);
        stage_deinit(&stage);
}

static void half_close(void *arg)
{
        quoit_outcall_half_close(((struct told *)arg)->call);
}

static void test_goes(void **state)
{
        struct stage stage;
        struct told held = { .stage = &stage, .kind = QUOIT_CLIENT_STREAMING, .keeps_open = true };

        (void)state;
        open_three(&stage);
        stage_run(&stage, told_start, &held);
        assert_served(&stage, 2, 0, 0);
        change(&stage, "21");
        assert_served(&stage, 2, 0, 1);
        assert_int_equal(held.dones, 0);
        stage_run(&stage, half_close, &held);
        told_wait(&held);
        assert_string_equal(held.text, "OK");
        stage_deinit(&stage);
}

/* No address is left of an attempt that is under way. */
static void test_goes_amid_an_attempt(void **state)
{
        struct stage stage;
        struct told told = { .stage = &stage };

        (void)state;
        open_three(&stage);
        for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(quoit_channel_connect(stage.channel), 0);
                change(&stage, i % 2 ? "12" : "0");
        }
        stage_run(&stage, told_start, &told);
        told_wait(&told);
        assert_string_equal(told.text, "OK");
        stage_deinit(&stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stays),
                cmocka_unit_test(test_goes),
                cmocka_unit_test(test_goes_amid_an_attempt),
        };

        return RUN_ON_BOTH_ENGINES("client/addresses", tests);
}
