/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where all shards of a server wait for each other: none serves before all can, and none is taken apart while another may
 * still send it mail.
 */

#include <pthread.h>
#include <stdbool.h>

struct quoit_server;

enum meeting {
        MEETING_START, /* all rings are set up, or one of them has failed to */
        MEETING_END,   /* all have served their last */
        MEETINGS,
};

struct meetings {
        pthread_mutex_t mutex; /* of all: */
        pthread_cond_t met;
        unsigned count[MEETINGS]; /* of shards that have come */
        int error[MEETINGS]; /* 0, or why the first that failed has */
};

void meetings_init(struct meetings *meetings);
void meetings_deinit(struct meetings *meetings);

/* Waits for all shards to come; @error 0 or why the caller's part failed. True: nobody's has. */
bool server_meet(struct quoit_server *server, enum meeting meeting, int error);

/* For @count shards that cannot come, since they have no thread: @error says why. */
void server_meet_without(
        struct quoit_server *server, enum meeting meeting, unsigned count, int error);

/* Whether all but one have come. */
bool server_has_met_others(struct quoit_server *server, enum meeting meeting);

/* All shards will come once more. Not while one of them waits there. */
void server_meet_again(struct quoit_server *server, enum meeting meeting);
