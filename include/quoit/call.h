/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One gRPC call, as its handler sees it.
 *
 * Threads: a call belongs to one ring, and its handler runs on that ring's thread; all events of an offloaded method run on a
 * worker thread, never two of one call at once. Every function of a call, in this header and the others, is to be called on the
 * thread that has the call, and takes no lock. In a loop of the program's own that is the loop's thread, in a step or outside.
 * Two exceptions: quoit_call_post() and quoit_call_cancelled() may be called on any thread, as long as the call is valid. Any
 * other function that is called on another thread does nothing: it returns -EPERM, NULL, false, 0, "" or what it says for
 * "none", and the log is told, once for each function and method.
 *
 * Lifetime: a call is valid in its events, and from quoit_call_hold() until quoit_call_finish().
 * A cancelled call (peer gone, deadline over, server stopping) stays valid in the same way: what is
 * sent on it is dropped, and its on_done still runs, always last and exactly once.
 * A hold that is not finished keeps the server from ending, until that is stopped a second time. `stop_hold_ms` after that it is
 * given up: none of the call's functions runs any more, on_done and interceptors' on_end neither, as whoever holds the call may use
 * what they would free. The call, its arena and its request stay valid memory until quoit_server_free(): functions of the call
 * do nothing, and quoit_call_post() returns -ESHUTDOWN. A post that was on its way is dropped.
 *
 * Mistakes: what a handler does with a call that it has finished (a second answer or finish, a message, a hold) has no effect,
 * and is a line in the log. So are a handler that forgets its call, one that holds it for `handler_end_ms` after it was
 * cancelled, and one that keeps its ring for `slow_handler_ms`.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/compression.h>
#include <quoit/export.h>
#include <quoit/status.h>
#include <quoit/upb_names.h>

#include "upb/base/string_view.h"

QUOIT_BEGIN_DECLS

/* A call, opaque. */
typedef struct quoit_call quoit_call;
struct upb_Arena;
struct upb_Message;
struct upb_MiniTable;

/* ---- memory ------------------------------------------------------------------------------- */

/*
 * The call's arena: what is allocated there lives until the call's on_done has returned. NULL when memory is short: then the
 * generated TYPE_new() is NULL too, and sending that ends the call; upb's own functions do not take it.
 */
QUOIT_API struct upb_Arena *quoit_call_arena(quoit_call *call);

/*
 * The scratch arena, for messages on their way out: what is allocated there lives until the next
 * message is sent on this call. A stream of any length runs in bounded memory with it. NULL as above.
 */
QUOIT_API struct upb_Arena *quoit_call_scratch(quoit_call *call);

/* @size bytes of zeroed memory in the call's arena, or NULL. */
QUOIT_API void *quoit_call_alloc(quoit_call *call, size_t size);

/*
 * printf into the scratch arena: the text lives until the next message is sent, which is what a
 * string field of that message needs. An empty string if memory is short.
 */
QUOIT_API upb_StringView quoit_call_format(quoit_call *call, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/* ---- what the client asked ---------------------------------------------------------------- */

/* The path of the method, "/package.Service/method", or what the client asked for in its place. Lives as long as the call. */
QUOIT_API const char *quoit_call_path(const quoit_call *call);

/*
 * The peer's address as gRPC's naming document spells it: "ipv4:192.0.2.1:50000", "ipv6:[2001:db8::1]:50000",
 * "ipv6:[fe80::1%25eth0]:50000" (an address of one link has its interface with it, as in RFC 6874; the interface's
 * number where its name is gone, or not plain),
 * "unix:" (with the path, if the client has bound one), "unix-abstract:NAME", "vsock:CID:PORT". Bytes that are not
 * printable are escaped as %XX. Lives as long as the call. <quoit/peer.h> tells more.
 */
QUOIT_API const char *quoit_call_peer(const quoit_call *call);

/*
 * Whom the client asked for: its :authority, or else its host field. Mostly a host and port, but any text that the client
 * likes (over a Unix socket some send its path); empty where it named none. Lives as long as the call.
 */
QUOIT_API upb_StringView quoit_call_authority(const quoit_call *call);

/*
 * The first value of the request's metadata @name (lower case), in *@ret_value: true, or false and
 * *@ret_value untouched where there is none. Values of names that end in "-bin" are decoded from
 * base64 already. White space around a value is dropped. The client's "user-agent" is among them. Reserved names (grpc-*,
 * :path and its kin, host, content-type, te) are not, but grpc-previous-rpc-attempts, grpc-trace-bin and grpc-tags-bin are.
 * The bytes live as long as the call.
 */
QUOIT_API bool quoit_call_metadata(
        const quoit_call *call, const char *name, upb_StringView *ret_value);

/*
 * All metadata of the request, in the order of the wire: start with *@cursor at 0, which is then the
 * function's own, and call until it returns false. Names come once per value.
 */
QUOIT_API bool quoit_call_metadata_next(const quoit_call *call, size_t *cursor,
        upb_StringView *ret_name, upb_StringView *ret_value);

/* When the call's deadline is over, on CLOCK_MONOTONIC; UINT64_MAX where the client set none. */
QUOIT_API uint64_t quoit_call_deadline_ns(const quoit_call *call);

/* True once the peer has cancelled, has gone, the deadline is over, or a send failed: sending is in vain. On any thread. */
QUOIT_API bool quoit_call_cancelled(const quoit_call *call);

/* ---- answering ---------------------------------------------------------------------------- */

/*
 * Adds metadata to the headers of the answer. @name: lower case letters, digits, "-", "_" and ".", not starting with
 * "grpc-" (but grpc-retry-pushback-ms and grpc-server-stats-bin), none of HTTP's own such as "content-type". @value:
 * printable ASCII, or any bytes where the name ends in "-bin" (they go out in base64). Both are copied.
 * 0; -EINVAL for a bad name or value; -EALREADY when the headers, or the status, have been sent;
 * -ENOMEM; -E2BIG past the limit `metadata_out_bytes_max`.
 */
QUOIT_API int quoit_call_add_header(quoit_call *call, const char *name, upb_StringView value);

/* As quoit_call_add_header(), to the trailers: until the call is finished. */
QUOIT_API int quoit_call_add_trailer(quoit_call *call, const char *name, upb_StringView value);

/* Sends the headers now, ahead of the first message. Does nothing if they were sent. */
QUOIT_API void quoit_call_send_headers(quoit_call *call);

/*
 * Encodes @message, of type @type, and queues it for sending. Generated code wraps this with types:
 * PACKAGE_SERVICE_METHOD_send(). The message may be changed or dropped on return.
 * On a ring this never blocks; a handler that streams asks quoit_call_writable() first. On a worker
 * it waits while the queue is full, at most `stall_ms` at once, and `worker_wait_ms` in all once others want the worker
 * (-ETIMEDOUT).
 * 0, also where the call is over and the message is dropped. After a negative errno the call is over, with a status that says why;
 * a hold still wants its finish:
 *      -EMSGSIZE  over `message_send_bytes_max`
 *      -ENOBUFS   more than `call_queue_bytes_hard_max` waits already
 *      -ENOSPC    what waits on the connection leaves no room for it (`memory_bytes_max`)
 *      -ENOMEM    also where the message is NULL, as there was no memory to make it
 *      -EINVAL    a required field is not set
 *      -E2BIG     nested too deeply
 *      -EILSEQ    text in it is not UTF-8, where its field wants that (message.h); logged
 *      -EALREADY  a second answer of a method that has one; logged
 */
QUOIT_API int quoit_call_send(
        quoit_call *call, const struct upb_Message *message, const struct upb_MiniTable *type);

/*
 * True while the queue of the call has room (`call_queue_bytes_max`), and the call is not over.
 * Once it has been false, on_writable (or the pump) runs when there is room again.
 */
QUOIT_API bool quoit_call_writable(const quoit_call *call);

/*
 * Ends the call with @status and, if not NULL, the UTF-8 text @message (copied, cut to 4 KiB). Trailers go out
 * behind what was queued. Does nothing where the call was finished before. Ends a hold.
 * QUOIT_OK wants its answer first where the method has one: without it, INTERNAL is sent and a line logged.
 */
QUOIT_API void quoit_call_finish(quoit_call *call, quoit_status status, const char *message);

/* As quoit_call_finish(), with printf. */
QUOIT_API void quoit_call_finishf(quoit_call *call, quoit_status status, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/*
 * Sends @message as the only answer and finishes with QUOIT_OK: what a unary handler ends in. What cannot be sent
 * ends the call with the status that quoit_call_send() has for it. Ends a hold in any case. Strings and
 * packed fields of 16 KiB and more may be sent from where they lie if that is the call's arena, the request's
 * own included: leave their bytes as they are from here on. All else may be changed or dropped on return.
 */
QUOIT_API void quoit_call_reply(
        quoit_call *call, const struct upb_Message *message, const struct upb_MiniTable *type);

/* ---- compression -------------------------------------------------------------------------- */

/*
 * Compresses the answers of this call with @algorithm, from `compress_bytes_min` on; QUOIT_IDENTITY: does not. Else
 * the server's option `compression` says. What requests are compressed with does not matter. On a ring answers over
 * `compress_ring_bytes_max` go as they are.
 * 0; -ENOTSUP: the client does not take it (grpc-accept-encoding), nothing changed; -EALREADY when the headers,
 * or the status, have been sent; -EINVAL: no such algorithm.
 */
QUOIT_API int quoit_call_set_compression(quoit_call *call, quoit_compression algorithm);

/*
 * What the message that the handler was given last, the request or one of on_message, was compressed with when it
 * came; QUOIT_IDENTITY: it was not.
 */
QUOIT_API quoit_compression quoit_call_request_compression(const quoit_call *call);

/* The algorithm of this call's answers. */
QUOIT_API quoit_compression quoit_call_compression(const quoit_call *call);

/*
 * Whether the messages that are sent from here on are compressed, in a call that does so: true at first. For those that
 * are compressed already, or hold secrets beside what a stranger chose (the CRIME attack).
 */
QUOIT_API void quoit_call_set_message_compression(quoit_call *call, bool enabled);

/* ---- answering later ---------------------------------------------------------------------- */

/*
 * Says that the answer comes later: the handler may return, and the call stays valid until
 * quoit_call_finish(), which must come, also after a cancellation.
 * A handler that returns with neither a finish nor a hold, a delay (quoit_call_after()) or a pump has forgotten the call:
 * it is answered INTERNAL and a line is logged.
 */
QUOIT_API void quoit_call_hold(quoit_call *call);

/*
 * Runs @fn(@call, @arg) where the call's handlers run. From any thread; the call must be held, and
 * no post may come after the one whose function finishes the call: it may find no call any more.
 * 0; -ENOMEM, or -ESHUTDOWN where the server has ended and given the call up, and @fn will not run.
 */
QUOIT_API int quoit_call_post(quoit_call *call, void (*fn)(quoit_call *call, void *arg), void *arg);

/*
 * Runs @fn(@call, @arg) @delay_ms from now, or as soon as the call is cancelled, where the call's handlers run; counts
 * as a hold until then. It does not run where the call has been finished first. The clock is monotonic, and read
 * once a turn of the ring. From the call's handlers; several may be on their way, and run in the order of their times, but for
 * an offloaded call that is cancelled: there in the order in which they were asked for.
 * 0; -ENOMEM, or -ECANCELED where the call was cancelled before, and @fn will not run.
 */
QUOIT_API int quoit_call_after(
        quoit_call *call, uint32_t delay_ms, void (*fn)(quoit_call *call, void *arg), void *arg);

/*
 * Runs @fn(@call, @arg) once, when the server begins to stop (quoit_server_stop()), or as soon as the call is cancelled, where
 * the call's handlers run; counts as a hold until then. For streams that have no end of their own, such as those that wait
 * for what the client asks next: they are finished here, with QUOIT_UNAVAILABLE, so that the stop need not wait for all of
 * `drain_ms`. What is sent here goes out ahead of the connection's GOAWAY. At once if the server is stopping. It does not run
 * where the call has been finished first. From the call's handlers.
 * 0; -ENOMEM, or -ECANCELED where the call was cancelled before, and @fn will not run.
 */
QUOIT_API int quoit_call_at_stop(
        quoit_call *call, void (*fn)(quoit_call *call, void *arg), void *arg);

/*
 * Streams by a pump: @pump(@call, @state) runs once the current handler has returned, and again
 * whenever there is room in the queue, until the call is finished. It sends while
 * quoit_call_writable() and returns. A pump that sent nothing, with room, and did not finish, is
 * run again only after the next post, message or send. In place of one that was given before.
 */
QUOIT_API void quoit_call_pump(
        quoit_call *call, void (*pump)(quoit_call *call, void *state), void *state);

/*
 * @on_cancel(@call, @state) runs once, at once, if the call is cancelled before it is finished: to
 * stop work on it. A held call still wants its quoit_call_finish(). Like all events of a call it waits for the one that
 * runs: work that blocks, in an offloaded method, asks quoit_call_cancelled() from time to time. In place of one that was given before.
 */
QUOIT_API void quoit_call_on_cancel(
        quoit_call *call, void (*on_cancel)(quoit_call *call, void *state), void *state);

/*
 * @on_done(@call, @state) runs once, last of all, however the call ends: to free what belongs to it. In place of one that
 * was given before, which then does not run.
 */
QUOIT_API void quoit_call_on_done(
        quoit_call *call, void (*on_done)(quoit_call *call, void *state), void *state);

/* ---- backpressure on what the client streams ------------------------------------------------ */

/* The credits of a call that nobody has set any for: on_message is given what comes. */
#define QUOIT_CREDITS_UNLIMITED UINT32_MAX

/*
 * How many further messages on_message may be given; QUOIT_CREDITS_UNLIMITED at first. At 0 the
 * stream's flow-control window closes (RFC 9113 section 5.2) and the client has to wait. The request of a method that
 * has one is given to its handler without.
 */
QUOIT_API void quoit_call_set_read_credits(quoit_call *call, uint32_t credits);

/* How many are left. */
QUOIT_API uint32_t quoit_call_read_credits(const quoit_call *call);

QUOIT_END_DECLS
