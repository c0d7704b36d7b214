/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include "core/readiness.h"

#include <stdio.h>
#include <sys/socket.h>

struct watched {
        struct readiness watch;
        unsigned told;
        uint32_t events; /* of the last time */
        unsigned ended;
        bool ends_itself;
        bool closes; /* with that */
};

static void on_end(struct readiness *watch)
{
        struct watched *watched = CONTAINER_OF(watch, struct watched, watch);

        watched->ended++;
        memset(watch, 0xa5, sizeof(*watch)); /* its memory may be freed */
}

static void on_ready(struct readiness *watch, uint32_t events)
{
        struct watched *watched = CONTAINER_OF(watch, struct watched, watch);

        assert_int_equal(watched->ended, 0);
        watched->told++;
        watched->events = events;
        if (watched->ends_itself) {
                readiness_end(watch);
                assert_int_equal(watched->ended, 0);
                if (watched->closes)
                        close(watch->file.fd);
        }
}

static void start(struct watched *watched, struct ring *ring, int fd, uint32_t events)
{
        *watched = (struct watched){ 0 };
        readiness_start(&watched->watch, ring, fd, events, on_ready, on_end);
}

static void end(struct watched *watched, struct ring *ring)
{
        unsigned told = watched->told;

        readiness_end(&watched->watch);
        assert_int_equal(watched->ended, 0);
        TURN_UNTIL(ring, watched->ended > 0);
        turn_for(ring, 3 * MS);
        assert_int_equal(watched->ended, 1);
        assert_int_equal(watched->told, told);
}

static void open_pair(int fds[2])
{
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

static void close_pair(int fds[2])
{
        close(fds[0]);
        close(fds[1]);
}

static void send_byte(int fd)
{
        assert_int_equal(send(fd, "x", 1, 0), 1);
}

static void take_byte(int fd)
{
        char byte;

        assert_int_equal(recv(fd, &byte, 1, 0), 1);
}

/* One end of a pair is watched for what comes. */
struct scene {
        struct ring ring;
        struct watched watched;
        int fds[2];
};

static void scene_init(struct scene *scene)
{
        assert_int_equal(start_ring(&scene->ring, NULL), 0);
        open_pair(scene->fds);
        start(&scene->watched, &scene->ring, scene->fds[0], EPOLLIN);
}

static void scene_deinit(struct scene *scene)
{
        end(&scene->watched, &scene->ring);
        close_pair(scene->fds);
        ring_deinit(&scene->ring);
}

/* It tells until everything was read, not only when something arrives. */
static void test_level(void **state)
{
        struct scene scene;
        struct watched *watched = &scene.watched;

        (void)state;
        scene_init(&scene);
        turn_for(&scene.ring, 10 * MS);
        assert_int_equal(watched->told, 0);
        send_byte(scene.fds[1]);
        send_byte(scene.fds[1]);
        TURN_UNTIL(&scene.ring, watched->told > 0);
        assert_int_equal(watched->events, EPOLLIN);
        take_byte(scene.fds[0]);
        watched->told = 0;
        TURN_UNTIL(&scene.ring, watched->told > 2);
        take_byte(scene.fds[0]);
        assert_int_equal(
                ring_turn(&scene.ring, 0), 0); /* what was armed before may tell once more */
        watched->told = 0;
        turn_for(&scene.ring, 10 * MS);
        assert_int_equal(watched->told, 0);
        send_byte(scene.fds[1]);
        TURN_UNTIL(&scene.ring, watched->told > 0);
        scene_deinit(&scene);
}

static void test_other_events(void **state)
{
        struct scene scene;
        struct watched *watched = &scene.watched;

        (void)state;
        scene_init(&scene);
        turn_for(&scene.ring, 2 * MS);
        readiness_set(&watched->watch, EPOLLIN | EPOLLOUT);
        TURN_UNTIL(&scene.ring, watched->told > 0);
        assert_int_equal(watched->events, EPOLLOUT);
        send_byte(scene.fds[1]);
        TURN_UNTIL(&scene.ring, watched->events == (EPOLLIN | EPOLLOUT));
        readiness_set(&watched->watch, EPOLLIN);
        readiness_set(&watched->watch, EPOLLOUT);
        readiness_set(&watched->watch, EPOLLIN); /* while the change is under way */
        watched->told = 0;
        TURN_UNTIL(&scene.ring, watched->told > 0);
        assert_int_equal(watched->events, EPOLLIN);
        take_byte(scene.fds[0]);
        turn_for(&scene.ring, 2 * MS);
        watched->told = 0;
        turn_for(&scene.ring, 10 * MS);
        assert_int_equal(watched->told, 0);
        scene_deinit(&scene);
}

/* An end and an error are found by reading, or by writing: whatever is wanted is told. */
static void test_peer_is_gone(void **state)
{
        static const uint32_t wanted[] = { EPOLLIN, EPOLLOUT, EPOLLIN | EPOLLOUT };
        struct watched watched;
        struct ring ring;
        int fds[2];

        (void)state;
        assert_int_equal(start_ring(&ring, NULL), 0);
        for (unsigned i = 0; i < 3; i++) {
                open_pair(fds);
                start(&watched, &ring, fds[0], wanted[i]);
                send_byte(fds[0]); /* unread: the peer's close is a reset */
                close(fds[1]);
                TURN_UNTIL(&ring, watched.events == wanted[i]);
                end(&watched, &ring);
                close(fds[0]);
        }
        ring_deinit(&ring);
}

/* It ends from its own callback, and the descriptor is closed there too. */
static void test_ends_itself(void **state)
{
        struct watched watched, next;
        struct ring ring;
        int fds[2], others[2];

        (void)state;
        assert_int_equal(start_ring(&ring, NULL), 0);
        for (unsigned i = 0; i < 20; i++) {
                open_pair(fds);
                send_byte(fds[1]);
                start(&watched, &ring, fds[0], EPOLLIN);
                watched.ends_itself = true;
                watched.closes = i % 2;
                TURN_UNTIL(&ring, watched.told > 0);
                open_pair(others); /* perhaps with the same number */
                start(&next, &ring, others[0], EPOLLIN);
                TURN_UNTIL(&ring, watched.ended > 0);
                assert_int_equal(watched.told, 1);
                turn_for(&ring, 2 * MS);
                assert_int_equal(next.told, 0);
                send_byte(others[1]);
                TURN_UNTIL(&ring, next.told > 0);
                end(&next, &ring);
                close_pair(others);
                if (!watched.closes)
                        close(fds[0]);
                close(fds[1]);
        }
        ring_deinit(&ring);
}

/* It ends, and the descriptor is closed, while it waits: also in the turn in which it began. */
static void test_ends_while_it_waits(void **state)
{
        struct watched watched;
        struct ring ring;
        int fds[2];

        (void)state;
        assert_int_equal(start_ring(&ring, NULL), 0);
        for (unsigned i = 0; i < 20; i++) {
                open_pair(fds);
                start(&watched, &ring, fds[0], EPOLLIN);
                if (i % 2)
                        turn_for(&ring, MS);
                if (i % 4 > 1)
                        readiness_set(&watched.watch, EPOLLIN | EPOLLOUT);
                readiness_end(&watched.watch);
                close_pair(fds);
                TURN_UNTIL(&ring, watched.ended > 0);
                assert_int_equal(watched.told, 0);
        }
        ring_deinit(&ring);
}

/* Two of the ring's are ready in one turn, and the first ends the second. */
static struct watched *victim;

static void end_victim(struct readiness *watch, uint32_t events)
{
        on_ready(watch, events);
        if (victim && victim->told == 0)
                readiness_end(&victim->watch);
        victim = NULL;
}

static void test_ends_another(void **state)
{
        struct scene scene;
        struct watched *one = &scene.watched, other;
        int others[2];

        (void)state;
        scene_init(&scene);
        open_pair(others);
        start(&other, &scene.ring, others[0], EPOLLIN);
        one->watch.on_ready = end_victim;
        turn_for(&scene.ring, MS);
        victim = &other;
        send_byte(scene.fds[1]);
        send_byte(others[1]);
        TURN_UNTIL(&scene.ring, one->told > 0);
        TURN_UNTIL(&scene.ring, other.ended > 0 || other.told > 0);
        if (other.told > 0) /* it was the first */
                end(&other, &scene.ring);
        close_pair(others);
        scene_deinit(&scene);
}

/* What epoll does not watch is told once and not in each turn; its end comes like any other. */
static void test_cannot_be_watched(void **state)
{
        struct watched watched;
        struct ring ring;
        FILE *file = tmpfile();

        (void)state;
        assert_non_null(file);
        assert_int_equal(start_ring(&ring, NULL), 0);
        start(&watched, &ring, fileno(file), EPOLLIN);
        TURN_UNTIL(&ring, watched.told > 0);
        assert_int_equal(watched.events, EPOLLIN);
        turn_for(&ring, 5 * MS);
        if (!on_uring())
                assert_int_equal(watched.told, 1);
        end(&watched, &ring);
        fclose(file);
        ring_deinit(&ring);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_level),
                cmocka_unit_test(test_other_events),
                cmocka_unit_test(test_peer_is_gone),
                cmocka_unit_test(test_ends_itself),
                cmocka_unit_test(test_ends_while_it_waits),
                cmocka_unit_test(test_ends_another),
                cmocka_unit_test(test_cannot_be_watched),
        };

        return RUN_ON_BOTH_ENGINES("core/readiness", tests);
}
