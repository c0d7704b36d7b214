/* SPDX-License-Identifier: MIT */
#include "core/mailbox.h"

#include <stdatomic.h>
#include <stddef.h>

/* An address that no mail can have; never dereferenced. */
static struct mail *asleep(struct mailbox *mailbox)
{
        return (struct mail *)mailbox;
}

void mailbox_init(struct mailbox *mailbox)
{
        atomic_init(&mailbox->newest, NULL);
}

bool mailbox_push(struct mailbox *mailbox, struct mail *mail)
{
        struct mail *newest = atomic_load_explicit(&mailbox->newest, memory_order_relaxed);

        do {
                mail->next = newest == asleep(mailbox) ? NULL : newest;
        } while (!atomic_compare_exchange_weak_explicit(
                &mailbox->newest, &newest, mail, memory_order_acq_rel, memory_order_relaxed));
        return newest == asleep(mailbox);
}

bool mailbox_sleep(struct mailbox *mailbox)
{
        struct mail *newest = NULL;

        return atomic_compare_exchange_strong_explicit(&mailbox->newest, &newest, asleep(mailbox),
                       memory_order_acq_rel, memory_order_relaxed) ||
               newest == asleep(mailbox);
}

struct mail *mailbox_take(struct mailbox *mailbox)
{
        struct mail *newest, *oldest = NULL;

        /* Most turns bring no mail: a plain load keeps the line shared. */
        if (!atomic_load_explicit(&mailbox->newest, memory_order_relaxed))
                return NULL;
        newest = atomic_exchange_explicit(&mailbox->newest, NULL, memory_order_acq_rel);
        if (newest == asleep(mailbox))
                return NULL;
        while (newest) {
                struct mail *older = newest->next;

                newest->next = oldest;
                oldest = newest;
                newest = older;
        }
        return oldest;
}

bool mailbox_is_empty(const struct mailbox *mailbox)
{
        struct mail *newest = atomic_load_explicit(&mailbox->newest, memory_order_relaxed);

        return !newest || newest == (const struct mail *)mailbox;
}
