/* SPDX-License-Identifier: MIT */
#include "call/offload.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "call/call.h"
#include "call/encoding.h"

struct offload {
        struct quoit_call *call;
        struct coders *coders; /* of the worker that has the call */
        pthread_mutex_t mutex;
        pthread_cond_t has_room;
        size_t unsent_bytes; /* under @mutex: of messages that the worker has sent and the socket has not taken */
};

/* A message on its way to the ring, then in the writer's queue. An empty one asks for the headers. */
struct parcel {
        struct segment segment;
        struct mail mail;
        struct quoit_call *call;
        uint8_t bytes[];
};

struct offload *offload_new(struct quoit_call *call)
{
        struct offload *offload = malloc(sizeof(*offload));
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

void offload_free(struct offload *offload)
{
        if (!offload)
                return;
        pthread_cond_destroy(&offload->has_room);
        pthread_mutex_destroy(&offload->mutex);
        free(offload);
}

static bool has_room(struct offload *offload)
{
        return offload->unsent_bytes < call_limits(offload->call)->call_queue_bytes_max ||
               quoit_call_cancelled(offload->call);
}

bool offload_is_writable(struct offload *offload)
{
        bool writable;

        pthread_mutex_lock(&offload->mutex);
        writable = has_room(offload);
        pthread_mutex_unlock(&offload->mutex);
        return writable;
}

void offload_lend_coders(struct offload *offload, struct coders *coders)
{
        offload->coders = coders;
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

/* @bytes_counted: how much of the segment's was counted; the segment's own size shrinks as it is written. */
static void parcel_free(struct parcel *parcel, size_t bytes_counted)
{
        struct offload *offload = parcel->call->offload;

        pthread_mutex_lock(&offload->mutex);
        offload->unsent_bytes -= bytes_counted;
        if (has_room(offload))
                pthread_cond_broadcast(&offload->has_room);
        pthread_mutex_unlock(&offload->mutex);
        free(parcel);
}

static void release_parcel(struct quoit_call *call, struct segment *segment)
{
        struct parcel *parcel = (struct parcel *)segment;

        (void)call;
        parcel_free(parcel, (size_t)(segment->data + segment->size - parcel->bytes));
}

static void on_parcel(struct mail *mail)
{
        struct parcel *parcel = CONTAINER_OF(mail, struct parcel, mail);
        struct quoit_call *call = parcel->call;

        if (call->state != CALL_OPEN) {
                parcel_free(parcel, parcel->segment.size);
                return;
        }
        call_submit_headers(call);
        if (parcel->segment.size == 0) {
                parcel_free(parcel, 0);
                return;
        }
        writer_append_segment(call, &parcel->segment);
        call_count_sent(call);
        stream_resume(&call->stream);
        call->group->host->on_output(call);
}

/* @encoding: NULL asks for the headers. */
static int parcel_post(struct offload *offload, const struct encoding *encoding)
{
        size_t size = encoding ? encoding->size : 0;
        struct parcel *parcel = malloc(sizeof(*parcel) + size);

        if (!parcel)
                return -ENOMEM;
        parcel->segment =
                (struct segment){ .data = parcel->bytes, .size = size, .release = release_parcel };
        parcel->mail.on_delivery = on_parcel;
        parcel->call = offload->call;
        if (encoding)
                encoding_copy(encoding, parcel->bytes);
        call_host_post(offload->call->group->host, &parcel->mail);
        return 0;
}

/* False: there was none for too long. A worker is shared by all peers: one that takes its answer drop by drop can't keep it. */
static bool wait_for_room(struct offload *offload)
{
        uint32_t stall_ms = call_limits(offload->call)->stall_ms;
        struct timespec until;
        int r = 0;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += stall_ms / 1000;
        until.tv_nsec += stall_ms % 1000 * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
                until.tv_nsec -= 1000000000L;
                until.tv_sec++;
        }
        while (r == 0 && !has_room(offload))
                r = pthread_cond_timedwait(&offload->has_room, &offload->mutex, &until);
        return r == 0;
}

int offload_send(struct offload *offload, const struct encoding *encoding)
{
        bool ok;
        int r;

        pthread_mutex_lock(&offload->mutex);
        ok = wait_for_room(offload);
        if (ok)
                offload->unsent_bytes += encoding->size;
        pthread_mutex_unlock(&offload->mutex);
        if (!ok)
                return -ETIMEDOUT;
        r = parcel_post(offload, encoding);
        if (r < 0) {
                pthread_mutex_lock(&offload->mutex);
                offload->unsent_bytes -= encoding->size;
                pthread_mutex_unlock(&offload->mutex);
        }
        return r;
}

int offload_send_headers(struct offload *offload)
{
        return parcel_post(offload, NULL);
}
