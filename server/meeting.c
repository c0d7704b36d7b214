/* SPDX-License-Identifier: MIT */
#include "server/meeting.h"

#include "server/server.h"
#include "server/shard.h"

void meetings_init(struct meetings *meetings)
{
        *meetings = (struct meetings){ 0 };
        pthread_mutex_init(&meetings->mutex, NULL);
        pthread_cond_init(&meetings->arrived, NULL);
}

void meetings_deinit(struct meetings *meetings)
{
        pthread_cond_destroy(&meetings->arrived);
        pthread_mutex_destroy(&meetings->mutex);
}

/* Under the lock. */
static void arrive(struct meetings *meetings, enum meeting meeting, unsigned count, int error)
{
        if (error < 0 && meetings->error[meeting] == 0)
                meetings->error[meeting] = error;
        meetings->count[meeting] += count;
        pthread_cond_broadcast(&meetings->arrived);
}

bool server_meet(struct quoit_server *server, enum meeting meeting, int error)
{
        struct meetings *meetings = &server->meetings;
        bool ok;

        pthread_mutex_lock(&meetings->mutex);
        arrive(meetings, meeting, 1, error);
        if (meeting == MEETING_END && atomic_load(&server->shards->wakeable))
                ring_wake(&server->shards->base
                                .ring); /* the first shard waits for the others in its loop */
        while (meetings->count[meeting] < server->options.rings)
                pthread_cond_wait(&meetings->arrived, &meetings->mutex);
        ok = meetings->error[meeting] == 0;
        pthread_mutex_unlock(&meetings->mutex);
        return ok;
}

void server_meet_without(
        struct quoit_server *server, enum meeting meeting, unsigned count, int error)
{
        pthread_mutex_lock(&server->meetings.mutex);
        arrive(&server->meetings, meeting, count, error);
        pthread_mutex_unlock(&server->meetings.mutex);
}

bool server_has_met_others(struct quoit_server *server, enum meeting meeting)
{
        bool has;

        pthread_mutex_lock(&server->meetings.mutex);
        has = server->meetings.count[meeting] == server->options.rings - 1;
        pthread_mutex_unlock(&server->meetings.mutex);
        return has;
}

void server_reset_meeting(struct quoit_server *server, enum meeting meeting)
{
        server->meetings.count[meeting] = 0;
        server->meetings.error[meeting] = 0;
}
