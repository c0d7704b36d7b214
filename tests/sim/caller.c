/* SPDX-License-Identifier: MIT */
#include "caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_client.h"
#include "choice.h"
#include "core/clock.h"
#include "core/engine/sim.h"
#include "made.h"
#include "names.h"

static struct {
        const struct setting *setting;
        quoit_client *client;
        quoit_channel *channel;
        int fd;
        uint64_t next_ns; /* when it does something by itself */
        bool is_calm; /* it knows */
        bool is_over;
        bool has_name; /* the channel's target is one */
        quoit_channel_state state; /* of the channel, as its watch has heard */
        uint64_t steps_left; /* it ends before the server does; SIM_NEVER: it does not */
        struct rules rules;
        quoit_retry_statistics retries; /* of all channels that it has left */
} caller;

/* ---- what others see ---- */

void caller_check(void)
{
        check_client(caller.client);
}

void caller_print(void)
{
        made_print();
        check_print_client(caller.client);
}

/* ---- its life ---- */

static void on_state(quoit_channel *channel, quoit_channel_state state, void *user)
{
        (void)user;
        sim_note("the channel is", state, 0);
        if (channel !=
                caller.channel) /* it was freed: what had changed by then is told too, and SHUTDOWN */
                return;
        /* without memory, changes are told as one */
        if ((state == caller.state && sim.rates[SIM_NO_MEMORY] == 0) ||
                caller.state == QUOIT_CHANNEL_SHUTDOWN)
                sim_fail("a channel that is %s becomes %s", quoit_channel_state_name(caller.state),
                        quoit_channel_state_name(state));
        caller.state = state;
}

static int make_channel(void)
{
        struct choice choice = { .setting = caller.setting, .rules = &caller.rules };
        int r = choose_channel(&choice, caller.client, &caller.channel);

        caller.has_name = choice.has_name;
        if (r < 0)
                return r;
        caller.rules.channel = caller.channel;
        caller.state = QUOIT_CHANNEL_IDLE;
        return quoit_channel_watch(caller.channel, on_state, NULL);
}

/* It counts no more. @frees: else the client's end does. */
static void leave_channel(bool frees)
{
        quoit_retry_statistics now, *all = &caller.retries;
        quoit_channel *channel = caller.channel;

        quoit_channel_get_retries(channel, &now);
        all->retries += now.retries;
        all->hedged += now.hedged;
        all->throttled += now.throttled;
        caller.channel = NULL;
        caller.rules.channel = NULL;
        if (frees)
                (void)quoit_channel_free(channel);
}

static bool begin(void)
{
        quoit_client_options options = { .stepped = true, .engine = QUOIT_ENGINE_EPOLL };

        caller.rules.server_stops = caller.setting->server_stops;
        caller.rules.is_gentle = caller.setting->is_gentle;
        choose_client_limits(caller.setting, &options.limits);
        if (quoit_client_new(&options, &caller.client) < 0)
                return false;
        if (make_channel() < 0) {
                caller.client = quoit_client_free(caller.client);
                return false;
        }
        caller.fd = quoit_client_fd(caller.client);
        caller.steps_left = sim_chance(200) ? sim_below(300) : SIM_NEVER;
        return true;
}

/* ---- what it does ---- */

static void begin_call(void)
{
        struct made *made = made_new(&caller.rules);

        if (made)
                (void)made_begin(made, caller.channel);
}

/* Another one, with other rules, while calls of the first may run. */
static void change_channel(void)
{
        if (caller.channel)
                leave_channel(true);
        (void)make_channel();
}

static void act(void)
{
        if (caller.channel && sim_chance(400))
                begin_call();
        if (made_count() > 0 && sim_chance(100))
                made_cancel(made_at((unsigned)sim_below(made_count())));
        if (caller.channel && sim_chance(30))
                (void)quoit_channel_connect(caller.channel);
        if (sim_chance(5))
                change_channel();
        if (caller.has_name && sim_chance(20))
                names_change();
        caller.next_ns = sim.now_ns + sim_below(sim_chance(100) ? NS_PER_S : 10 * NS_PER_MS);
}

/* What ends by itself shall, the rest is given up. */
static void be_calm(void)
{
        caller.is_calm = true;
        names_calm();
        made_cancel_endless();
        if (caller.channel && caller.setting->admits_all) {
                struct made *made = made_new_late(&caller.rules);

                if (made)
                        (void)made_begin(made, caller.channel);
        }
}

bool caller_is_served(void)
{
        return made_are_served() && (caller.is_calm || caller.is_over);
}

/* ---- its thread ---- */

static uint64_t due_ns(const void *unused)
{
        uint64_t ring_ns = sim_poll_due_ns(caller.fd);

        (void)unused;
        if (*caller.setting->server_is_over || caller.is_calm != sim.is_calm)
                return 0;
        return !caller.is_calm && caller.next_ns < ring_ns ? caller.next_ns : ring_ns;
}

static bool ends(void)
{
        if (caller.steps_left != SIM_NEVER && caller.steps_left-- == 0)
                return true;
        return *caller.setting->server_is_over;
}

static void end(void)
{
        quoit_client *client = caller.client;

        sim_note("the client ends", made_count(), 0);
        if (caller.channel)
                leave_channel(sim_chance(500));
        caller.client = NULL; /* nobody looks at it any more */
        if (quoit_client_free(client))
                sim_fail("a client was not freed");
        made_check_all(&caller.retries);
}

void caller_prepare(const struct setting *setting)
{
        memset(&caller, 0, sizeof(caller));
        caller.setting = setting;
}

void *caller_run(void *unused)
{
        (void)unused;
        names_begin(caller.setting->servers);
        if (begin()) {
                while (!ends()) {
                        sim_block(due_ns, NULL);
                        if (sim.is_calm && !caller.is_calm)
                                be_calm();
                        else if (!sim.is_calm && caller.next_ns <= sim.now_ns)
                                act();
                        if (quoit_client_step(caller.client) != 1)
                                sim_fail("a client's step has failed");
                }
                end();
        }
        caller.is_over = true;
        return NULL;
}
