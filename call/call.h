/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The life of one gRPC call, between its stream and its handler.
 *
 * Two sides touch a call. The ring's side is fed by the session: it reads, writes, keeps the deadline.
 * The handler's side is the public quoit_call_*() functions. On a ring both are one thread. An
 * offloaded call is lent to a worker for one event at a time and returns by mail. Meanwhile the ring
 * does not touch the lent members, and what the handler sends travels by mail too (offload.h).
 * Each side has a struct of its own in struct quoit_call, so no member needs a lock.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <quoit/call.h>
#include <quoit/limits.h>
#include <quoit/message.h>
#include <quoit/method_options.h>
#include <quoit/service.h>

#include "call/exchange.h"
#include "call/fields.h"
#include "call/group.h"
#include "call/interceptors.h"
#include "core/here.h"
#include "core/list.h"
#include "core/ring.h"
#include "core/timer.h"
#include "transport/session.h"
#include "transport/stream.h"

struct offload;
struct front;

/* What ends with a call: an outcall that its handler has begun. Both are on the call's ring. */
struct call_child {
        struct list link; /* in the call; list_remove() ends it */
        /* The call is over, or only its handler is left. Also inside nghttp2's callbacks. */
        void (*on_parent_end)(struct call_child *child, const struct quoit_call *parent);
};

enum call_state {
        CALL_OPENING, /* its header block is arriving */
        CALL_OPEN, /* a handler has it, or will */
        CALL_FINISHED, /* it has a status, which is sent after the queued messages */
        CALL_CANCELLED, /* it ended without the handler: peer gone, deadline, server stopping */
        CALL_DONE, /* the handler has had its last event */
};

/* Status texts for a peer whose connection holds too much: by its own limit, or more than the ring has left. */
#define CALL_OVER_CONNECTION                                                                       \
        "the connection's requests are over the limit (connection_receive_bytes_max)"
#define CALL_SHORT_OF_MEMORY "the server is short of memory (memory_bytes_max)"

/* How a method is served: what the router found. Lives as long as the server. */
struct route {
        const quoit_method *method;
        const quoit_file_descriptor *file; /* that defines it; NULL: not known */
        const void *implementation;
        void *user;
        quoit_method_options options;
        atomic_uint *live_calls; /* on all rings; NULL: the options do not limit them. Heap */
};

/* HTTP's method of a request (RFC 9110, section 9). */
enum http_method {
        METHOD_NONE, /* not known yet */
        METHOD_POST,
        METHOD_GET,
        METHOD_HEAD,
        METHOD_OPTIONS,
        METHOD_OTHER,
};

/*
 * What the header block says. The flags are used until the call is OPEN. The rest does not change after that, so the handler's
 * side can read it too. It lies in the call's arena.
 */
struct request {
        const struct route *route; /* NULL until routed */
        const char *unknown_path; /* NULL: the path is the route's */
        upb_StringView authority;
        struct fields fields;
        uint64_t timeout_ns;
        /* The request is plain HTTP: the status of its answer, static or in its arena; the static text of one that no handler has */
        const char *http_status;
        union {
                const char *http_text;
                const char *
                        other_method; /* while the header block arrives: HTTP's, if it is METHOD_OTHER */
        };
        enum http_method http_method : 3;
        bool has_scheme : 1;
        bool has_path : 1;
        bool is_grpc : 1;
        bool is_http : 1; /* the request is plain HTTP: a handler has it (http.h), or it was refused */
        bool has_query : 1; /* behind the zero of the unknown path */
        bool has_authority : 1;
        bool has_timeout : 1;
        bool bad_timeout : 1;
        bool is_method_timeout : 1; /* the method's options have it, not the client */
        bool bad_encoding : 1;
        bool has_encoding : 1; /* one other than identity */
        bool oversize : 1; /* a -bin field with too many values */
        bool out_of_memory : 1;
        bool has_no_room : 1; /* the ring, ... */
        bool over_connection : 1; /* ... or only the connection, had no room for all of the fields */
};

/* The ring's side: only its thread reads or writes it. */
struct call_ring_side {
        enum call_state state;
        bool headers_submitted : 1;
        bool trailers_submitted : 1;
        bool started : 1; /* the handler has been given its first event */
        bool half_close_delivered : 1;
        bool cancel_delivered : 1;
        bool at_worker : 1; /* the handler's side is lent */
        bool charged_to_peer : 1;
        bool lingers : 1;
        bool http_answered : 1; /* with an HTTP status, because the request is plain HTTP */
        quoit_status outcome; /* once it is FINISHED or CANCELLED */
        unsigned starts; /* how many interceptors have seen it start */
        uint64_t
                opened_ns; /* when its headers were complete, for interceptors; 0: not yet, or there are none */
        struct call_post *posts; /* delivered, not yet run */
        struct call_post *posts_last;
        struct list delayed; /* posts of quoit_call_after() that are not due yet */
        struct list children; /* call_child */
        atomic_uint *live_calls; /* the method's count that this call is part of; NULL: none */
        struct list lingering; /* used while it @lingers (lingering.h) */
        uint64_t ended_ns; /* used while it @lingers: when it was cancelled */
        const char *
                cancel_text; /* of a cancelled call whose status is sent after the rest of a message */
        char pushback_ms
                [12]; /* of a refused call: when its client shall retry. "": it decides itself */
};

/*
 * The handler's side. It belongs to the thread that has the call: the ring's or, while the call is `at_worker`, a worker's. So does
 * `lent` of the exchange. Header fields do not change after the headers were asked for: the ring can send them at any time then.
 */
struct call_handler_side {
        bool handled : 1; /* the handler has been called */
        bool finish_asked : 1;
        bool finish_owed : 1; /* an interceptor has finished it; one finish by the handler is then no mistake */
        bool headers_asked : 1;
        bool held : 1;
        bool wants_writable : 1; /* quoit_call_writable() said false, or there is a pump */
        bool keeps_arena : 1; /* a status text in the arena is sent, whoever ends the call */
        quoit_status failure; /* of call_fail() on a worker */
        quoit_status status;
        const char *status_text; /* percent-encoded, in the arena; NULL: none */
        size_t status_text_size;
        struct fields header_fields;
        struct fields trailer_fields;
        /* the messages that send.c encodes in their place: their type, NULL if none are, and their size with prefixes */
        const struct upb_MiniTable *in_place_type;
        size_t in_place_bytes_max;
        void *state_user; /* what on_start returned */
        void (*pump)(quoit_call *call, void *state);
        void *pump_state;
        void (*on_cancel)(quoit_call *call, void *state);
        void *cancel_state;
        void (*on_done)(quoit_call *call, void *state);
        void *done_state;
        uint64_t
                handled_ns; /* when the handler was called, for interceptors; 0: not yet, or there are none */
        struct attachment *attachments;
        const char *failure_text;
        const char *
                misuse; /* the handler's mistake, not logged yet; static or in its arena. NULL: none */
};

struct quoit_call {
        struct exchange exchange; /* first: the session hands its stream back */
        atomic_bool cancelled; /* for any thread */
        /* the thread that has the handler's side, as here.h has it; NULL: none, while it is on its way */
        const void *_Atomic thread;
        struct offload *offload; /* NULL until it is lent for the first time; has a lock */
        struct front *
                front; /* NULL: the request is plain gRPC (dialect.h); fixed when the handler begins */
        struct call_ring_side ring;
        struct request request;
        struct call_handler_side handler;
};

/* A function that was posted to a call, on its way. */
struct call_post {
        struct mail mail;
        struct call_post *next;
        quoit_call *call;
        void (*fn)(quoit_call *call, void *arg);
        void *arg;
        bool is_delay; /* of quoit_call_after(), which uses the members below */
        uint64_t delay_ns;
        uint64_t due_ns;
        bool at_stop; /* of quoit_call_at_stop(): not timed, it waits in a list of the host */
        struct list stop_link;
        struct list link; /* among the delayed */
        struct timer timer;
};

/* The call is cancelled: its delayed functions run now. */
void call_hasten_delayed(struct quoit_call *call);

/* The call is finished: its delayed functions will not run. */
void call_drop_delayed(struct quoit_call *call);

/* ---- life ---- */

/*
 * A call in state OPENING. It frees itself when handler, stream and output no longer use it. NULL: no memory.
 * It counts as `charged_to_peer` of the group until it was answered and its stream closed. If the peer reset the stream, it
 * counts until its handler has ended: a stream that is reset at once still makes work (CVE-2023-44487).
 */
struct quoit_call *call_new(struct call_group *group);

static inline struct quoit_call *call_of_exchange(struct exchange *exchange)
{
        return CONTAINER_OF(exchange, struct quoit_call, exchange);
}

static inline struct quoit_call *call_of_stream(struct stream *stream)
{
        return CONTAINER_OF(stream, struct quoit_call, exchange.stream);
}

/* What the router has found, and how many messages each side may send. Called before the first message. */
void call_set_route(struct quoit_call *call, const struct route *route);

/* The one place where a call's state changes; asserts that the step is one that the states' comments allow. */
void call_set_state(struct quoit_call *call, enum call_state state);

/*
 * Ends a call without its handler, at once: queued messages are dropped, @status and the static @text
 * are sent as trailers (QUOIT_OK: nothing is sent; the stream is closed, or the caller resets it). A
 * handler that has started gets its on_cancel. No-op on a call that is past OPEN.
 * status_is_for_library() holds for @status: every status that the library itself sets passes here.
 */
void call_cancel(struct quoit_call *call, quoit_status status, const char *text);

/*
 * As call_cancel(), for a call that no handler has seen and that there is no room for. It is counted as refused. If
 * @pushes_back, the client learns when to retry (grpc-retry-pushback-ms of gRPC's proposal A6).
 */
void call_refuse(struct quoit_call *call, quoit_status status, const char *text, bool pushes_back);

/* As call_refuse(), also for a call that a handler has: its connection holds too much while memory is short. On the ring. */
void call_refuse_memory(struct quoit_call *call);

/* As call_fail() for the same reason, while the call's message is still in use. On the ring the client learns when to retry. */
void call_fail_memory(struct quoit_call *call);

/*
 * Ends a call from its handler's side: as call_cancel(); on a worker, once the call is back on its ring.
 * Unlike a finish it does not end a hold: only the application does.
 */
void call_fail(struct quoit_call *call, quoit_status status, const char *text);

/* The peer does not read, or no longer sends, as the static @text says: ends the call, or resets the stream of one that has ended. */
void call_give_up(struct quoit_call *call, const char *text);

/* Answers a request that is not gRPC, with the HTTP status in `request`. In state OPENING. */
void call_refuse_http(struct quoit_call *call);

/*
 * The stream is closed; @in_order: by both sides, and neither has reset it. Called inside nghttp2's callbacks: if the call is over
 * now, the user's code runs later, in call_group_settle().
 */
void call_on_stream_closed(struct quoit_call *call, bool in_order);

/* A request that is not gRPC is answered after @time_ns at the latest. It has no deadline. */
void call_await_http(struct quoit_call *call, uint64_t time_ns);

/* @child ends with the call, which is not over: call_is_ended(). */
void call_adopt(struct quoit_call *call, struct call_child *child);

/* Whether it was finished or cancelled, on its ring. */
static inline bool call_is_ended(const struct quoit_call *call)
{
        return call->ring.state >= CALL_FINISHED;
}

/* Starts the deadline. */
void call_set_deadline(struct quoit_call *call, uint64_t timeout_ns);

/* Frees a call that the server has given up: the server ended before the handler did. The ring is gone. */
void call_free_given_up(struct quoit_call *call);

/*
 * The handler has ended: frees the memory that it made its answers in, although they may take long to be sent.
 * Keeps it if bytes to be sent lie there too, as small answers do.
 */
void call_free_message(struct quoit_call *call);

/* Calls the interceptors and frees the call, if nothing uses it any more. Not inside nghttp2's callbacks. */
void call_release(struct quoit_call *call);

/*
 * How many of the @size bytes of @text are sent as the status's text: more would not fit into a peer's header list. Never
 * ends within a character of UTF-8.
 */
size_t call_cut_status_text(const char *text, size_t size);

/* For a call with a status (finish_asked): if it is OPEN it becomes FINISHED, and trailers are sent. Ring's side. */
void call_apply_finish(struct quoit_call *call);

/* Sends the headers that were asked for. Ring's side. */
void call_submit_headers(struct quoit_call *call);

/* What the session pulls and writes: the writer's queue, then the trailers. */
struct session_pull call_pull(struct quoit_call *call, size_t size_max);
void call_write(struct quoit_call *call, struct output *output, size_t size);

/* The public functions of these names, for callers on the thread that has the call. */
void *call_alloc(struct quoit_call *call, size_t size);
void call_finish(struct quoit_call *call, quoit_status status, const char *text, size_t size);

/* ---- small things ---- */

/* What its ring provides. */
static inline struct call_host *call_host_of(const struct quoit_call *call)
{
        return call->exchange.group->host;
}

/* The clock's time now, not the turn's: measures how long work takes. Any thread that has @call. */
static inline uint64_t call_clock_ns(const struct quoit_call *call)
{
        return ring_clock_ns(call_host_of(call)->ring);
}

/* As quoit_call_path(), on any thread that knows that the call is not freed. */
static inline const char *call_path(const struct quoit_call *call)
{
        if (call->request.unknown_path)
                return call->request.unknown_path;
        return call->request.route ? call->request.route->method->path : "";
}

/* The handler's side belongs to the calling thread from now on; after call_let_go() to none. */
static inline void call_take(struct quoit_call *call)
{
        atomic_store_explicit(&call->thread, here_thread(), memory_order_relaxed);
}

static inline void call_let_go(struct quoit_call *call)
{
        atomic_store_explicit(&call->thread, NULL, memory_order_relaxed);
}

static inline bool call_takes_many(const struct quoit_call *call)
{
        return call->exchange.takes_many;
}

static inline bool call_sends_many(const struct quoit_call *call)
{
        return call->exchange.sends_many;
}

/* Whether the one answer of a method with a single answer was sent. */
static inline bool call_has_answered(const struct quoit_call *call)
{
        return call->exchange.lent.messages_sent > 0 && !call_sends_many(call);
}

static inline const quoit_limits *call_limits(const struct quoit_call *call)
{
        return call_host_of(call)->limits;
}

/* As its handler sees it: it was finished or cancelled. */
static inline bool call_is_over(const struct quoit_call *call)
{
        return call->handler.finish_asked || quoit_call_cancelled(call);
}

/* The handler does @what, a static text. After a finish that has no effect, and is to be logged. */
static inline void call_note_after_finish(struct quoit_call *call, const char *what)
{
        if (call->handler.finish_asked && !call->handler.finish_owed && !call->handler.misuse)
                call->handler.misuse = what;
}

/* The handler is not done with it: there is a hold, or a function that was posted or delayed. Ring's side. */
static inline bool call_is_held(const struct quoit_call *call)
{
        return call->handler.held || call->ring.posts || !list_is_empty(&call->ring.delayed);
}

/* How large an answer may be. */
static inline size_t call_send_bytes_max(const struct quoit_call *call)
{
        size_t own = call->request.route->options.message_send_bytes_max;

        return own > 0 ? own : call_limits(call)->message_send_bytes_max;
}

/* The call's arena, made at its first use; NULL if memory is short. */
static inline upb_Arena *call_arena(struct quoit_call *call)
{
        return exchange_arena(&call->exchange);
}

/* A message is queued to be sent. On the ring. */
static inline void call_count_sent(const struct quoit_call *call)
{
        counter_add(&call->exchange.group->counts.messages_sent, 1);
}

/* Tells the dispatcher to look at the call. */
static inline void call_wake(struct quoit_call *call)
{
        call_host_of(call)->on_ready(&call->exchange);
}
