/* SPDX-License-Identifier: MIT */
#include "lent.h"

#include <string.h>

#include "blocking.h"
#include "check_client.h"
#include "core/clock.h"
#include "core/engine/sim.h"
#include "fibers.h"
#include "made.h"
#include "names.h"

static struct {
        quoit_client *client; /* NULL: there is none */
        quoit_channel *channel;
        struct choice choice;
        struct rules rules;
        unsigned calm_rings; /* that know of it */
} lent;

void lent_begin(quoit_server *server, const struct setting *setting)
{
        quoit_client_options options = { .lent = quoit_server_rings(server) };

        lent.choice = (struct choice){ .setting = setting, .rules = &lent.rules };
        lent.rules.server_stops = setting->server_stops;
        lent.rules.is_gentle = setting->is_gentle;
        names_begin(setting->servers);
        choose_client_limits(setting, &options.limits);
        if (quoit_client_new(&options, &lent.client) < 0 ||
                choose_channel(&lent.choice, lent.client, &lent.channel) < 0)
                sim_fail("no client on a server's rings");
        lent.rules.channel = lent.channel;
}

void lent_end(void)
{
        quoit_retry_statistics retries;

        if (!lent.client)
                return;
        quoit_channel_get_retries(lent.channel, &retries);
        if (quoit_client_free(lent.client))
                sim_fail("a client was not freed whose server has ended");
        made_check_all(&retries);
        memset(&lent, 0, sizeof(lent));
}

struct made *lent_draw(void)
{
        return lent.client && sim_chance(600) ? made_new(&lent.rules) : NULL;
}

int lent_call(struct made *made)
{
        return made_begin(made, lent.channel);
}

void lent_call_blocking(struct made *made)
{
        blocking_call(made, lent.channel);
}

/* On each of its rings. */
static void on_calm(quoit_client *client, void *unused)
{
        struct made *made = NULL;

        (void)client;
        (void)unused;
        made_cancel_endless();
        lent.calm_rings++;
        if (lent.choice.setting->admits_all)
                made = made_new_late(&lent.rules);
        if (made)
                (void)made_begin(made, lent.channel);
}

bool lent_is_calm(void)
{
        return lent.calm_rings == quoit_client_rings(lent.client);
}

void *lent_run(void *unused)
{
        const bool *is_over = lent.choice.setting->server_is_over;

        (void)unused;
        while (!sim.is_calm && !*is_over) {
                fiber_sleep(sim_below(100 * NS_PER_MS));
                if (lent.choice.has_name && sim_chance(300))
                        names_change();
        }
        names_calm();
        for (unsigned i = 0; i < quoit_client_rings(lent.client) && !*is_over; i++)
                (void)quoit_client_post_to(lent.client, i, on_calm, NULL);
        return NULL;
}

void lent_check(void)
{
        check_client(lent.client);
}

void lent_print(void)
{
        made_print();
        check_print_client(lent.client);
}
