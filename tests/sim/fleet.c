/* SPDX-License-Identifier: MIT */
#include "fleet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "core/clock.h"
#include "core/engine/sim.h"
#include "fibers.h"
#include "secure.h"
#include "server/server.h"
#include "service.h"

struct member {
        unsigned place;
        quoit_server *server; /* NULL: it is away */
        quoit_health *health;
        bool is_stopping;
        unsigned users; /* threads that call its functions now: it is not freed meanwhile */
};

static struct {
        struct member
                members[SIM_SERVERS]; /* the first one is the run's own, which runs without us */
        unsigned count; /* of them, with that */
        bool is_secure, is_gentle;
        const bool *is_over;
} fleet;

/* ---- a server ---- */

static void choose_limits(quoit_limits *limits)
{
        limits->slow_handler_ms = UINT32_MAX;
        if (sim_chance(200))
                limits->connection_age_ms = 50 + (uint32_t)sim_below(1000);
        if (sim_chance(200))
                limits->connection_idle_ms = 10 + (uint32_t)sim_below(1000);
        if (sim_chance(200))
                limits->streams_max = 2 + (uint32_t)sim_below(4);
        if (sim_chance(200))
                limits->stream_window_bytes = 16384;
        if (sim_chance(100))
                limits->turn_bytes_max = 1;
        if (fleet.is_gentle)
                return;
        if (sim_chance(200))
                limits->connection_age_grace_ms = 1 + (uint32_t)sim_below(100);
        if (sim_chance(300))
                limits->drain_ms = 1 + (uint32_t)sim_below(500);
        if (sim_chance(200))
                limits->calls_max = 1 + (uint32_t)sim_below(5);
}

static quoit_server *make(struct member *member)
{
        quoit_server_options options = {
                .rings = 1, .workers = 1, .engine = QUOIT_ENGINE_EPOLL, .on_log = service_on_log
        };
        quoit_server *server;

        choose_limits(&options.limits);
        service_choose(&options);
        if (quoit_server_new(&options, &server) < 0)
                return NULL;
        if (service_register(server, &member->health) < 0)
                return quoit_server_free(server), NULL;
        server->engine = QUOIT_ENGINE_EPOLL;
        server->listeners[0] = (struct server_listener){
                .fd = sim_listen(member->place),
                .tls = fleet.is_secure ? secure_rules() : NULL,
        };
        server->listener_count = 1;
        return server;
}

static uint64_t unused_ns(const void *arg)
{
        return ((const struct member *)arg)->users > 0 ? SIM_NEVER : 0;
}

/* One life. */
static void serve(struct member *member)
{
        quoit_server *server = make(member);
        int r;

        if (!server)
                return; /* memory was short */
        sim_note("a server comes", member->place, 0);
        member->server = server;
        member->is_stopping = false;
        if (*fleet.is_over)
                quoit_server_stop(server);
        r = quoit_server_run(server);
        sim_note("a server goes", member->place, (uint64_t)-r);
        if (r < 0 && !(r == -ENOMEM && sim.rates[SIM_NO_MEMORY] > 0))
                sim_fail("server %u has failed: %s", member->place, quoit_server_problem(server));
        member->server = NULL;
        sim_block(unused_ns, member);
        quoit_server_free(server);
}

static void *member_run(void *user)
{
        struct member *member = user;

        while (!*fleet.is_over) {
                serve(member);
                if (!*fleet.is_over)
                        fiber_sleep(sim_below(sim.is_calm ? NS_PER_MS : 300 * NS_PER_MS));
        }
        return NULL;
}

/* ---- what is done to them ---- */

static void stop(struct member *member)
{
        /* a second stop would break its calls off */
        if (!member->server || member == fleet.members || (fleet.is_gentle && member->is_stopping))
                return;
        member->is_stopping = true;
        member->users++;
        sim_note("a server is stopped", member->place, 0);
        if (fleet.is_gentle || sim_chance(500))
                quoit_server_stop(member->server);
        else
                quoit_server_drain(member->server, (uint32_t)sim_below(20));
        member->users--;
}

static void set_health(struct member *member, bool serves)
{
        if (!member->server)
                return;
        member->users++;
        sim_note("a server's health", member->place, serves);
        (void)quoit_health_set(member->health, "script.Script",
                serves ? QUOIT_HEALTH_SERVING : QUOIT_HEALTH_NOT_SERVING);
        member->users--;
}

static void be_calm(void)
{
        for (unsigned i = 0; i < fleet.count; i++)
                set_health(fleet.members + i, true);
}

/* Those that are asked to stop may not have begun. */
static void end_all(void)
{
        for (unsigned i = 1; i < fleet.count; i++) {
                struct member *member = fleet.members + i;

                while (member->server) {
                        member->users++;
                        quoit_server_drain(member->server, 0);
                        member->users--;
                        fiber_sleep(10 * NS_PER_MS);
                        (void)service_post();
                }
        }
}

static uint64_t over_ns(const void *unused)
{
        (void)unused;
        return *fleet.is_over ? 0 : SIM_NEVER;
}

static void *operate(void *unused)
{
        (void)unused;
        while (!sim.is_calm && !*fleet.is_over) {
                struct member *member = fleet.members + sim_below(fleet.count);

                fiber_sleep(sim_below(200 * NS_PER_MS));
                if (sim.is_calm || *fleet.is_over)
                        break;
                if (sim_chance(300))
                        set_health(member, sim_chance(500));
                else
                        stop(member);
        }
        be_calm();
        sim_block(over_ns, NULL);
        end_all();
        return NULL;
}

/* ---- its life ---- */

void fleet_begin(quoit_server *first, quoit_health *health, bool is_secure, bool is_gentle)
{
        memset(&fleet, 0, sizeof(fleet));
        fleet.is_secure = is_secure;
        fleet.is_gentle = is_gentle;
        fleet.count = 1 + (sim_chance(600) ? 1 + (unsigned)sim_below(SIM_SERVERS - 1) : 0);
        for (unsigned i = 0; i < fleet.count; i++)
                fleet.members[i].place = i;
        fleet.members[0].server = first;
        fleet.members[0].health = health;
}

void fleet_start(const bool *is_over)
{
        fleet.is_over = is_over;
        for (unsigned i = 1; i < fleet.count; i++)
                fiber_start("a server of the fleet", member_run, fleet.members + i);
        fiber_start("the fleet's operator", operate, NULL);
}

unsigned fleet_count(void)
{
        return fleet.count;
}

void fleet_check(void)
{
        for (unsigned i = 1; i < fleet.count; i++) {
                if (fleet.members[i].server)
                        check_server(fleet.members[i].server);
        }
}

void fleet_print(void)
{
        for (unsigned i = 1; i < fleet.count; i++) {
                fprintf(stderr, "sim: server %u is %s\n", i,
                        fleet.members[i].server ? "here" : "away");
                if (fleet.members[i].server)
                        check_print(fleet.members[i].server);
        }
}
