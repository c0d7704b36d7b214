/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What calls have in common: those of one connection its group, those of one ring its host.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/compression.h>
#include <quoit/limits.h>
#include <quoit/protocol.h>

#include "call/counts.h"
#include "call/lingering.h"
#include "call/pending_copy.h"
#include "call/ring_share.h"
#include "call/room.h"
#include "call/stall.h"
#include "codec/arena.h"
#include "codec/coders.h"
#include "codec/compression.h"
#include "core/list.h"
#include "core/ring.h"
#include "core/slab.h"

#define CALL_GROUP_MALFORMED_LINES_MAX 10

struct call_group;
struct cors;
struct exchange;
struct interceptors;
struct json_types;
struct peer;
struct quoit_call;
struct upb_ExtensionRegistry;
struct upb_MiniTable;

/* What a ring lends to all its calls. */
struct call_host {
        struct ring *ring;
        struct arena_pool *arenas;
        struct arena_pool *shared_arenas; /* for what workers allocate */
        struct slab *calls;
        const quoit_limits *limits;
        const struct interceptors *interceptors; /* NULL: there are none */
        const struct cors *cors; /* pages of other origins may call; NULL: none may */
        unsigned index; /* of the ring, among the server's */
        void *user;
        struct call_counts counts;
        struct ring_share share;
        struct room room;
        struct lingering lingering;
        struct list at_stop; /* posts that wait for the server's stop */
        bool is_stopping;
        uint64_t looked_ns; /* the time behind the last handler or other work: call_host_look() */
        struct pending_copy copy; /* of a message that is queued on some call */
        struct coders coders;
        struct compression_cache accepted;
        quoit_compression compression; /* of calls that say nothing else */
        quoit_protocols protocols; /* of methods that say nothing else; 0: all */
        const struct upb_ExtensionRegistry *extensions; /* of requests; NULL: all are unknown */
        struct json_types *json_types; /* for messages as JSON (front/json_codec.h); a server's */
        /* threads that are posting to the ring: it must not go before they are through */
        atomic_uint posters;
        atomic_bool is_over; /* the ring is gone: nobody may post to it any more */
        atomic_ullong refused; /* calls, ever */
        /* The call may have an event to be dispatched. */
        void (*on_ready)(struct exchange *exchange);
        /* The session of the group's calls may have something to send. */
        void (*on_output)(struct call_group *group);
        /* The call was cancelled `handler_end_ms` ago, and its handler is not through. */
        void (*on_overdue)(const struct quoit_call *call);
        /* @function of @call was called on a thread that may not. On that thread. */
        void (*on_wrong_thread)(const struct quoit_call *call, const char *function);
        /* What @type is called, for a log: FIELD_NAME_BYTES. Any thread. NULL: nobody knows. */
        void (*name_type)(
                const struct call_host *host, const struct upb_MiniTable *type, char *ret_name);
        /* From a worker that its call's peer keeps waiting: is it wanted elsewhere? True: it goes back at once. */
        bool (*yields_worker)(void *user);
        /* A line of call_group_report(), for a log. NULL: there is none. */
        void (*on_report)(const struct call_host *host, const char *line);
        /* The call has been freed; it was of @group. */
        void (*on_freed)(void *user, struct call_group *group);
};

/* Other work than a handler's is done on the ring, which may have taken long: the next handler is not to blame for it. */
static inline void call_host_look(struct call_host *host)
{
        host->looked_ns = ring_clock_coarse_ns(host->ring);
}

/* The calls of one connection. Outlives them all. */
struct call_group {
        struct call_host *host;
        uint32_t count; /* not freed yet */
        uint32_t charged_to_peer; /* of those, what the peer answers for: see call_new() */
        uint32_t lent; /* at the workers, or on their way there */
        uint32_t malformed; /* requests, or responses, that were reported, or would have been */
        counter held_bytes; /* of requests, in the readers, and what they have become */
        atomic_size_t parsing_bytes; /* of requests that are being parsed: budget.h */
        size_t queued_bytes; /* waiting in the writers */
        uint64_t moved_bytes; /* of messages, that the peer has sent or taken, ever */
        uint64_t work_ns; /* of the ring in this turn: see call/work.h */
        struct stall stall; /* while bytes wait in the writers */
        uint64_t emptied_ns; /* when one of them was last written to its end */
        const struct peer *peer;
        const void
                *listener; /* what a server's connection came in by; NULL: nothing is known of it */
        struct stream_counts counts;
        struct list ended; /* calls of which interceptors are to be told: see call_group_settle() */
        struct list reports; /* lines for the log, until then */
};

/* Takes zeroed memory. */
void call_group_init(struct call_group *group, struct call_host *host, const struct peer *peer);

/*
 * Keeps a line for the log until call_group_settle(). Allocates: only for a peer's faults, and the caller bounds how many lines
 * there are. Without memory the line is lost.
 */
void call_group_report(struct call_group *group, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/* The peer has sent one more that is malformed. Whether the log gets a line: a flood of these must not hide what else happens. */
static inline bool call_group_may_report_malformed(struct call_group *group)
{
        return ++group->malformed <= CALL_GROUP_MALFORMED_LINES_MAX;
}

/* The part of call_group_settle() that is seldom needed. */
void call_group_run_settle(struct call_group *group);

/*
 * Inside nghttp2's callbacks no code of the user's runs: neither the log nor interceptors. So whoever has fed, filled or ended
 * the session of @group calls this behind it. It logs what was reported, tells interceptors of the calls whose streams were
 * closed, and frees these.
 */
static inline void call_group_settle(struct call_group *group)
{
        if (!list_is_empty(&group->ended) || !list_is_empty(&group->reports))
                call_group_run_settle(group);
}

/* The server begins to stop: what waits for that runs. */
void call_host_stop(struct call_host *host);

/* Nobody may post any more; returns when those that are posting are through. */
void call_host_end_posts(struct call_host *host);

/* Mails to the ring of @host from a thread that has none. 0, or -ESHUTDOWN: it is gone. */
int call_host_post(struct call_host *host, struct mail *mail);

/* All that requests of a connection hold. On its ring. */
static inline size_t call_group_held_bytes(const struct call_group *group)
{
        return counter_read(&group->held_bytes) +
               atomic_load_explicit(&group->parsing_bytes, memory_order_relaxed);
}

/* Whether more answers may wait on the connection. On its ring. */
static inline bool call_group_is_congested(const struct call_group *group)
{
        return group->queued_bytes >= group->host->limits->connection_send_bytes_max ||
               !room_allows(&group->host->room, group->queued_bytes);
}
