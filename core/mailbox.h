/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/*
 * Many senders, one receiver: intrusive mails from any thread to the thread that runs a ring. No
 * allocation, no lock.
 *
 * This file is only the queue and wakes nobody: use ring_post() to send. The whole state is one word, so that "the receiver
 * sleeps" and "a mail was pushed" cannot miss each other:
 *   NULL                empty, the receiver is awake and will look again before it sleeps
 *   the mailbox itself  empty, the receiver may sleep: the next sender has to wake it
 *   anything else       the newest mail; older ones follow by ->next
 */
struct mail {
        struct mail *next; /* the mailbox's, between post and delivery */

        /* Runs on the receiving ring's thread. The mail belongs to the receiver: it may be freed
         * or posted anew. */
        void (*on_delivery)(struct mail *mail);
};

struct mailbox {
        _Atomic(struct mail *) newest;
};

void mailbox_init(struct mailbox *mailbox);

/* Any thread. True: the receiver may be asleep and the caller has to wake it; only one of many senders gets this. */
bool mailbox_push(struct mailbox *mailbox, struct mail *mail);

/* Receiver only, right before it blocks. False: there is mail, do not block. */
bool mailbox_sleep(struct mailbox *mailbox);

/* Receiver only; also ends the sleep. Takes all mails, oldest first (so FIFO for each sender),
 * NULL when none. */
struct mail *mailbox_take(struct mailbox *mailbox);

bool mailbox_is_empty(const struct mailbox *mailbox);
