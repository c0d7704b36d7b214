/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include "core/mailbox.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SENDERS = 4, MAILS = 100000 };

static void test_states(void **state)
{
        struct mailbox mailbox;
        struct mail first, second, third;
        struct mail *taken;

        (void)state;
        mailbox_init(&mailbox);
        assert_null(mailbox_take(&mailbox));
        assert_false(mailbox_push(&mailbox, &first)); /* awake: will look by itself */
        assert_false(mailbox_sleep(&mailbox));
        assert_ptr_equal(mailbox_take(&mailbox), &first);
        assert_true(mailbox_sleep(&mailbox));
        assert_true(mailbox_sleep(&mailbox));
        assert_true(mailbox_is_empty(&mailbox));
        assert_true(mailbox_push(&mailbox, &first));
        assert_false(mailbox_push(&mailbox, &second)); /* one wake is enough */
        assert_false(mailbox_push(&mailbox, &third));
        assert_false(mailbox_is_empty(&mailbox));
        taken = mailbox_take(&mailbox);
        assert_ptr_equal(taken, &first);
        assert_ptr_equal(taken->next, &second);
        assert_ptr_equal(second.next, &third);
        assert_null(third.next);
        assert_true(mailbox_sleep(&mailbox));
        assert_null(mailbox_take(&mailbox));
        assert_false(mailbox_push(&mailbox, &first)); /* taking ended the sleep */
        assert_non_null(mailbox_take(&mailbox));
}

struct letter {
        struct mail mail;
        struct receiver *receiver;
        unsigned sender;
        unsigned number;
};

struct receiver {
        struct ring ring;
        unsigned next[SENDERS]; /* what must come next from each */
        unsigned delivered;
};

static void on_letter(struct mail *mail)
{
        struct letter *letter = CONTAINER_OF(mail, struct letter, mail);

        assert_int_equal(letter->number, letter->receiver->next[letter->sender]);
        letter->receiver->next[letter->sender]++;
        letter->receiver->delivered++;
}

struct sender {
        pthread_t thread;
        struct receiver *receiver;
        struct letter *letters;
        bool has_ring;
        unsigned id;
};

static void *send_letters(void *argument)
{
        struct sender *sender = argument;
        unsigned seed = sender->id;
        struct ring ring;

        if (sender->has_ring && start_ring(&ring, NULL) < 0)
                abort();
        for (unsigned i = 0; i < MAILS; i++) {
                struct letter *letter = &sender->letters[i];

                *letter = (struct letter){
                        .mail.on_delivery = on_letter,
                        .receiver = sender->receiver,
                        .sender = sender->id,
                        .number = i,
                };
                ring_post(&sender->receiver->ring, sender->has_ring ? &ring : NULL, &letter->mail);
                /* Let the receiver fall asleep now and then: that is where a wake could be lost. */
                if (rand_r(&seed) % 1024 == 0)
                        usleep((unsigned)rand_r(&seed) % 300);
                if (sender->has_ring && i % 16 == 0 && ring_turn(&ring, 0) < 0)
                        abort();
        }
        if (sender->has_ring)
                ring_deinit(&ring); /* awaits the wakes that it has sent */
        return NULL;
}

/* Waits without a limit of its own: a lost wake shows as a time-out of the test. */
static void post_from(bool rings_too)
{
        struct receiver *receiver = calloc(1, sizeof(*receiver));
        struct sender senders[SENDERS];

        assert_non_null(receiver);
        assert_int_equal(start_ring(&receiver->ring, NULL), 0);
        for (unsigned i = 0; i < SENDERS; i++) {
                senders[i] = (struct sender){
                        .receiver = receiver,
                        .letters = calloc(MAILS, sizeof(struct letter)),
                        .has_ring = rings_too && i % 2 == 0,
                        .id = i,
                };
                assert_non_null(senders[i].letters);
                assert_int_equal(
                        pthread_create(&senders[i].thread, NULL, send_letters, &senders[i]), 0);
        }
        while (receiver->delivered < SENDERS * MAILS)
                assert_int_equal(ring_turn(&receiver->ring, RING_FOREVER), 0);
        for (unsigned i = 0; i < SENDERS; i++) {
                pthread_join(senders[i].thread, NULL);
                assert_int_equal(receiver->next[i], MAILS);
                free(senders[i].letters);
        }
        /* Coalesced: the receiver was woken far less often than it got mail. */
        assert_true(receiver->ring.stats.completions < SENDERS * MAILS / 4);
        ring_deinit(&receiver->ring);
        free(receiver);
}

static void test_foreign_threads(void **state)
{
        (void)state;
        post_from(false);
}

static void test_rings_and_foreign_threads(void **state)
{
        (void)state;
        post_from(true);
}

struct ball {
        struct mail mail;
        struct ring *here, *there;
        unsigned left;
        _Atomic bool *done;
};

static void on_ball(struct mail *mail)
{
        struct ball *ball = CONTAINER_OF(mail, struct ball, mail);
        struct ring *here = ball->there;

        ball->there = ball->here;
        ball->here = here;
        if (--ball->left == 0) {
                *ball->done = true;
                ring_wake(ball->there);
                return;
        }
        ring_post(ball->there, ball->here, mail);
}

struct player {
        pthread_t thread;
        struct ring ring;
        pthread_barrier_t *barrier;
        struct ball *ball; /* the one who serves */
        struct ring *there;
        _Atomic bool *done;
};

static void *play(void *argument)
{
        struct player *player = argument;

        if (start_ring(&player->ring, NULL) < 0)
                abort();
        pthread_barrier_wait(player->barrier);
        if (player->ball)
                ring_post(player->there, &player->ring, &player->ball->mail);
        while (!*player->done)
                if (ring_turn(&player->ring, RING_FOREVER) < 0)
                        abort();
        pthread_barrier_wait(player->barrier);
        ring_deinit(&player->ring);
        return NULL;
}

static void test_two_rings_play_ball(void **state)
{
        pthread_barrier_t barrier;
        _Atomic bool done = false;
        struct player players[2] = {};
        struct ball ball = {
                .mail.on_delivery = on_ball,
                .here = &players[0].ring,
                .there = &players[1].ring,
                .left = 10000,
                .done = &done,
        };

        (void)state;
        pthread_barrier_init(&barrier, NULL, 2);
        players[0].ball = &ball;
        players[0].there = &players[1].ring;
        for (unsigned i = 0; i < 2; i++) {
                players[i].barrier = &barrier;
                players[i].done = &done;
                assert_int_equal(pthread_create(&players[i].thread, NULL, play, &players[i]), 0);
        }
        for (unsigned i = 0; i < 2; i++)
                pthread_join(players[i].thread, NULL);
        assert_int_equal(ball.left, 0);
        pthread_barrier_destroy(&barrier);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_states),
                cmocka_unit_test(test_foreign_threads),
                cmocka_unit_test(test_rings_and_foreign_threads),
                cmocka_unit_test(test_two_rings_play_ball),
        };

        return RUN_ON_BOTH_ENGINES("core/mailbox", tests);
}
