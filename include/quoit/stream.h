/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Calls that stream, for threads that wait. Generated headers have typed forms: METHOD_open(), METHOD_write(), METHOD_read().
 *
 *      quoit_stream *stream = api_Api_getStream_open(channel, request, &options);
 *
 *      while (api_Api_getStream_read(stream, arena, &item))
 *              print(item);
 *      if (quoit_stream_finish(stream, &error) != QUOIT_OK)
 *              fprintf(stderr, "%s\n", quoit_error_text(&error));
 *
 * Nothing needs to be checked before quoit_stream_finish(), which says what went wrong first: also if the stream could not be opened,
 * or is NULL, which all functions take.
 *
 * Threads: one thread may write while another one reads; quoit_stream_half_close() and quoit_stream_cancel() may be called by any thread,
 * at any time until quoit_stream_finish() is called, with which no other function may run. A thread that runs a turn of a ring would wait
 * for itself, or keep others waiting: there quoit_stream_write(), quoit_stream_read() and quoit_stream_finish() end the call with INTERNAL
 * and return at once. No stream waits for another one.
 *
 * Memory: what waits is limited, on the way out by `call_queue_bytes_max`, twice, and a message; on the way in by the same, and then by
 * the window of the call's stream. So a thread that writes more than that to a server which waits for its answers to be read stands
 * still: another one must read.
 */

#include <stdbool.h>

#include <quoit/client.h>
#include <quoit/export.h>
#include <quoit/method.h>
#include <quoit/status.h>

QUOIT_BEGIN_DECLS

/* A call that streams, opaque. */
typedef struct quoit_stream quoit_stream;

/*
 * Begins a call of @method, of any kind. If it takes one request this is @request; else NULL. All are used only until it returns, but
 * for @channel, which must not be freed before the call has begun. Does not wait. NULL: memory is short.
 */
QUOIT_API quoit_stream *quoit_stream_open(quoit_channel *channel, const quoit_method *method,
        const struct upb_Message *request, const quoit_call_options *options);

/*
 * Sends a message, of the method's request type; waits while too many are on their way. It may be changed or dropped on return. False:
 * nothing was sent. The call is over, or there was a half-close; or the message cannot be sent, which ends the call.
 */
QUOIT_API bool quoit_stream_write(quoit_stream *stream, const struct upb_Message *message);

/* There will be no more requests. */
QUOIT_API void quoit_stream_half_close(quoit_stream *stream);

/*
 * Waits for the next message and puts it into *@ret_message, in @arena. False: there is none any more, and *@ret_message is untouched. A
 * method with one reply has it as its only message, and only if the call's status is QUOIT_OK.
 */
QUOIT_API bool quoit_stream_read(
        quoit_stream *stream, struct upb_Arena *arena, const struct upb_Message **ret_message);

/* Ends the call with CANCELLED; the server is told at once. */
QUOIT_API void quoit_stream_cancel(quoit_stream *stream);

/*
 * Half-closes, drops messages that were not read, waits until the call is over, and frees @stream. Who does not want the rest of a long
 * stream cancels it first. Returns the status; *@ret_error (NULL: not wanted) says what failed.
 */
QUOIT_API quoit_status quoit_stream_finish(quoit_stream *stream, quoit_error *ret_error);

QUOIT_END_DECLS
