/* SPDX-License-Identifier: MIT */
#include "call/offload.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "call/call.h"
#include "call/encoding.h"
#include "core/clock.h"

#define PAID_BYTES_PER_S                                                                           \
        UINT64_C(65536) /* a peer that reads so much pays for one second of waiting */
#define CATCH_UP_NS (10 * NS_PER_MS) /* how long a worker waits for a ring that is behind */
#define CATCH_UP_LOOK_NS (NS_PER_MS / 10) /* how often it looks */
#define ASK_NS                                                                                     \
        (20 * NS_PER_MS) /* how often a worker that has waited too long asks whether another call wants it */

struct offload {
        struct quoit_call *call;
        struct coders *coders; /* of the worker that has the call */
        pthread_mutex_t mutex;
        pthread_cond_t has_room;
        /* under @mutex: */
        size_t unsent_bytes; /* what messages take that the worker has sent and the socket has not taken */
        uint64_t
                debt_ns; /* how long the peer made it wait, less what the peer has paid by reading */
        struct offload_wait wait; /* since the worker got the call */
        _Alignas(max_align_t) unsigned char lender[];
};

/* A message on its way to the ring, then in the writer's queue. An empty one asks for the headers. */
struct parcel {
        struct segment segment;
        struct mail mail;
        struct quoit_call *call;
        size_t block_bytes; /* this head included */
        uint8_t bytes[];
};

/* What a message of @size takes: small ones more than they have bytes. The headers' parcel does not count. */
static size_t taken_bytes(size_t size)
{
        if (size == 0)
                return 0;
        size += sizeof(struct parcel);
        return size < ARENA_BLOCK_BYTES_MIN ? ARENA_BLOCK_BYTES_MIN : size;
}

/* For blocks that are allocated and freed on any thread; they are mapped memory, not malloc's. */
static upb_alloc *parcel_blocks(const struct quoit_call *call)
{
        return arena_pool_alloc(call_host_of(call)->shared_arenas);
}

struct offload *offload_new(struct quoit_call *call, size_t lender_bytes)
{
        struct offload *offload = malloc(sizeof(*offload) + lender_bytes);
        pthread_condattr_t attributes;

        if (!offload)
                return NULL;
        *offload = (struct offload){ .call = call };
        pthread_mutex_init(&offload->mutex, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&offload->has_room, &attributes);
        pthread_condattr_destroy(&attributes);
        return offload;
}

void *offload_lender(struct offload *offload)
{
        return offload->lender;
}

void offload_free(struct offload *offload)
{
        if (!offload)
                return;
        pthread_cond_destroy(&offload->has_room);
        pthread_mutex_destroy(&offload->mutex);
        free(offload);
}

/*
 * While the ring has no memory left, a call has one message at a time on its way. What its connection holds, only the ring
 * knows.
 */
static bool has_room(struct offload *offload)
{
        const struct call_host *host = call_host_of(offload->call);

        if (quoit_call_cancelled(offload->call) || offload->unsent_bytes == 0)
                return true;
        return offload->unsent_bytes < host->limits->call_queue_bytes_max &&
               !room_is_exceeded(&host->room);
}

bool offload_is_writable(struct offload *offload)
{
        bool writable;

        pthread_mutex_lock(&offload->mutex);
        writable = has_room(offload);
        pthread_mutex_unlock(&offload->mutex);
        return writable;
}

void offload_begin(struct offload *offload, struct coders *coders)
{
        offload->coders = coders;
        offload->wait = (struct offload_wait){ 0 };
}

struct offload_wait offload_end(struct offload *offload)
{
        return offload->wait;
}

struct coders *offload_coders(struct offload *offload)
{
        return offload->coders;
}

void offload_interrupt(struct offload *offload)
{
        if (!offload)
                return;
        pthread_mutex_lock(&offload->mutex);
        pthread_cond_broadcast(&offload->has_room);
        pthread_mutex_unlock(&offload->mutex);
}

/* The peer has taken @size bytes. */
static void pay(struct offload *offload, size_t size)
{
        uint64_t paid_ns = size * NS_PER_S / PAID_BYTES_PER_S;

        offload->debt_ns -= paid_ns < offload->debt_ns ? paid_ns : offload->debt_ns;
}

/* @size: of its message. The segment's own size shrinks as it is written. */
static void parcel_free(struct parcel *parcel, size_t size)
{
        struct quoit_call *call = parcel->call;
        struct offload *offload = call->offload;

        pthread_mutex_lock(&offload->mutex);
        offload->unsent_bytes -= taken_bytes(size);
        pay(offload, size);
        if (has_room(offload))
                pthread_cond_broadcast(&offload->has_room);
        pthread_mutex_unlock(&offload->mutex);
        upb_free_sized(parcel_blocks(call), parcel, parcel->block_bytes);
}

static void release_parcel(struct exchange *exchange, struct segment *segment)
{
        struct parcel *parcel = (struct parcel *)segment;

        (void)exchange;
        parcel_free(parcel, (size_t)(segment->data + segment->size - parcel->bytes));
}

static void on_parcel(struct mail *mail)
{
        struct parcel *parcel = CONTAINER_OF(mail, struct parcel, mail);
        struct quoit_call *call = parcel->call;

        /* a small one is always queued: the worker has checked only the room in the call's own queue */
        if (call->ring.state == CALL_OPEN &&
                parcel->segment.size > room_bytes_min(&call_host_of(call)->room) &&
                !writer_may_queue(&call->exchange, parcel->segment.size))
                call_refuse_memory(call);
        if (call->ring.state != CALL_OPEN) {
                parcel_free(parcel, parcel->segment.size);
                return;
        }
        call_submit_headers(call);
        if (parcel->segment.size == 0) {
                parcel_free(parcel, 0);
                return;
        }
        writer_append_segment(&call->exchange, &parcel->segment);
        call_count_sent(call);
        stream_resume(&call->exchange.stream);
        exchange_ask_to_send(&call->exchange);
}

/* @encoding: NULL asks for the headers. */
static int parcel_post(struct offload *offload, const struct encoding *encoding)
{
        size_t size = encoding ? encoding->size : 0;
        upb_SizedPtr block =
                upb_SizeReturningMalloc(parcel_blocks(offload->call), sizeof(struct parcel) + size);
        struct parcel *parcel = block.p;

        if (!parcel)
                return -ENOMEM;
        parcel->block_bytes = block.n;
        parcel->segment =
                (struct segment){ .data = parcel->bytes, .size = size, .release = release_parcel };
        parcel->mail.on_delivery = on_parcel;
        parcel->call = offload->call;
        if (encoding)
                encoding_copy(encoding, parcel->bytes);
        (void)call_host_post(call_host_of(offload->call),
                &parcel->mail); /* cannot fail: the ring does not end before this worker */
        return 0;
}

/* The peer has kept the worker as long as it may, and another call wants one. */
static bool gives_up(struct offload *offload, uint64_t budget_ns)
{
        struct call_host *host = call_host_of(offload->call);

        if (offload->debt_ns < budget_ns || !host->yields_worker(host->user))
                return false;
        offload->wait.yielded = true;
        return true;
}

/* When to look again, at the latest. */
static uint64_t next_look_ns(const struct offload *offload, uint64_t budget_ns, uint64_t now_ns)
{
        return clock_after_ns(
                now_ns, offload->debt_ns < budget_ns ? budget_ns - offload->debt_ns : ASK_NS);
}

/* Until @due_ns, or somebody signals. Returns the time then. */
static uint64_t doze(struct offload *offload, uint64_t now_ns, uint64_t due_ns)
{
        struct timespec until = clock_timespec(due_ns);
        uint64_t later_ns;

        pthread_cond_timedwait(&offload->has_room, &offload->mutex, &until);
        later_ns = call_clock_ns(offload->call);
        offload->wait.waited_ns += later_ns - now_ns;
        return later_ns;
}

void offload_let_ring_catch_up(struct offload *offload)
{
        const struct call_host *host = call_host_of(offload->call);
        unsigned begun = ring_mail_rounds(host->ring);
        uint64_t now_ns, end_ns;

        if (!room_is_exceeded(&host->room))
                return;
        now_ns = call_clock_ns(offload->call);
        end_ns = now_ns + CATCH_UP_NS;
        pthread_mutex_lock(&offload->mutex);
        /* the round that is under way may not have what was here; what others post meanwhile is not waited for */
        while (now_ns < end_ns && ring_has_mail(host->ring) &&
                ring_mail_rounds(host->ring) - begun < 2)
                now_ns = doze(offload, now_ns, now_ns + CATCH_UP_LOOK_NS);
        pthread_mutex_unlock(&offload->mutex);
}

/* Waits until there is room, or @due_ns. The time is added to the debt, up to an amount that can be paid back. */
static uint64_t wait_until(
        struct offload *offload, uint64_t budget_ns, uint64_t now_ns, uint64_t due_ns)
{
        uint64_t debt_ns_max = clock_after_ns(budget_ns, budget_ns);
        uint64_t later_ns = doze(offload, now_ns, due_ns);

        offload->debt_ns += later_ns - now_ns;
        if (offload->debt_ns > debt_ns_max)
                offload->debt_ns = debt_ns_max;
        return later_ns;
}

/* False: there was none for too long. All peers share the workers, so a peer that reads very slowly must not keep one. */
static bool wait_for_room(struct offload *offload)
{
        const quoit_limits *limits = call_limits(offload->call);
        uint64_t budget_ns = clock_limit_ns(limits->worker_wait_ms), now_ns, end_ns;

        if (has_room(offload))
                return true;
        now_ns = call_clock_ns(offload->call);
        end_ns = clock_after_ns(now_ns, clock_limit_ns(limits->stall_ms));
        while (!has_room(offload) && now_ns < end_ns && !gives_up(offload, budget_ns)) {
                uint64_t due_ns = next_look_ns(offload, budget_ns, now_ns);

                now_ns = wait_until(offload, budget_ns, now_ns, due_ns < end_ns ? due_ns : end_ns);
        }
        return has_room(offload);
}

bool offload_has_yielded(const struct offload *offload)
{
        return offload->wait.yielded;
}

int offload_send(struct offload *offload, const struct encoding *encoding)
{
        bool ok;
        int r;

        /* only the ring knows what else waits on the connection: here just this message is checked */
        if (!room_allows(&call_host_of(offload->call)->room, encoding->size))
                return -ENOSPC;
        pthread_mutex_lock(&offload->mutex);
        ok = wait_for_room(offload);
        if (ok)
                offload->unsent_bytes += taken_bytes(encoding->size);
        pthread_mutex_unlock(&offload->mutex);
        if (!ok)
                return -ETIMEDOUT;
        r = parcel_post(offload, encoding);
        if (r < 0) {
                pthread_mutex_lock(&offload->mutex);
                offload->unsent_bytes -= taken_bytes(encoding->size);
                pthread_mutex_unlock(&offload->mutex);
        }
        return r;
}

int offload_send_headers(struct offload *offload)
{
        return parcel_post(offload, NULL);
}
