/* SPDX-License-Identifier: MIT */

/* A client's connection on a server's ring, as a handler that calls out has it: here it calls the same server. */

#include "../link/world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "script.h"
#include "server/server.h"
#include "server/shard.h"

#define UNARY "/script.Script/Unary"

struct scene {
        quoit_server *server;
        struct script script;
        struct world world;
        char log[4096];
        bool has_ended;
};

static void on_log(void *user, quoit_log_level level, const char *line)
{
        struct scene *scene = user;

        (void)level;
        assert_true(strlen(scene->log) + strlen(line) + 2 < sizeof(scene->log));
        strcat(strcat(scene->log, line), "\n");
}

/* One round of a loop that drives the server. */
static void step(struct scene *scene)
{
        struct pollfd fd = { .fd = quoit_server_fd(scene->server), .events = POLLIN };
        int r;

        (void)poll(&fd, 1, 100);
        r = quoit_server_step(scene->server);
        assert_true(r >= 0);
        scene->has_ended = r == 0;
}

#define STEP_UNTIL(scene, condition)                                                               \
        do {                                                                                       \
                uint64_t limit_ns = clock_ns() + 20 * SECOND;                                      \
                while (!(condition)) {                                                             \
                        assert_true(clock_ns() < limit_ns);                                        \
                        step(scene);                                                               \
                }                                                                                  \
        } while (0)

static int connect_to(uint16_t port)
{
        const struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

static void scene_init(struct scene *scene)
{
        const quoit_server_options options = {
                .rings = 1,
                .engine = on_uring() ? QUOIT_ENGINE_IO_URING : QUOIT_ENGINE_EPOLL,
                .on_log = on_log,
                .log_user = scene,
        };
        uint16_t port = 0;

        *scene = (struct scene){ 0 };
        assert_int_equal(quoit_server_new(&options, &scene->server), 0);
        assert_int_equal(script_register(scene->server, &scene->script), 0);
        assert_int_equal(quoit_server_listen(scene->server, "127.0.0.1:0", &port), 0);
        assert_int_equal(quoit_server_start(scene->server), 0);
        world_borrow(&scene->world, &scene->server->shards->base, connect_to(port));
        open_client();
}

static void scene_deinit(struct scene *scene)
{
        STEP_UNTIL(scene, scene->has_ended);
        world_return();
        assert_int_equal(scene->script.started, scene->script.done);
        quoit_server_free(scene->server);
}

/* A framed Ask. */
static struct call *ask(enum script_act act)
{
        static uint8_t message[SCRIPT_ACTS][7];
        const uint8_t ask[] = { 0, 0, 0, 0, 2, 1 << 3, (uint8_t)act };

        memcpy(message[act], ask, sizeof(ask));
        return request_to(UNARY, message[act], sizeof(ask));
}

static void test_call(void **state)
{
        struct scene scene;
        struct call *call;

        (void)state;
        scene_init(&scene);
        call = ask(SCRIPT_ANSWER);
        STEP_UNTIL(&scene, call->closes == 1);
        assert_string_equal(call->grpc_status, "0");
        assert_int_equal(scene.script.done, 1);
        connection_close(&scene.world.client.connection);
        STEP_UNTIL(&scene, scene.world.client.freed);
        quoit_server_stop(scene.server);
        scene_deinit(&scene);
}

/* The server's stop ends its own connections and calls, and names these. What a client does with its calls is its own matter. */
static void test_stop(void **state)
{
        struct scene scene;
        struct call *call;

        (void)state;
        scene_init(&scene);
        call = ask(SCRIPT_HOLD);
        STEP_UNTIL(&scene, scene.script.held_count == 1);
        quoit_server_stop(scene.server);
        STEP_UNTIL(&scene, scene.world.client.goaways > 0);
        assert_int_equal(scene.world.client.connection.session.drain, DRAIN_NONE);
        assert_int_equal(call->closes, 0);
        quoit_server_stop(scene.server);
        STEP_UNTIL(&scene, call->closes == 1);
        assert_string_equal(call->grpc_status, "14");
        assert_non_null(strstr(scene.log, "cancelled: 1, such as " UNARY " (1, held)"));
        assert_int_equal(scene.world.client.connection.session.drain, DRAIN_NONE);
        script_finish_held(&scene.script);
        scene_deinit(&scene);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_call),
                cmocka_unit_test(test_stop),
        };

        return RUN_ON_BOTH_ENGINES("server/caller", tests);
}
