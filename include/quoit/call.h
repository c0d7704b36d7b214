/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One gRPC call, as its handler sees it.
 *
 * Threads: a call belongs to one ring, and its handler runs on that ring's thread. All events of an offloaded method run on
 * worker threads, never two events of one call at once. Every function of a call, in this header and the others, must be called
 * on the thread that has the call, and takes no lock. With a loop of the program's own that is the loop's thread, in a step or
 * outside. Two exceptions: quoit_call_post() and quoit_call_cancelled() can be called on any thread, as long as the call is
 * valid. Any other function that is called on another thread does nothing: it returns -EPERM, NULL, false, 0, "" or the value
 * that it documents for "none", and the log gets a line, once for each function and method.
 *
 * Lifetime: a call is valid in its events, and from quoit_call_hold() until quoit_call_finish().
 * A cancelled call (peer gone, deadline over, server stopping) stays valid in the same way: what is
 * sent on it is dropped, and its on_done still runs, always last and exactly once.
 * A call that is held keeps the server from ending. After a second quoit_server_stop() the server waits `stop_hold_ms` for it,
 * then gives it up: none of the call's callbacks runs any more, not even on_done and interceptors' on_end, because the holder
 * may still use what they would free. The call, its arena and its request stay valid memory until quoit_server_free():
 * functions of the call do nothing, and quoit_call_post() returns -ESHUTDOWN. A post that was on its way is dropped.
 *
 * Finished early: a call can be finished in any of its events, also in on_start, on_message or before the client has sent all.
 * From then on no on_message, on_half_close or on_writable of it runs; on_done still does, with what on_start returned.
 *
 * Mistakes: what a handler does with a call that it has finished (a second answer or finish, a message, a hold) has no effect,
 * and is logged: of the mistakes in one event only one. Also logged: a handler that forgets its call, one that holds it for
 * `handler_end_ms` after it was cancelled, and one that keeps its ring busy for `slow_handler_ms`.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/compression.h>
#include <quoit/credits.h>
#include <quoit/export.h>
#include <quoit/protocol.h>
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
 * The call's arena: what is allocated there lives until the call's on_done has returned. NULL when memory is short. The
 * generated TYPE_new() takes such a NULL and returns NULL, and sending that ends the call; upb's own functions do not accept a
 * NULL arena.
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

/* The path of the method, "/package.Service/method", as the client sent it. Lives as long as the call. */
QUOIT_API const char *quoit_call_path(const quoit_call *call);

/*
 * The peer's address as gRPC's naming document spells it: "ipv4:192.0.2.1:50000", "ipv6:[2001:db8::1]:50000",
 * "ipv6:[fe80::1%25eth0]:50000" (a link-local address has its interface with it, as in RFC 6874: by name, or by number if
 * the interface is gone or its name has unusual characters),
 * "unix:" (with the path, if the client has bound one), "unix-abstract:NAME", "vsock:CID:PORT". Bytes that are not printable
 * are escaped as %XX. Lives as long as the call. <quoit/peer.h> has more about the peer.
 */
QUOIT_API const char *quoit_call_peer(const quoit_call *call);

/*
 * The host that the client asked for: its :authority, or else its host field. Mostly a host and port, but the client can send
 * any text (over a unix socket some send its path). Empty if it sent neither. Lives as long as the call.
 */
QUOIT_API upb_StringView quoit_call_authority(const quoit_call *call);

/*
 * Puts the first value of the request's metadata @name (lower case) into *@ret_value and returns true; returns false and leaves
 * *@ret_value untouched if there is none. Values of names that end in "-bin" are already decoded from base64. White space
 * around a value is dropped. The client's "user-agent" is included. Reserved names are not (grpc-*, pseudo-header fields like
 * :path, host, content-type, te), except grpc-previous-rpc-attempts, grpc-trace-bin and grpc-tags-bin. The bytes live as long
 * as the call.
 */
QUOIT_API bool quoit_call_metadata(
        const quoit_call *call, const char *name, upb_StringView *ret_value);

/* The protocol that the call came by. */
QUOIT_API quoit_protocol quoit_call_protocol(const quoit_call *call);

/*
 * All metadata of the request, in the order of the wire: start with *@cursor = 0 and call until it returns false; do not change
 * *@cursor in between. A name with several values is returned once for each.
 */
QUOIT_API bool quoit_call_metadata_next(const quoit_call *call, size_t *cursor,
        upb_StringView *ret_name, upb_StringView *ret_value);

/* When the call's deadline is over, on CLOCK_MONOTONIC; UINT64_MAX if the client set none. */
QUOIT_API uint64_t quoit_call_deadline_ns(const quoit_call *call);

/*
 * True once the peer has cancelled or disconnected, the deadline is over, or a send failed: what is sent now is dropped. Any
 * thread.
 */
QUOIT_API bool quoit_call_cancelled(const quoit_call *call);

/* ---- answering ---------------------------------------------------------------------------- */

/*
 * Adds metadata to the headers of the answer. @name: lower case letters, digits, "-", "_" and "."; not starting with "grpc-"
 * (except grpc-retry-pushback-ms and grpc-server-stats-bin), and not one of HTTP's own like "content-type". @value: printable
 * ASCII, or any bytes if the name ends in "-bin" (they are sent in base64). Both are copied.
 * 0; -EINVAL for a bad name or value; -EALREADY when the headers, or the status, have been sent;
 * -ENOMEM; -E2BIG over the limit `metadata_out_bytes_max`.
 */
QUOIT_API int quoit_call_add_header(quoit_call *call, const char *name, upb_StringView value);

/* As quoit_call_add_header(), to the trailers: until the call is finished. */
QUOIT_API int quoit_call_add_trailer(quoit_call *call, const char *name, upb_StringView value);

/* Sends the headers now, ahead of the first message. Does nothing if they were sent. */
QUOIT_API void quoit_call_send_headers(quoit_call *call);

/*
 * Encodes @message, of type @type, and queues it for sending. Generated code wraps this with types:
 * PACKAGE_SERVICE_METHOD_send(). The message may be changed or dropped on return.
 * On a ring this never blocks; a handler that streams asks quoit_call_writable() first. On a worker it waits while the queue is
 * full: at most `stall_ms` each time, and at most `worker_wait_ms` in all once other calls wait for a worker (-ETIMEDOUT).
 * Returns 0 also if the call is over and the message is dropped. After a negative errno the call is over, with a status that
 * says why; a call that is held still needs its quoit_call_finish():
 *      -EMSGSIZE  over `message_send_bytes_max`
 *      -ENOBUFS   more than `call_queue_bytes_hard_max` waits already
 *      -ENOSPC    what waits on the connection leaves no room for it (`memory_bytes_max`)
 *      -ENOMEM    also if the message is NULL, as there was no memory to make it
 *      -EINVAL    a required field is not set; logged
 *      -EPROTOTYPE  not of the type that the method answers with: another method's function was called; logged
 *      -E2BIG     nested over 100 deep
 *      -EILSEQ    text in it is not UTF-8, where its field wants that (message.h); logged
 *      -EALREADY  a second answer of a method that has only one; logged
 */
QUOIT_API int quoit_call_send(
        quoit_call *call, const struct upb_Message *message, const struct upb_MiniTable *type);

/*
 * True while the queue of the call has room (`call_queue_bytes_max`), and the call is not over.
 * Once it has been false, on_writable (or the pump) runs when there is room again.
 */
QUOIT_API bool quoit_call_writable(const quoit_call *call);

/*
 * Ends the call with @status and, if not NULL, the UTF-8 text @message (copied, cut to 4 KiB). Trailers go out behind what was
 * queued. Does nothing if the call was finished before. Ends a hold. Each of these is logged: if @message is not UTF-8,
 * U+FFFD is sent in place of the bad bytes; if @status is none of quoit_status, UNKNOWN is sent; if the method has one
 * answer and it was not sent before QUOIT_OK, INTERNAL is sent.
 */
QUOIT_API void quoit_call_finish(quoit_call *call, quoit_status status, const char *message);

/* As quoit_call_finish(), with printf. */
QUOIT_API void quoit_call_finishf(quoit_call *call, quoit_status status, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/*
 * Sends @message as the only answer and finishes with QUOIT_OK: the end of a unary handler. A message that cannot be sent ends
 * the call with the status that quoit_call_send() has for it. Ends a hold in any case. Strings and packed fields of 16 KiB and
 * more may be sent without a copy if they lie in the call's arena (those of the request do): do not change their bytes from
 * here on. All else may be changed or dropped on return.
 */
QUOIT_API void quoit_call_reply(
        quoit_call *call, const struct upb_Message *message, const struct upb_MiniTable *type);

/* ---- compression -------------------------------------------------------------------------- */

/*
 * Compresses the answers of this call with @algorithm, in place of the server's option `compression`; QUOIT_IDENTITY: sends
 * them uncompressed. Answers below `compress_bytes_min`, and on a ring those over `compress_ring_bytes_max`, are sent
 * uncompressed in any case. It does not matter what requests are compressed with.
 * 0; -ENOTSUP: the client does not accept it (grpc-accept-encoding), nothing changed; -EALREADY when the headers,
 * or the status, have been sent; -EINVAL: no such algorithm.
 */
QUOIT_API int quoit_call_set_compression(quoit_call *call, quoit_compression algorithm);

/*
 * The compression that the handler's last message (the request, or the last of on_message) had when it arrived; QUOIT_IDENTITY:
 * none.
 */
QUOIT_API quoit_compression quoit_call_request_compression(const quoit_call *call);

/* The algorithm of this call's answers. */
QUOIT_API quoit_compression quoit_call_compression(const quoit_call *call);

/*
 * Whether messages sent from here on are compressed, in a call that compresses: true at first. Set it to false for messages
 * that are compressed already, or that hold secrets next to text that an attacker can choose (the CRIME attack).
 */
QUOIT_API void quoit_call_set_message_compression(quoit_call *call, bool enabled);

/* ---- answering later ---------------------------------------------------------------------- */

/*
 * The answer will be sent later: the handler can return, and the call stays valid until quoit_call_finish(), which must be
 * called, also after a cancellation.
 * A handler that returns without a finish, a hold, a delay (quoit_call_after()) or a pump has forgotten the call: the call is
 * answered INTERNAL, and a line is logged.
 */
QUOIT_API void quoit_call_hold(quoit_call *call);

/*
 * Runs @fn(@call, @arg) where the call's handlers run. From any thread. The call must be held. Do not post again after the post
 * whose function finishes the call: the call may no longer exist.
 * 0; -ENOMEM; -ESHUTDOWN: the server has ended and given the call up. After an error @fn does not run.
 * After -ENOMEM the call is still held, and must be finished, but not on this thread: post again after a while. Who cannot wait
 * makes the ring come by itself: a quoit_call_after() set before, in the handler, looks whether the work is done. After
 * -ESHUTDOWN there is nothing left to do.
 */
QUOIT_API int quoit_call_post(quoit_call *call, void (*fn)(quoit_call *call, void *arg), void *arg);

/*
 * Runs @fn(@call, @arg) @delay_ms from now, or as soon as the call is cancelled, where the call's handlers run. Counts as a
 * hold until then. @fn does not run if the call is finished first. The clock is monotonic, and is read once a turn of the
 * ring. Call it from the call's handlers. Several delays can be pending; they run in the order of their times, and when an
 * offloaded call is cancelled, in the order in which they were set.
 * 0; -ENOMEM; -ECANCELED if the call was cancelled before. After an error @fn does not run.
 */
QUOIT_API int quoit_call_after(
        quoit_call *call, uint32_t delay_ms, void (*fn)(quoit_call *call, void *arg), void *arg);

/*
 * Runs @fn(@call, @arg) once, when the server begins to stop (quoit_server_stop()), or as soon as the call is cancelled, where
 * the call's handlers run. Counts as a hold until then. For streams that have no end of their own, for example a stream that
 * waits for the client's next request: finish them here, with QUOIT_UNAVAILABLE, so that the stop need not wait for all of
 * `drain_ms`. What is sent here goes out ahead of the connection's GOAWAY. If the server is stopping already, @fn runs at once.
 * It does not run if the call is finished first. Call it from the call's handlers.
 * 0; -ENOMEM; -ECANCELED if the call was cancelled before. After an error @fn does not run.
 */
QUOIT_API int quoit_call_at_stop(
        quoit_call *call, void (*fn)(quoit_call *call, void *arg), void *arg);

/*
 * Streams by a pump: @pump(@call, @state) runs once the current handler has returned, and again whenever there is room in the
 * queue, until the call is finished. It sends while quoit_call_writable() and returns. A pump that sent nothing although there
 * was room, and did not finish, runs again only after the next post, message or send. Replaces an earlier pump.
 */
QUOIT_API void quoit_call_pump(
        quoit_call *call, void (*pump)(quoit_call *call, void *state), void *state);

/*
 * @on_cancel(@call, @state) runs once, at once, if the call is cancelled before it is finished: to stop work on it. A held call
 * still needs its quoit_call_finish(). Like every event of a call it waits until the running one has returned: an offloaded
 * method that blocks asks quoit_call_cancelled() from time to time. Replaces an earlier @on_cancel.
 */
QUOIT_API void quoit_call_on_cancel(
        quoit_call *call, void (*on_cancel)(quoit_call *call, void *state), void *state);

/*
 * @on_done(@call, @state) runs once, last of all, however the call ends: to free what belongs to it. Replaces an earlier
 * @on_done, which then does not run.
 */
QUOIT_API void quoit_call_on_done(
        quoit_call *call, void (*on_done)(quoit_call *call, void *state), void *state);

/* ---- backpressure on what the client streams ------------------------------------------------ */

/*
 * How many more messages on_message may get; QUOIT_CREDITS_UNLIMITED at first. At 0 the stream's flow-control window closes
 * (RFC 9113 section 5.2) and the client has to wait. Methods with a single request need no credit for it.
 */
QUOIT_API void quoit_call_set_read_credits(quoit_call *call, uint32_t credits);

/* How many credits are left. */
QUOIT_API uint32_t quoit_call_read_credits(const quoit_call *call);

QUOIT_END_DECLS
