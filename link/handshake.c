/* SPDX-License-Identifier: MIT */
#include "link/handshake.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/call.h"

/* ---- the step, on a thread ---- */

/*
 * Whether the peer has gone, so that a signature would be wasted. Other records than plain handshake messages need no signature,
 * and can say why it left: they are still read.
 */
static bool is_pointless(struct handshake *handshake)
{
        switch (atomic_load_explicit(&handshake->peer, memory_order_relaxed)) {
        case HANDSHAKE_PEER_HERE:
                return false;
        case HANDSHAKE_PEER_ENDED:
                return handshake->reading.size == 0 ||
                       handshake->reading.data[0] == SSL3_RT_HANDSHAKE;
        case HANDSHAKE_PEER_CLOSED:
                break;
        }
        return true;
}

/* Too many steps wait: ends this one, which can belong to another ring. */
static void turn_away(struct work *work)
{
        struct handshake *handshake = CONTAINER_OF(work, struct handshake, work);

        handshake->result = tls_problem_set(&handshake->problem, -EBUSY,
                "too many handshakes wait for a thread (handshakes_queued_max)");
        call_host_post(handshake->host, &handshake->mail);
}

static void stand_in_line(struct handshake *handshake, bool signs)
{
        struct work *last;

        handshake->tls->asks = !signs;
        last = workers_submit_fairly(handshake->threads, &handshake->work, handshake->turn, !signs,
                handshake->limits.queued_max);
        if (last)
                turn_away(last);
}

static uint64_t on_work(struct work *work, struct coders *coders)
{
        struct handshake *handshake = CONTAINER_OF(work, struct handshake, work);

        (void)coders;
        if (is_pointless(handshake))
                handshake->result = -ENODATA;
        else
                handshake->result = tls_handshake(
                        handshake->tls, ring_clock_ns(handshake->host->ring), &handshake->problem);
        if (handshake->result == -EINPROGRESS)
                stand_in_line(handshake, true);
        else
                call_host_post(handshake->host, &handshake->mail);
        return 0;
}

/* ---- the ring's side ---- */

static void on_delivery(struct mail *mail)
{
        struct handshake *handshake = CONTAINER_OF(mail, struct handshake, mail);

        handshake->lent = false;
        handshake->on_step(handshake);
}

void handshake_begin(struct handshake *handshake)
{
        handshake->lent = true;
        handshake->work.piece.came = 0;
        stand_in_line(handshake, false);
}

int handshake_continue(struct handshake *handshake)
{
        size_t whole = tls_whole_records(handshake->inbox.data, handshake->inbox.size);
        struct tls_bytes rest = { 0 };

        if (handshake->lent || whole == 0)
                return 0;
        if (!tls_bytes_append(&rest, handshake->inbox.data + whole, handshake->inbox.size - whole))
                return -ENOMEM;
        free(handshake->reading.data);
        handshake->reading = handshake->inbox;
        handshake->inbox = rest;
        tls_put(handshake->tls, handshake->reading.data, whole);
        handshake_begin(handshake);
        return 0;
}

int handshake_put(struct handshake *handshake, const uint8_t *data, size_t size)
{
        if (handshake->inbox.size + size > handshake->limits.bytes_max)
                return -EMSGSIZE;
        if (!tls_bytes_append(&handshake->inbox, data, size))
                return -ENOMEM;
        return handshake_continue(handshake);
}

struct handshake *handshake_new(struct tls *tls, struct workers *threads, struct turn *turn,
        struct call_host *host, const struct handshake_limits *limits,
        void (*on_step)(struct handshake *handshake))
{
        struct handshake *handshake = calloc(1, sizeof(*handshake));

        if (!handshake)
                return NULL;
        handshake->work.ring = host->ring;
        handshake->work.on_work = on_work;
        handshake->mail.on_delivery = on_delivery;
        handshake->tls = tls;
        handshake->threads = threads;
        handshake->turn = turn;
        handshake->host = host;
        handshake->limits = *limits;
        handshake->on_step = on_step;
        return handshake;
}

struct handshake *handshake_free(struct handshake *handshake)
{
        if (!handshake)
                return NULL;
        assert(!handshake->lent);
        free(handshake->inbox.data);
        free(handshake->reading.data);
        free(handshake);
        return NULL;
}
