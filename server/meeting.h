/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where all shards of a server wait for each other: none serves before all can, and none frees its ring while another may
 * still send it mail.
 */

#include <pthread.h>
#include <stdbool.h>

struct quoit_server;

enum meeting {
        MEETING_START, /* all rings are set up, or one has failed */
        MEETING_END,   /* all have stopped serving */
        MEETINGS,
};

struct meetings {
        pthread_mutex_t mutex; /* for all of this */
        pthread_cond_t arrived;
        unsigned count[MEETINGS]; /* of shards that have arrived */
        int error[MEETINGS]; /* 0, or the error of the first that failed */
};

void meetings_init(struct meetings *meetings);
void meetings_deinit(struct meetings *meetings);

/* Waits until all shards have arrived. @error: 0, or why the caller's shard failed. True: none has failed. */
bool server_meet(struct quoit_server *server, enum meeting meeting, int error);

/* Counts @count shards as arrived that have no thread; @error says why. */
void server_meet_without(
        struct quoit_server *server, enum meeting meeting, unsigned count, int error);

/* Whether all shards but one have arrived. */
bool server_has_met_others(struct quoit_server *server, enum meeting meeting);

/* Starts the meeting anew, for another try. Nobody may be waiting there. */
void server_reset_meeting(struct quoit_server *server, enum meeting meeting);
