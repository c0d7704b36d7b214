/* SPDX-License-Identifier: MIT */
#include "server/unfinished.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "call/call.h"
#include "link/secure.h"
#include "server/connections.h"

/* ---- which calls are left ---- */

#define PATHS_MAX 8 /* that are named */
#define TEXT_BYTES 400

/* Calls by their methods. */
struct count {
        const char *path;
        uint64_t calls;
        uint64_t held;
};

struct tally {
        struct count counts[PATHS_MAX];
        unsigned used;
        bool has_more; /* methods than there is room for */
        bool has_held;
};

static void count_call(struct tally *tally, const struct quoit_call *call)
{
        const char *path = call_path(call);
        bool is_held = !call->ring.at_worker && call->handler.held;
        unsigned i = 0;

        while (i < tally->used && strcmp(tally->counts[i].path, path) != 0)
                i++;
        tally->has_held |= is_held;
        if (i == PATHS_MAX) {
                tally->has_more = true;
                return;
        }
        if (i == tally->used)
                tally->counts[tally->used++] = (struct count){ .path = path };
        tally->counts[i].calls++;
        tally->counts[i].held += is_held;
}

/* Counts the calls of a connection that have not ended. Others linger, and are counted there, or only wait to be sent. */
static void count_streams(struct tally *tally, const struct connection *connection)
{
        const struct list *streams = &connection->session.streams;

        if (connection->state > CONNECTION_CLOSING || connection->session.role == SESSION_CLIENT)
                return;
        for (const struct list *link = streams->next; link != streams; link = link->next) {
                struct quoit_call *call = call_of_stream(CONTAINER_OF(link, struct stream, link));

                if (!call->ring.lingers)
                        count_call(tally, call);
        }
}

static void count_lingering(struct tally *tally, const struct list *list)
{
        for (const struct list *link = list->next; link != list; link = link->next)
                count_call(tally, CONTAINER_OF(link, struct quoit_call, ring.lingering));
}

static size_t add_text(char *text, size_t used, const struct count *count)
{
        size_t room = TEXT_BYTES - used;
        int size = snprintf(text + used, room, "%s%s (%" PRIu64 "%s)", used > 0 ? ", " : "",
                count->path, count->calls, count->held > 0 ? ", held" : "");

        if (size > 0 && (size_t)size < room)
                return used + (size_t)size;
        text[used] = '\0'; /* no room: left out */
        return used;
}

void unfinished_log(struct shard *shard)
{
        uint64_t open = call_counts_open(&shard->base.host.counts);
        struct tally tally = { 0 };
        const struct list *connections = &shard->base.connections;
        char text[TEXT_BYTES] = "";
        size_t used = 0;

        if (open == 0)
                return;
        for (const struct list *link = connections->next; link != connections; link = link->next)
                count_streams(&tally, CONTAINER_OF(link, struct connection, link));
        count_lingering(&tally, &shard->base.host.lingering.fresh);
        count_lingering(&tally, &shard->base.host.lingering.logged);
        for (unsigned i = 0; i < tally.used; i++)
                used = add_text(text, used, tally.counts + i);
        server_log(shard->server, QUOIT_LOG_WARNING,
                "calls that still run are cancelled: %" PRIu64 ", such as %s%s%s", open, text,
                tally.has_more ? ", and of other methods" : "",
                tally.has_held ? "; handlers of held calls must call quoit_call_finish()" : "");
}

/* ---- giving up ---- */

/* Only the hold keeps it. */
static bool is_only_held(const struct quoit_call *call)
{
        return !call->ring.at_worker && call->handler.held && !call->ring.posts &&
               list_is_empty(&call->exchange.ready);
}

static void move_call(struct shard *shard, struct quoit_call *call)
{
        server_log_peer(shard->server, QUOIT_LOG_ERROR, ring_now_ns(&shard->base.ring),
                "%s: given up, as the server ends: it is still held, and nobody has called "
                "quoit_call_finish() (stop_hold_ms)",
                call_path(call));
        call_let_go(call);
        call_set_state(call, CALL_DONE);
        list_append(&shard->given_up, &call->ring.lingering);
}

/* Counts the calls of @group in @list that are only held; if @moves, gives them up. */
static uint32_t each_held(
        struct shard *shard, struct list *list, const struct call_group *group, bool moves)
{
        struct list *link, *next;
        uint32_t count = 0;

        for (link = list->next; link != list; link = next) {
                struct quoit_call *call = CONTAINER_OF(link, struct quoit_call, ring.lingering);

                next = link->next;
                if (call->exchange.group != group || !is_only_held(call))
                        continue;
                count++;
                if (moves)
                        move_call(shard, call);
        }
        return count;
}

static uint32_t each_of_group(struct shard *shard, const struct call_group *group, bool moves)
{
        return each_held(shard, &shard->base.host.lingering.fresh, group, moves) +
               each_held(shard, &shard->base.host.lingering.logged, group, moves);
}

void unfinished_give_up(struct connection *connection)
{
        struct shard *shard = shard_of_connection(connection);

        if (connection->state != CONNECTION_DEAD ||
                each_of_group(shard, &connection->group, false) < connection->group.count)
                return;
        each_of_group(shard, &connection->group, true);
        ring_undefer(&connection->dispatch);
        list_remove(&connection->link);
        list_append(&shard->given_up_connections, &connection->link);
}

static void ignore_freed(void *user, struct call_group *group)
{
        (void)user;
        (void)group;
}

void unfinished_free(struct shard *shard)
{
        struct list *link;

        shard->base.host.on_freed = ignore_freed;
        while ((link = list_pop(&shard->given_up)))
                call_free_given_up(CONTAINER_OF(link, struct quoit_call, ring.lingering));
        while ((link = list_pop(&shard->given_up_connections))) {
                struct server_connection *member =
                        CONTAINER_OF(link, struct server_connection, connection.link);

                secure_free(&member->connection); /* calls knew its identity until now */
                slab_free(&shard->connections.slab, member);
        }
}
