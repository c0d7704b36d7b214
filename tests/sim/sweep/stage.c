/* SPDX-License-Identifier: MIT */
#include "stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "../fibers.h"
#include "../names.h"
#include "calls.h"
#include "core/clock.h"
#include "core/engine/sim.h"
#include "pki.h"
#include "service.h"

enum { STEPS_MAX = 2000000, SEED = 1 };

#define RUN_NS_MAX (3600 * NS_PER_S)
#define STOP_NS (2 * NS_PER_S) /* after that, a second stop is asked for */

static struct pki pki;

/* ---- the program ---- */

void stage_begin_program(void)
{
        pki_init(&pki, "DNS:localhost");
}

void stage_end_program(void)
{
        pki_deinit(&pki);
}

const char *stage_certificate_file(void)
{
        return pki.certificate_file;
}

const char *stage_key_file(void)
{
        return pki.key_file;
}

/* ---- steps ---- */

bool stage_went_well(int r, const char *what)
{
        if (r == 0)
                return true;
        if (r > 0 || !plan_has_fired())
                sim_fail("%s is %d, and nothing was to fail", what, r);
        if (sim.is_traced)
                printf("      %s is %d (%s)\n", what, r, strerrorname_np(-r));
        return false;
}

bool stage_went_well_at_last(int r, const char *what)
{
        if (r < 0 && !plan_now()->goes_on)
                sim_fail("%s is %d once more, and only one thing was to fail", what, r);
        return stage_went_well(r, what);
}

static void on_log(void *user, quoit_log_level level, const char *line)
{
        (void)user;
        if (sim.is_traced)
                printf("      log %d: %s\n", (int)level, line);
        if (level == QUOIT_LOG_ERROR && strstr(line, "a mistake of the handler"))
                sim_fail("the server blames the handlers: %s", line);
}

/* ---- a server ---- */

static int adopt(struct stage_server *own)
{
        char address[32];
        int r;

        if (own->fd < 0)
                own->fd = sim_listen(0);
        snprintf(address, sizeof(address), "fd:%d", own->fd);
        r = quoit_server_listen(own->server, address, NULL);
        if (r == 0)
                own->fd = -1;
        return r;
}

static int listen_on(struct stage_server *own)
{
        if (own->stage->scenario->is_adopted)
                return adopt(own);
        return own->tls ? quoit_server_listen_tls(own->server, "10.0.0.254:443", own->tls, NULL)
                        : quoit_server_listen(own->server, "10.0.0.254:443", NULL);
}

static bool make_tls(struct stage_server *own)
{
        return STAGE_TRY(quoit_tls_new(NULL, &own->tls)) &&
               STAGE_TRY(quoit_tls_add_certificate(own->tls, pki.certificate_file, pki.key_file));
}

/* Before it starts. */
static bool lend(struct stage_server *own)
{
        const quoit_client_options options = { .lent = quoit_server_rings(own->server),
                .on_log = on_log };

        if (!STAGE_TRY(quoit_client_new(&options, &own->client)) ||
                !STAGE_TRY(
                        quoit_channel_new(own->client, "ipv4:10.0.0.254:443", NULL, &own->channel)))
                return false;
        service_call_back(own->channel);
        return true;
}

static bool make_server(struct stage_server *own)
{
        const struct scenario *scenario = own->stage->scenario;
        quoit_server_options options = scenario->server;

        options.engine = QUOIT_ENGINE_EPOLL; /* the simulator is linked in its place */
        options.on_log = on_log;
        options.limits.memory_bytes_max = SIZE_MAX;
        options.limits.slow_handler_ms = UINT32_MAX;
        if (!STAGE_TRY(quoit_server_new(&options, &own->server)))
                return false;
        return (!scenario->is_secure || make_tls(own)) &&
               STAGE_TRY(service_register(own->server, scenario->methods)) &&
               (!scenario->prepare || STAGE_TRY(scenario->prepare(own))) &&
               (!scenario->is_called_back || lend(own)) && STAGE_TRY(listen_on(own));
}

/* A successor has failed: who connects gets to the first one again. */
static void give_place_back(const struct stage_server *own)
{
        const struct stage_server *first = own->stage->servers;

        if (own != first && first->serves && !first->has_ended)
                sim_listen_with(0, quoit_server_listener_fd(first->server, 0));
}

static void *serve(void *user)
{
        struct stage_server *own = user;
        int r;

        fiber_set_side(SIDE_SERVER);
        if (make_server(own)) {
                r = quoit_server_start(own->server);
                own->serves = r == 0;
                r = r == 0 ? quoit_server_run(own->server) : r;
                if (!stage_went_well(r, "quoit_server_run") && !*quoit_server_problem(own->server))
                        sim_fail("a server has failed, and does not say why");
        }
        if (quoit_client_free(own->client))
                sim_fail("a client was not freed whose server has ended");
        quoit_server_free(own->server); /* who waits in its queue is refused */
        quoit_tls_free(own->tls);
        if (own->fd >= 0)
                close(own->fd);
        give_place_back(own);
        own->has_ended = true;
        return NULL;
}

void stage_begin_server(struct stage *stage, unsigned index)
{
        fiber_start("a server", serve, stage->servers + index);
}

static uint64_t decided_ns(const void *arg)
{
        const struct stage_server *own = arg;

        return own->serves || own->has_ended ? 0 : SIM_NEVER;
}

static uint64_t ended_ns(const void *arg)
{
        return ((const struct stage_server *)arg)->has_ended ? 0 : SIM_NEVER;
}

static void stop(struct stage_server *own)
{
        uint64_t begun_ns = sim.now_ns;

        if (!own->serves || own->has_ended)
                return;
        quoit_server_stop(own->server);
        while (!own->has_ended && sim.now_ns - begun_ns < STOP_NS)
                fiber_sleep(100 * NS_PER_MS);
        if (!own->has_ended)
                quoit_server_stop(own->server);
        sim_block(ended_ns, own);
}

/* ---- the client ---- */

static void step(struct stage *stage)
{
        int r = quoit_client_step(stage->client);

        if (r != 1)
                sim_fail("quoit_client_step is %d", r);
}

struct waiting {
        int fd; /* of a client that is stepped; negative: of another */
        uint64_t until_ns;
        bool (*is_true)(const void *user);
        const void *user;
};

static uint64_t waiting_ns(const void *arg)
{
        const struct waiting *waiting = arg;
        uint64_t ring_ns = waiting->fd < 0 ? SIM_NEVER : sim_poll_due_ns(waiting->fd);

        if (waiting->is_true && waiting->is_true(waiting->user))
                return 0;
        return ring_ns < waiting->until_ns ? ring_ns : waiting->until_ns;
}

static void wait_for(struct stage *stage, const struct waiting *waiting)
{
        while (sim.now_ns < waiting->until_ns &&
                !(waiting->is_true && waiting->is_true(waiting->user))) {
                sim_block(waiting_ns, waiting);
                if (waiting->fd >= 0)
                        step(stage);
        }
}

static int fd_of(const struct stage *stage)
{
        return stage->client && stage->scenario->client.stepped ? quoit_client_fd(stage->client)
                                                                : -1;
}

void stage_wait(struct stage *stage, uint64_t time_ns)
{
        const struct waiting waiting = { fd_of(stage), sim.now_ns + time_ns, NULL, NULL };

        wait_for(stage, &waiting);
}

void stage_wait_until(struct stage *stage, bool (*is_true)(const void *user), const void *user)
{
        const struct waiting waiting = { fd_of(stage), SIM_NEVER, is_true, user };

        wait_for(stage, &waiting);
}

static bool make_client(struct stage *stage)
{
        const struct scenario *scenario = stage->scenario;
        const quoit_channel_tls tls = { .ca_file = pki.certificate_file,
                .server_name = "localhost" };
        quoit_client_options options = scenario->client;
        quoit_channel_options channel = scenario->channel;

        options.engine = QUOIT_ENGINE_EPOLL;
        options.on_log = on_log;
        options.limits.resolution_ms = 2000;
        options.limits.resolution_ms_min = 100;
        if (scenario->is_secure)
                channel.tls = &tls;
        return STAGE_TRY(quoit_client_new(&options, &stage->client)) &&
               STAGE_TRY(quoit_channel_new(stage->client,
                       scenario->target ? scenario->target : "ipv4:10.0.0.254:443", &channel,
                       &stage->channel));
}

static void use_client(struct stage *stage)
{
        if (make_client(stage)) {
                if (stage->scenario->act)
                        stage->scenario->act(stage);
                call_check_recovery(stage);
        }
        quoit_channel_free(stage->channel);
        if (quoit_client_free(stage->client))
                sim_fail("a client was not freed");
}

static void *call(void *user)
{
        struct stage *stage = user;

        fiber_set_side(SIDE_CLIENT);
        for (unsigned i = 0; i < stage->server_count; i++) {
                if (!stage->servers[i].is_late)
                        sim_block(decided_ns, stage->servers + i);
        }
        if (!stage->scenario->has_no_client)
                use_client(stage);
        else if (stage->scenario->act)
                stage->scenario->act(stage);
        for (unsigned i = 0; i < stage->server_count; i++)
                stop(stage->servers + i);
        return NULL;
}

/* ---- the run ---- */

static void turn_world(void)
{
        uint64_t next_ns, begun_ns = sim.now_ns;

        while (fibers_alive() > 0) {
                if (!fibers_step(&next_ns)) {
                        if (next_ns == SIM_NEVER) {
                                fibers_print();
                                sim_fail("nothing will ever happen any more: somebody waits");
                        }
                        sim.now_ns = next_ns;
                }
                sim.now_ns += 100;
                if (++sim.steps > STEPS_MAX || sim.now_ns - begun_ns > RUN_NS_MAX) {
                        fibers_print();
                        sim_fail("it does not end");
                }
        }
}

void stage_run(const struct scenario *scenario)
{
        struct stage stage = { .scenario = scenario,
                .server_count = scenario->servers ? scenario->servers : 1 };

        sim_begin(SEED);
        sim.is_calm = true; /* chance makes nothing fail */
        sim_net_begin();
        names_begin(1);
        service_begin();
        for (unsigned i = 0; i < stage.server_count; i++) {
                stage.servers[i].stage = &stage;
                stage.servers[i].is_late = i > 0;
                stage.servers[i].fd = -1;
        }
        stage_begin_server(&stage, 0);
        fiber_start("the client's thread", call, &stage);
        turn_world();
        fibers_end();
        sim_net_end();
        service_end();
        OPENSSL_thread_stop(); /* what it keeps for a thread */
}
