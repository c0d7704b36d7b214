/* SPDX-License-Identifier: MIT */
#include "transport/callbacks.h"
#include "transport/session.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* How much of the stream's payload the next DATA frame takes; it is written below, straight to its place. */
static nghttp2_ssize on_read(nghttp2_session *h2, int32_t id, uint8_t *buffer, size_t size_max,
        uint32_t *flags, nghttp2_data_source *source, void *user)
{
        struct session *session = user;
        struct stream *stream = source->ptr;
        struct session_pull pull;

        (void)h2;
        (void)id;
        (void)buffer;
        /* nghttp2 makes DATA frames one after the other until it has another kind to hand out: room for both */
        if (!output_has_room(session->output, 2))
                return NGHTTP2_ERR_PAUSE;
        pull = session->events->on_pull(stream, size_max);
        assert(pull.size <= size_max);
        session->current = stream;
        if (pull.size == 0 && !pull.last) {
                stream->starved = true;
                return NGHTTP2_ERR_DEFERRED;
        }
        *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
        if (pull.last)
                *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (pull.last && !pull.ends &&
                session->role == SESSION_SERVER) /* trailers end the stream */
                *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        return (nghttp2_ssize)pull.size;
}

static int on_send_data(nghttp2_session *h2, nghttp2_frame *frame, const uint8_t *header,
        size_t size, nghttp2_data_source *source, void *user)
{
        struct session *session = user;

        (void)h2;
        assert(frame->data.padlen == 0);
        output_copy(session->output, header, FRAME_HEADER_BYTES);
        if (size)
                session->events->on_write(source->ptr, session->output, size);
        return 0;
}

/* nghttp2 has reset it by itself. */
static void report_reset(struct session *session, struct stream *stream, uint32_t error_code)
{
        struct session_malformed what = { .stream = stream };

        if (error_code == NGHTTP2_ENHANCE_YOUR_CALM)
                what.rule = SESSION_RULE_LARGE;
        else if (error_code == NGHTTP2_FLOW_CONTROL_ERROR)
                what.rule = "DATA beyond its window";
        else if (error_code == NGHTTP2_PROTOCOL_ERROR)
                what.rule =
                        SESSION_RULE_LENGTH; /* its body is longer; everything else was reported where it was found */
        if (what.rule)
                session_report_malformed(session, &what);
}

/*
 * NO_ERROR and CANCEL are not the peer's fault: the stream was answered, or its deadline cut off the answer. A reset that nghttp2
 * has made by itself was not reported yet.
 */
static void note_reset(struct session *session, int32_t id, uint32_t error_code)
{
        struct stream *stream = session_stream(session, id);

        session->has_reset = true;
        if (stream && !stream->is_reset && stream_is_remote_open(stream))
                session_expect_late(session);
        if (stream && !stream->is_reset)
                report_reset(session, stream, error_code);
        if (error_code != NGHTTP2_NO_ERROR && error_code != NGHTTP2_CANCEL)
                session->resets++;
}

/* nghttp2 does not know what we call the limits that it keeps for us. NULL: it is none of them. */
static const char *limit_text(const nghttp2_goaway *frame)
{
        static const char large[] = "too large frame size";

        if (frame->error_code == NGHTTP2_ENHANCE_YOUR_CALM && frame->opaque_data_len == 0)
                return "too many useless frames (glitches_burst_max, glitches_per_second)";
        if (frame->opaque_data_len == strlen(large) &&
                memcmp(frame->opaque_data, large, strlen(large)) == 0)
                return "too large frame size (frame_bytes_max)";
        return NULL;
}

static void report_fault(struct session *session, const nghttp2_goaway *frame)
{
        const char *limit = limit_text(frame);

        if (frame->error_code == NGHTTP2_NO_ERROR || session->fault_reported)
                return;
        session->fault_reported = true;
        session->events->on_fault(session->user, frame->error_code,
                limit ? limit : (const char *)frame->opaque_data,
                limit ? strlen(limit) : frame->opaque_data_len);
}

/*
 * Our side has ended. A server looks at nothing that the client sends now, so the stream is reset in good order (RFC 9113
 * section 8.1), behind the trailers; a client waits for the response.
 */
static void end_local(struct session *session, int32_t id)
{
        struct stream *stream = session_stream(session, id);

        if (!stream || stream->state == STREAM_CLOSED)
                return;
        if (stream->state == STREAM_HALF_CLOSED_REMOTE) {
                stream_set_state(stream, STREAM_CLOSED);
                return;
        }
        stream_set_state(stream, STREAM_HALF_CLOSED_LOCAL);
        if (session->role == SESSION_SERVER)
                session_reset_stream(session, stream, NGHTTP2_NO_ERROR);
}

static void open_request(struct session *session, int32_t id)
{
        struct stream *stream = session_next_request(session, id);

        assert(stream);
        list_remove(&stream->link);
        stream->unsent = false;
        session_open_stream(session, stream);
        glitches_request_sent(&session->glitches);
}

static int on_frame_sent(nghttp2_session *h2, const nghttp2_frame *frame, void *user)
{
        struct session *session = user;

        (void)h2;
        switch (frame->hd.type) {
        case NGHTTP2_HEADERS:
                if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
                        open_request(session, frame->hd.stream_id);
                /* fall through */
        case NGHTTP2_DATA:
                session->has_answered = true;
                glitches_sent(&session->glitches, (uint32_t)frame->hd.length);
                if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
                        end_local(session, frame->hd.stream_id);
                break;
        case NGHTTP2_RST_STREAM:
                note_reset(session, frame->hd.stream_id, frame->rst_stream.error_code);
                break;
        case NGHTTP2_WINDOW_UPDATE:
                session->has_answered = true;
                break;
        case NGHTTP2_PING:
                session->glitches.pongs_due += !(frame->hd.flags & NGHTTP2_FLAG_ACK);
                break;
        case NGHTTP2_GOAWAY:
                report_fault(session, &frame->goaway);
                break;
        }
        return 0;
}

static uint32_t drop_code(int error)
{
        switch (error) {
        case NGHTTP2_ERR_STREAM_CLOSING:
                return NGHTTP2_CANCEL;
        case NGHTTP2_ERR_START_STREAM_NOT_ALLOWED: /* the connection ends */
                return NGHTTP2_REFUSED_STREAM;
        default:
                return NGHTTP2_INTERNAL_ERROR;
        }
}

/* A request that was reset before it was sent, or is too large to be sent: nghttp2 would say REFUSED_STREAM of that. */
static void drop_request(nghttp2_session *h2, struct session *session, int32_t id, int error)
{
        struct stream *stream = session_next_request(session, id);

        (void)nghttp2_session_set_stream_user_data(h2, id, NULL);
        session->current = NULL;
        if (stream) /* else it has been refused meanwhile */
                session_close_stream(session, stream, drop_code(error));
}

/* A response that is too large for nghttp2 to make: without a reset the peer would wait for it for ever. */
static void drop_response(struct session *session, int32_t id)
{
        struct stream *stream = session_stream(session, id);

        if (stream) /* else it has been closed meanwhile, and nobody waits */
                session_reset_stream(session, stream, NGHTTP2_INTERNAL_ERROR);
}

static int on_frame_not_sent(nghttp2_session *h2, const nghttp2_frame *frame, int error, void *user)
{
        if (frame->hd.type != NGHTTP2_HEADERS)
                return 0;
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
                drop_request(h2, user, frame->hd.stream_id, error);
        else
                drop_response(user, frame->hd.stream_id);
        return 0;
}

void send_set_callbacks(nghttp2_session_callbacks *callbacks)
{
        nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_sent);
}

int session_request(struct session *session, struct stream *stream, const nghttp2_nv *fields,
        size_t count, bool end)
{
        const nghttp2_data_provider2 provider = { .source.ptr = stream, .read_callback = on_read };
        int32_t id;

        if (!session_takes_requests(session))
                return -ESHUTDOWN;
        if (session_streams_left(session) == 0)
                return -EAGAIN;
        id = nghttp2_submit_request2(
                session->h2, NULL, fields, count, end ? NULL : &provider, stream);
        if (id < 0)
                return id == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE ? -ESHUTDOWN : -ENOMEM;
        stream->session = session;
        stream->id = id;
        stream->unsent = true;
        list_append(&session->requests, &stream->link);
        session->stream_count++;
        return 0;
}

int stream_respond(struct stream *stream, const nghttp2_nv *fields, size_t count, bool end)
{
        const nghttp2_data_provider2 provider = { .source.ptr = stream, .read_callback = on_read };
        int r;

        if (!stream->session || stream->state == STREAM_CLOSED)
                return 0;
        if (stream->session->http1)
                return http1_respond(stream->session->http1, fields, count, end, NULL);
        r = nghttp2_submit_response2(
                stream->session->h2, stream->id, fields, count, end ? NULL : &provider);
        return r < 0 ? -ENOMEM
                     : 0; /* it fails for nothing else: what we submit is valid, and submitted once */
}

/* The next piece of a static text; the source points to what is left of it. */
static nghttp2_ssize on_read_text(nghttp2_session *h2, int32_t id, uint8_t *buffer, size_t size_max,
        uint32_t *flags, nghttp2_data_source *source, void *user)
{
        const char *text = source->ptr;
        size_t size = strnlen(text, size_max);

        (void)h2;
        (void)id;
        (void)user;
        memcpy(buffer, text, size);
        source->ptr = (void *)(text + size);
        if (text[size] == '\0')
                *flags |= NGHTTP2_DATA_FLAG_EOF;
        return (nghttp2_ssize)size;
}

int stream_respond_text(
        struct stream *stream, const nghttp2_nv *fields, size_t count, const char *text)
{
        const nghttp2_data_provider2 provider = { { .ptr = (void *)text }, on_read_text };
        int r;

        if (!stream->session || stream->state == STREAM_CLOSED)
                return 0;
        if (stream->session->http1)
                return http1_respond(stream->session->http1, fields, count, false, text);
        r = nghttp2_submit_response2(stream->session->h2, stream->id, fields, count, &provider);
        return r < 0 ? -ENOMEM : 0;
}

int stream_submit_trailers(struct stream *stream, const nghttp2_nv *fields, size_t count)
{
        int r;

        if (stream->session->http1)
                return http1_submit_trailers(stream->session->http1, fields, count);
        r = nghttp2_submit_trailer(stream->session->h2, stream->id, fields, count);
        return r < 0 ? -ENOMEM : 0;
}

void stream_resume(struct stream *stream)
{
        if (!stream->session || !stream->starved)
                return;
        stream->starved = false;
        if (stream->session->http1)
                return;
        /* fails otherwise where a reset has gone before it */
        session_must_send(
                stream->session, nghttp2_session_resume_data(stream->session->h2, stream->id));
}

void stream_reset(struct stream *stream, uint32_t error_code)
{
        if (stream->session)
                session_reset_stream(stream->session, stream, error_code);
}

int32_t stream_send_window_bytes(const struct stream *stream)
{
        if (stream->session->http1) /* only TCP's holds it up */
                return INT32_MAX;
        return nghttp2_session_get_stream_remote_window_size(stream->session->h2, stream->id);
}

void stream_consume(struct stream *stream, uint32_t size)
{
        assert(size <= stream->unconsumed_bytes);
        stream->unconsumed_bytes -= size;
        if (stream->session && stream->session->h2 && stream_is_remote_open(stream))
                session_must_send(
                        stream->session, nghttp2_session_consume_stream(
                                                 stream->session->h2, stream->id, (size_t)size));
}
