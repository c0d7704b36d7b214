/* SPDX-License-Identifier: MIT */
#pragma once

/* A thread that sends spans to a collector, with a client of its own. */

#include <stdatomic.h>

#include <quoit/client.h>

#include "services/otlp.h"
#include "services/span_queue.h"

struct span_exporter {
        struct span_queue queue; /* for any thread */
        struct otlp_resource resource;
        quoit_metadata *metadata; /* @metadata_count of them, which go with each export */
        size_t metadata_count;
        bool compresses;
        uint32_t export_ms;
        quoit_log_fn on_log; /* NULL: nothing is logged */
        void *log_user;

        quoit_client *client;
        quoit_channel *channel;
        pthread_t thread;
        struct span *batch;

        /* the export that is under way: */
        const quoit_otlp_ExportTraceServiceRequest *request;
        size_t count; /* of spans in it */
        quoit_outcall *outcall; /* the client's thread's */
        atomic_bool gives_up; /* nothing is sent any more */
        pthread_mutex_t mutex; /* protects: */
        pthread_cond_t done;
        bool is_done;
        quoit_error error; /* how it ended */

        atomic_ullong exported, rejected, failed;
        uint64_t told_dropped; /* of the queue, in the log */
        bool is_failing; /* which the log has told */
};

/*
 * Opens the channel to @target (@tls NULL: in the clear), and starts the thread; all members above `client` are set, and become the
 * exporter's. 0; or a negative errno, and *@ret_error has what is wrong, if there is more to say than that.
 */
int span_exporter_start(struct span_exporter *exporter, const char *target,
        const quoit_channel_tls *tls, quoit_error *ret_error);

/* Sends what is left, for at most @timeout_ms, ends the thread, and frees what is in it. Also after a start that has failed. */
void span_exporter_stop(struct span_exporter *exporter, uint64_t timeout_ms);
