/* SPDX-License-Identifier: MIT */
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/quoit.h>

#include "blocking.h"
#include "caller.h"
#include "check.h"
#include "choice.h"
#include "core/clock.h"
#include "core/engine/sim.h"
#include "dialer.h"
#include "fibers.h"
#include "fleet.h"
#include "http1.h"
#include "lent.h"
#include "link/connection.h"
#include "made.h"
#include "memory.h"
#include "peer.h"
#include "secure.h"
#include "server/server.h"
#include "service.h"

enum {
        PEERS_MAX = 8,
        STEPS_MAX = 400000,
        SECURE_EACH = 5,
        DIALER_EACH = 7,
        HTTP1_EACH = 3,
        CLIENT_EACH = 4
};

/* Who calls servers beside the peers. */
enum client { CLIENT_NONE, CLIENT_STEPPED, CLIENT_BLOCKING, CLIENT_LENT };

#define CALM_NS_MAX (120 * NS_PER_S) /* after that, all that ends by itself must have ended */
#define END_NS_MAX (600 * NS_PER_S)

struct run {
        quoit_server *server;
        int listener_fd;
        struct peer_end *peers[PEERS_MAX + 1]; /* the last one comes late */
        struct peer_end *late; /* NULL: it has not come yet, or could not */
        unsigned peer_count, peers_wanted;
        uint64_t chaos_steps;
        uint64_t calm_ns; /* when it began */
        uint64_t end_ns; /* when the server was asked to stop */
        bool stop_wanted;
        unsigned stops; /* how often a stop was asked for */
        bool is_secure; /* the server listens with TLS */
        bool is_looped; /* the server is driven by quoit_server_step() */
        bool has_http1; /* somebody speaks it */
        enum client client; /* of the product's */
        struct setting setting; /* its own */
        quoit_health *health;
        bool is_over;
        int result;
};

/* ---- what the seed chooses ---- */

static void choose_rates(const struct run *run)
{
        static const uint16_t most[SIM_FAULTS] = {
                [SIM_LATE] = 300,
                [SIM_SHORT] = 500,
                [SIM_ERROR] = 15,
                [SIM_NO_BUFFERS] = 100,
                [SIM_ENDED] = 100,
                [SIM_REORDERED] = 500,
                [SIM_SPURIOUS] = 50,
                [SIM_OVERSLEPT] = 10,
                [SIM_POST_FAILED] = 200,
                [SIM_NO_MEMORY] = 30,
                [SIM_PREEMPTED] = 100,
                [SIM_PEER_ENDED] = 10,
                [SIM_PEER_RESET] = 10,
                [SIM_PEER_STALLED] = 10,
                [SIM_PEER_FLOODED] = 20,
                [SIM_PEER_BROKE] = 20,
                [SIM_STREAM_RESET] = 50,
                [SIM_CUT] = 20,
                [SIM_MUTE] = 5,
        };

        static const enum sim_fault rough[] = { SIM_ERROR, SIM_OVERSLEPT, SIM_NO_MEMORY, SIM_CUT,
                SIM_MUTE };

        /* only some kinds in each run, or every run would end at once */
        for (unsigned fault = 0; fault < SIM_FAULTS; fault++)
                sim.rates[fault] = sim_chance(500) ? (uint16_t)sim_below(most[fault] + 1u) : 0;
        for (unsigned i = 0; run->setting.is_gentle && i < sizeof(rough) / sizeof(*rough); i++)
                sim.rates[rough[i]] = 0;
        sim.delay_us_max = sim_chance(300) ? 5000 : 50;
}

static uint32_t one_of(uint32_t one, uint32_t two, uint32_t three)
{
        const uint32_t values[] = { one, two, three };

        return values[sim_below(3)];
}

/* Connections that end soon, and say so frame by frame: requests come while the last GOAWAY waits behind others. */
static void choose_ends(quoit_limits *limits)
{
        limits->connection_age_ms = one_of(5, 20, 100);
        limits->turn_bytes_max = 1;
}

static void choose_limits(const struct run *run, quoit_limits *limits)
{
        /* handlers that call their own server have streams that wait for streams: with few of them all may wait for one another */
        bool may_be_narrow = run->client != CLIENT_LENT;

        *limits = (quoit_limits){ .memory_bytes_max = SIZE_MAX, .slow_handler_ms = UINT32_MAX };
        if (run->setting.is_gentle) {
                if (sim_chance(700))
                        limits->connection_age_ms = one_of(20, 100, 1000);
                if (sim_chance(200))
                        limits->connection_idle_ms = one_of(20, 100, 1000);
                if (sim_chance(200) && may_be_narrow)
                        limits->streams_max = one_of(2, 3, 10);
                if (sim_chance(200))
                        limits->turn_bytes_max = 1;
                return;
        }
        if (sim_chance(200))
                limits->memory_bytes_max = one_of(300 << 10, 1 << 20, 8 << 20);
        if (sim_chance(300))
                limits->call_queue_bytes_max = one_of(1, 2000, 20000);
        if (sim_chance(200))
                limits->connection_send_bytes_max = one_of(1000, 30000, 200000);
        if (sim_chance(200))
                limits->connection_receive_bytes_max = one_of(10000, 50000, 200000);
        if (sim_chance(200))
                limits->message_receive_bytes_max = one_of(100, 5000, 50000);
        if (sim_chance(300))
                limits->stream_window_bytes = one_of(1000, 16384, 65535);
        if (sim_chance(200) && may_be_narrow)
                limits->streams_max = one_of(1, 3, 10);
        if (sim_chance(200))
                limits->calls_max = one_of(2, 5, 20);
        if (sim_chance(200))
                limits->connections_max = one_of(1, 2, 4);
        if (sim_chance(200))
                limits->connections_per_address_max = one_of(1, 2, 3);
        if (sim_chance(300))
                limits->turn_calls_max = one_of(1, 2, 10);
        if (sim_chance(200))
                limits->turn_bytes_max = one_of(1, 1000, 20000);
        if (sim_chance(200))
                limits->keepalive_ms = one_of(10, 1000, 20000);
        if (sim_chance(200))
                limits->keepalive_timeout_ms = one_of(100, 1000, 5000);
        if (sim_chance(150))
                limits->connection_age_ms = one_of(50, 1000, 10000);
        if (sim_chance(100))
                limits->connection_age_grace_ms = one_of(10, 1000, 10000);
        if (sim_chance(150))
                limits->connection_idle_ms = one_of(10, 1000, 10000);
        if (sim_chance(200))
                limits->stall_ms = one_of(50, 1000, UINT32_MAX);
        if (sim_chance(200))
                limits->window_stall_ms = one_of(100, 2000, 20000);
        if (sim_chance(200)) {
                limits->handshake_ms = one_of(50, 1000, 5000);
                limits->header_block_ms = one_of(50, 1000, 5000);
        }
        if (sim_chance(200))
                limits->http1_silence_ms = one_of(20, 1000, 5000);
        if (sim_chance(200))
                limits->worker_wait_ms = one_of(1, 50, UINT32_MAX);
        if (sim_chance(100))
                limits->offloaded_max = one_of(1, 2, 5);
        if (sim_chance(300))
                limits->drain_ms = one_of(1, 500, 5000);
        if (sim_chance(100))
                choose_ends(limits);
        if (sim_chance(200))
                limits->ping_interval_min_ms = one_of(1, 100, 1000);
}

/* No limit keeps who comes later away, even if others that came first stay for ever. */
static bool admits_all(const quoit_limits *limits)
{
        return limits->memory_bytes_max == SIZE_MAX && limits->connections_max == 0 &&
               limits->connections_per_address_max == 0 && limits->calls_max == 0 &&
               limits->connection_age_ms == 0 && limits->connection_idle_ms == 0 &&
               limits->handshake_ms == 0 && limits->keepalive_ms == 0 && limits->stall_ms == 0 &&
               limits->window_stall_ms == 0 && sim.rates[SIM_NO_MEMORY] == 0;
}

static void begin(struct run *run)
{
        quoit_server_options options = {
                .rings = sim_chance(250) ? 2 + (unsigned)sim_below(2) : 1,
                .workers = 1 + (unsigned)sim_below(3),
                .engine = QUOIT_ENGINE_EPOLL, /* the simulator is linked in its place */
                .on_log = service_on_log,
        };

        choose_rates(run);
        choose_limits(run, &options.limits);
        service_choose(&options);
        run->setting.admits_all = admits_all(&options.limits);
        run->chaos_steps = 20 + sim_below(sim_chance(100) ? 6000 : 1200);
        run->peers_wanted = 1 + (unsigned)sim_below(sim_chance(200) ? PEERS_MAX : 3);
        run->is_looped = sim_chance(200);
        run->stops = 1 + sim_chance(200);
        if (quoit_server_new(&options, &run->server) < 0)
                sim_fail("no server");
        service_begin();
        (void)service_register(run->server, &run->health);
        run->listener_fd = sim_listen(0);
        run->server->engine = QUOIT_ENGINE_EPOLL;
        run->server->listeners[0] = (struct server_listener){
                .fd = run->listener_fd,
                .tls = run->is_secure ? secure_rules() : NULL,
        };
        run->server->listener_count = 1;
}

/* ---- the application's threads ---- */

/* Runs the server in a loop of the application, which does other work as well. */
static int serve_in_loop(quoit_server *server)
{
        int r = quoit_server_start(server);
        int fd = r < 0 ? r : quoit_server_fd(server);

        if (fd < 0)
                return fd;
        do {
                sim_poll(fd);
                if (sim_chance(100))
                        fiber_sleep(sim_below(NS_PER_MS));
                r = quoit_server_step(server);
        } while (r > 0);
        return r;
}

static void *serve(void *user)
{
        struct run *run = user;

        run->result = run->is_looped ? serve_in_loop(run->server) : quoit_server_run(run->server);
        run->is_over = true;
        return NULL;
}

/* In calm times only when there is something to post, or the stop is wanted. */
static uint64_t apply_due_ns(const void *arg)
{
        const struct run *run = arg;

        if (run->stop_wanted || service_waiting() > 0)
                return 0;
        return SIM_NEVER;
}

static uint64_t posting_due_ns(const void *arg)
{
        return ((const struct run *)arg)->is_over || service_waiting() > 0 ? 0 : SIM_NEVER;
}

/* A thread without a ring: posts to held calls, and stops the server. */
static void *apply(void *user)
{
        struct run *run = user;

        while (!run->stop_wanted) {
                if (sim.is_calm)
                        sim_block(apply_due_ns, run);
                else
                        fiber_sleep(sim_below(20 * NS_PER_MS));
                while (service_post() && sim_chance(700))
                        ;
        }
        for (unsigned i = 0; i < run->stops && !run->is_over; i++) {
                sim_note("stop", i, 0);
                quoit_server_stop(run->server);
                for (unsigned j = 0; j < 20 && !run->is_over; j++) {
                        (void)service_post();
                        fiber_sleep(sim_below(10 * NS_PER_MS));
                }
        }
        /* calls that wait for a post are held until then */
        while (!run->is_over) {
                sim_block(posting_due_ns, run);
                (void)service_post();
        }
        return NULL;
}

/* ---- what is next ---- */

static void add_peer(struct run *run)
{
        struct peer_end *peer = peer_new(run->listener_fd, sim_chance(600), run->is_secure);

        run->peers_wanted--;
        if (peer)
                run->peers[run->peer_count++] = peer;
}

static struct peer_end *ready_peer(const struct run *run, uint64_t *next_ns)
{
        struct peer_end *ready[PEERS_MAX + 1];
        unsigned count = 0;

        for (unsigned i = 0; i < run->peer_count; i++) {
                uint64_t due_ns = peer_due_ns(run->peers[i]);

                if (due_ns <= sim.now_ns)
                        ready[count++] = run->peers[i];
                else if (due_ns < *next_ns)
                        *next_ns = due_ns;
        }
        return count > 0 ? ready[sim_below(count)] : NULL;
}

static void print_waiting(const struct run *run)
{
        fibers_print();
        for (unsigned i = 0; i < run->peer_count; i++)
                peer_print(run->peers[i]);
        check_print(run->server);
        if (run->client != CLIENT_NONE) {
                fleet_print();
                caller_print();
                lent_print();
                blocking_print();
        }
}

/* Nothing can run now: the clock jumps to the next time when something can. */
static void jump(uint64_t next_ns)
{
        sim.now_ns = next_ns;
        if (sim_fault(SIM_OVERSLEPT))
                sim.now_ns += sim_below(20 * NS_PER_S);
}

/* The network between clients and servers. */
static void break_network(void)
{
        if (sim_fault(SIM_CUT))
                sim_break(false);
        if (sim_fault(SIM_MUTE))
                sim_break(true);
}

/* False: nothing can happen any more. */
static bool try_step(struct run *run)
{
        uint64_t next_ns = SIM_NEVER, fiber_ns = SIM_NEVER;
        struct peer_end *peer = ready_peer(run, &next_ns);

        sim.steps++;
        sim.now_ns += sim_below(2000);
        if (run->client != CLIENT_NONE)
                break_network();
        if (peer && sim_chance(500)) {
                peer_step(peer);
                return true;
        }
        if (fibers_step(&fiber_ns)) {
                check_server(run->server);
                if (run->client != CLIENT_NONE) {
                        fleet_check();
                        caller_check();
                        lent_check();
                        blocking_check();
                }
                service_check();
                return true;
        }
        if (peer) {
                peer_step(peer);
                return true;
        }
        next_ns = next_ns < fiber_ns ? next_ns : fiber_ns;
        if (next_ns != SIM_NEVER)
                jump(next_ns);
        return next_ns != SIM_NEVER;
}

/* Somebody waits for something. */
static void step(struct run *run)
{
        if (try_step(run))
                return;
        print_waiting(run);
        sim_fail("nothing will ever happen any more: somebody was not woken");
}

/* ---- the phases ---- */

static void be_calm(struct run *run)
{
        sim_note("calm", run->peer_count, 0);
        sim.is_calm = true;
        run->calm_ns = sim.now_ns;
        sim_heal();
        for (unsigned i = 0; i < run->peer_count; i++)
                peer_calm(run->peers[i]);
}

/* Nothing that has happened lasts: who comes now is served, and takes no place that somebody else waits for. */
static void welcome(struct run *run)
{
        if (!run->setting.admits_all)
                return;
        run->late = peer_new_late(run->listener_fd, run->is_secure);
        if (run->late)
                run->peers[run->peer_count++] = run->late;
        else if (!run->is_over)
                sim_fail("a server that is not asked to stop does not listen");
}

static bool are_served(const struct run *run)
{
        if (run->late && !peer_is_answered(run->late))
                return false;
        for (unsigned i = 0; i < run->peer_count; i++)
                if (!peer_is_served(run->peers[i]))
                        return false;
        if (run->has_http1 && !http1_is_served())
                return false;
        if (run->client == CLIENT_STEPPED)
                return caller_is_served();
        if (run->client == CLIENT_BLOCKING)
                return blocking_is_served();
        return made_are_served() && (run->client != CLIENT_LENT || lent_is_calm());
}

/* A connection whose handshake is not over has not told its windows yet. */
static void check_windows(const struct run *run)
{
        for (unsigned i = 0; i < run->peer_count; i++) {
                const struct connection *connection =
                        check_connection_of(run->server, peer_conn(run->peers[i]));

                if (connection && connection->established && peer_is_idle(run->peers[i]) &&
                        !socket_is_sending(&connection->socket) &&
                        !session_has_output(&connection->session))
                        peer_check_windows(run->peers[i], connection);
        }
}

static void live(struct run *run)
{
        bool stops_early = sim_chance(150);

        while (sim.steps < run->chaos_steps) {
                if (run->peers_wanted > 0 && sim_chance(50))
                        add_peer(run);
                step(run);
        }
        run->stop_wanted = stops_early;
        for (uint64_t i = 0; stops_early && i < 100 && fibers_alive() > 0; i++)
                step(run);
        be_calm(run);
        if (!run->stop_wanted && !run->is_over)
                welcome(run);
        while (!run->stop_wanted && !run->is_over && !are_served(run)) {
                step(run);
                if (sim.now_ns - run->calm_ns > CALM_NS_MAX || sim.steps > STEPS_MAX) {
                        print_waiting(run);
                        sim_fail("calls that should have ended have not");
                }
        }
        if (run->late)
                peer_check_answered(run->late);
        for (unsigned i = 0; i < 200 && !run->stop_wanted && !run->is_over && try_step(run); i++)
                ;
        if (!run->stop_wanted)
                check_windows(run);
        run->stop_wanted = true;
        run->end_ns = sim.now_ns;
        while (fibers_alive() > 0) {
                step(run);
                if (sim.now_ns - run->end_ns > END_NS_MAX || sim.steps > STEPS_MAX) {
                        print_waiting(run);
                        sim_fail("the server should have ended, and has not");
                }
        }
}

static void end(struct run *run)
{
        bool frees_client_first;

        /* without memory it may fail to start, and to do nothing else */
        if (run->result < 0 && !(run->result == -ENOMEM && sim.rates[SIM_NO_MEMORY] > 0))
                sim_fail("the server has failed: %s", quoit_server_problem(run->server));
        for (unsigned i = 0; i < run->peer_count; i++)
                peer_free(run->peers[i]);
        frees_client_first = sim_chance(500);
        if (frees_client_first)
                lent_end();
        quoit_server_free(run->server);
        lent_end();
        service_end();
        fibers_end();
        sim_net_end();
}

/* A client, and more servers for it. Before the run's own starts. */
static void begin_client(struct run *run)
{
        fleet_begin(run->server, run->health, run->is_secure, run->setting.is_gentle);
        run->setting.servers = fleet_count();
        run->setting.is_secure = run->is_secure;
        caller_prepare(&run->setting);
        blocking_prepare(&run->setting);
        if (run->client == CLIENT_LENT)
                lent_begin(run->server, &run->setting);
}

void run_seed(uint64_t seed)
{
        /* not drawn at random: that would change the runs of all seeds */
        static const enum client clients[CLIENT_EACH] = { CLIENT_NONE, CLIENT_STEPPED,
                CLIENT_BLOCKING, CLIENT_LENT };
        struct run run = { .is_secure = seed % SECURE_EACH == 0,
                .has_http1 = seed % SECURE_EACH != 0 && seed % HTTP1_EACH == 0,
                .client = clients[seed % CLIENT_EACH] };
        size_t before = memory_live();

        sim_begin(seed);
        sim_net_begin();
        made_begin_run();
        choice_begin_run();
        run.setting.server_stops = &run.stop_wanted;
        run.setting.server_is_over = &run.is_over;
        run.setting.is_gentle = run.client != CLIENT_NONE && sim_chance(200);
        begin(&run);
        fiber_start("the thread of ring 1", serve, &run);
        fiber_start("the application's thread", apply, &run);
        if (seed % DIALER_EACH == 0)
                fiber_start("a thread that connects", dialer_run, NULL);
        if (run.has_http1) {
                http1_prepare(run.listener_fd, &run.setting);
                fiber_start("a client of HTTP/1.1", http1_run, NULL);
        }
        if (run.client != CLIENT_NONE) {
                begin_client(&run);
                fleet_start(&run.is_over);
        }
        if (run.client == CLIENT_STEPPED)
                fiber_start("a client's thread", caller_run, NULL);
        if (run.client == CLIENT_LENT)
                fiber_start("a thread of the lent client's", lent_run, NULL);
        if (run.client == CLIENT_BLOCKING)
                fiber_start("a client's owner", blocking_run, NULL);
        live(&run);
        end(&run);
        if (memory_live() != before)
                sim_fail("%zd blocks of memory were not given back",
                        (ssize_t)(memory_live() - before));
}
