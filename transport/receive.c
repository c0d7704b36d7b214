/* SPDX-License-Identifier: MIT */
#include "transport/callbacks.h"
#include "transport/malformed.h"
#include "transport/session.h"

#include <assert.h>
#include <string.h>

/* The largest frame that a peer may send without our SETTINGS. `frame_bytes_max` is meant for DATA. */
#define GOAWAY_BYTES_MAX 16384

/* Whether a stream @id was opened, or skipped. Clients open all that there are, so in both roles the ids are odd. */
static bool is_used_id(const struct session *session, int32_t id)
{
        return id <= session->last_id && id % 2 != 0;
}

/*
 * HEADERS for a stream that is over, or was skipped, which nghttp2 would overlook: they end the connection (RFC 9113,
 * sections 5.1 and 5.1.1), unless we are what ended such a stream. Then its trailers may have crossed with our RST_STREAM.
 */
static void check_headers(struct session *session, int32_t id)
{
        if (!is_used_id(session, id) || session_stream(session, id) || session->has_reset)
                return;
        if (id >= session->run_id)
                session_blame(session, NGHTTP2_STREAM_CLOSED, "HEADERS for a stream that is over");
        else
                session_blame(
                        session, NGHTTP2_PROTOCOL_ERROR, "HEADERS for a stream that was skipped");
}

/* A server cannot reset what was never opened (RFC 9113, section 6.4). nghttp2 lets it pass, for clients that do. */
static void check_reset(struct session *session, int32_t id)
{
        if (session->role == SESSION_CLIENT && id != 0 && !is_used_id(session, id))
                session_blame(session, NGHTTP2_PROTOCOL_ERROR, "RST_STREAM for an idle stream");
}

/* Header blocks beyond the limit are costly to decode: each header_bytes_max of them counts as a reset. */
static void count_block(struct session *session, size_t size, bool first)
{
        session->resets += glitches_block(
                &session->glitches, (uint32_t)size, first, session->limits->header_bytes_max);
}

/* We have said that we want none (SETTINGS_ENABLE_PUSH). nghttp2 would take it until the server has acknowledged that. */
static int refuse_push(struct session *session)
{
        if (session->role == SESSION_SERVER)
                return 0; /* no client may send it at all, as nghttp2 knows */
        session_blame(session, NGHTTP2_PROTOCOL_ERROR, "PUSH_PROMISE, which is not enabled");
        return NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* HEADERS or CONTINUATION: how far the header block has come. */
static void note_block(struct session *session, const nghttp2_frame_hd *head)
{
        bool first = head->type == NGHTTP2_HEADERS;

        session->blocks += first;
        session->block_end = session->frames_end;
        session->block_continues = !(head->flags & NGHTTP2_FLAG_END_HEADERS);
        count_block(session, head->length, first);
}

static int on_begin_frame(nghttp2_session *h2, const nghttp2_frame_hd *head, void *user)
{
        struct session *session = user;

        (void)h2;
        session->frames_end += FRAME_HEADER_BYTES + head->length;
        switch (head->type) {
        case NGHTTP2_HEADERS:
                note_block(session, head);
                check_headers(session, head->stream_id);
                break;
        case NGHTTP2_CONTINUATION:
                note_block(session, head);
                break;
        case NGHTTP2_RST_STREAM:
                check_reset(session, head->stream_id);
                break;
        case NGHTTP2_WINDOW_UPDATE:
                glitches_window_update(&session->glitches);
                break;
        case NGHTTP2_SETTINGS:
                session->glitches.count += !(head->flags & NGHTTP2_FLAG_ACK);
                break;
        case NGHTTP2_PRIORITY:
                if (head->stream_id == 0) /* RFC 9113, section 6.3; nghttp2 would overlook it */
                        session_blame(session, NGHTTP2_PROTOCOL_ERROR, "PRIORITY for stream 0");
                break;
        case NGHTTP2_PUSH_PROMISE:
                return refuse_push(session);
        case NGHTTP2_GOAWAY:
                session->glitches.count++;
                if (head->length <= GOAWAY_BYTES_MAX)
                        break;
                /* nghttp2 would keep all of its text until it is whole */
                session_blame(
                        session, NGHTTP2_ENHANCE_YOUR_CALM, "a GOAWAY of more than 16384 bytes");
                return NGHTTP2_ERR_CALLBACK_FAILURE;
        }
        return 0;
}

static int refuse_stream(nghttp2_session *h2, struct session *session, int32_t id)
{
        session_note_id(session, id);
        session->has_reset = true; /* its trailers may come before the RST_STREAM is sent */
        session_expect_late(session);
        return nghttp2_submit_rst_stream(h2, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
}

static int receive_request(nghttp2_session *h2, struct session *session, int32_t id)
{
        struct stream *stream = NULL;

        if (session->drain < DRAIN_DONE) /* else the last GOAWAY, on its way, disowns it */
                stream = session->events->on_stream(session->user);
        if (!stream)
                return refuse_stream(h2, session, id);
        stream->session = session;
        stream->id = id;
        session->stream_count++;
        session_open_stream(session, stream);
        glitches_sent(&session->glitches, 0); /* some clients open each stream's window at once */
        nghttp2_session_set_stream_user_data(h2, id, stream);
        return 0;
}

static int on_begin_headers(nghttp2_session *h2, const nghttp2_frame *frame, void *user)
{
        struct session *session = user;
        struct stream *stream;
        int r = 0;

        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
                r = receive_request(h2, session, frame->hd.stream_id);
        stream = session_stream(session, frame->hd.stream_id);
        if (stream) {
                stream->field_bytes = stream->field_count =
                        0; /* each block has a limit of its own */
                stream->interim = false;
                stream->block_ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
        }
        return r;
}

/*
 * Each field is counted before it is used: nghttp2 bounds the size of a field, but not the number of fields
 * (CVE-2016-6581). The block is decoded to its end in any case, or HPACK's state would be lost.
 */
static bool field_is_within(const quoit_limits *limits, struct stream *stream, size_t size)
{
        if (stream->field_count <= limits->header_fields_max)
                stream->field_count++;
        stream->field_bytes += (uint32_t)size + FIELD_OVERHEAD_BYTES;
        return stream->field_count <= limits->header_fields_max &&
               stream->field_bytes <= limits->header_bytes_max;
}

static void report_malformed(struct session *session, struct stream *stream, const char *rule)
{
        session_report_malformed(
                session, &(struct session_malformed){ .stream = stream, .rule = rule });
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

void session_field_strip(struct session_field *field)
{
        while (field->value_size > 0 && is_blank(field->value[field->value_size - 1]))
                field->value_size--;
        while (field->value_size > 0 && is_blank(*field->value)) {
                field->value++;
                field->value_size--;
        }
}

/* A 1xx response: the one that counts is still to come (RFC 9113, section 8.1). Nothing that we send asks for one. */
static void note_interim(
        struct session *session, struct stream *stream, const struct session_field *field)
{
        if (session->role == SESSION_SERVER || stream->has_headers || field->name_size != 7 ||
                memcmp(field->name, ":status", 7) != 0 || field->value_size == 0 ||
                *field->value != '1')
                return;
        stream->interim = true;
        session->glitches.count++;
}

/* Whether the owner has no use for the header block at hand: trailers of a request, a 1xx response. */
static bool block_is_skipped(const struct session *session, const struct stream *stream)
{
        return stream->interim || (stream->has_headers && session->role == SESSION_SERVER);
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, nghttp2_rcbuf *name,
        nghttp2_rcbuf *value, uint8_t flags, void *user)
{
        struct session *session = user;
        struct stream *stream = session_stream(session, frame->hd.stream_id);
        nghttp2_vec name_bytes, value_bytes;
        struct session_field field;

        (void)h2;
        (void)flags;
        if (!stream)
                return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* its stream was refused: skip it */
        name_bytes = nghttp2_rcbuf_get_buf(name);
        value_bytes = nghttp2_rcbuf_get_buf(value);
        if (!field_is_within(session->limits, stream, name_bytes.len + value_bytes.len)) {
                if (stream->field_bytes <= session->limits->header_bytes_hard_max)
                        return 0;
                report_malformed(session, stream, SESSION_RULE_LARGE);
                /* in place of nghttp2's INTERNAL_ERROR; the rest is skipped */
                session_reset_stream(session, stream, NGHTTP2_ENHANCE_YOUR_CALM);
                return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
        field = (struct session_field){
                .name = (const char *)name_bytes.base,
                .name_size = name_bytes.len,
                .value = (const char *)value_bytes.base,
                .value_size = value_bytes.len,
        };
        note_interim(session, stream, &field);
        if (block_is_skipped(session, stream))
                return 0;
        session_field_strip(&field);
        session->events->on_field(stream, &field);
        return 0;
}

/* A field with bytes that HTTP forbids: the message is malformed (RFC 9113, section 8.2.1). Left to itself, nghttp2 only skips it. */
static int on_invalid_header(nghttp2_session *h2, const nghttp2_frame *frame, nghttp2_rcbuf *name,
        nghttp2_rcbuf *value, uint8_t flags, void *user)
{
        struct session *session = user;
        struct stream *stream = session_stream(session, frame->hd.stream_id);
        nghttp2_vec bytes = nghttp2_rcbuf_get_buf(name);
        struct session_malformed what = {
                .stream = stream,
                .rule = malformed_field_rule((const char *)bytes.base, bytes.len,
                        session->role == SESSION_CLIENT, stream && stream->has_headers),
                .name = (const char *)bytes.base,
                .name_size = bytes.len,
        };

        (void)h2;
        (void)value;
        (void)flags;
        session_report_malformed(session, &what);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void end_remote(struct session *session, struct stream *stream)
{
        stream_set_state(stream, stream->state == STREAM_HALF_CLOSED_LOCAL
                                         ? STREAM_CLOSED
                                         : STREAM_HALF_CLOSED_REMOTE);
        session->events->on_end(stream);
        /* A server that has ended its side looks at nothing that we send now (PROTOCOL-HTTP2: its status ends the call). */
        if (session->role == SESSION_CLIENT && stream->state == STREAM_HALF_CLOSED_REMOTE &&
                !stream->is_reset)
                session_reset_stream(session, stream, NGHTTP2_NO_ERROR);
}

static void receive_headers(struct session *session, const nghttp2_frame *frame)
{
        struct stream *stream = session_stream(session, frame->hd.stream_id);
        const quoit_limits *limits = session->limits;

        if (!stream || stream->interim)
                return;
        if (!block_is_skipped(session, stream))
                session->events->on_headers(
                        stream, stream->field_count > limits->header_fields_max ||
                                        stream->field_bytes > limits->header_bytes_max);
        stream->has_headers = true;
        if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
                end_remote(session, stream);
}

static int receive_data(struct session *session, const nghttp2_frame *frame)
{
        struct stream *stream = session_stream(session, frame->hd.stream_id);

        if (frame->hd.length == frame->data.padlen &&
                !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
                /* costs the peer 9 bytes and moves nothing (CVE-2019-9518) */
                if (++session->empty_frames <= session->limits->empty_frames_max)
                        return 0;
                session_blame(session, NGHTTP2_ENHANCE_YOUR_CALM,
                        "too many empty DATA frames (empty_frames_max)");
                /* nghttp2 would read on, and then trip over its own state */
                return NGHTTP2_ERR_CALLBACK_FAILURE;
        }
        session->empty_frames = 0;
        if (stream && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
                end_remote(session, stream);
        return 0;
}

static void receive_pong(struct session *session, const uint8_t opaque[PING_BYTES])
{
        glitches_pong(&session->glitches);
        if (memcmp(opaque, PING_OF_ROUND_TRIP, PING_BYTES) == 0)
                session->round_trip_answered = true;
        else if (session->drain == DRAIN_ANNOUNCED &&
                 memcmp(opaque, PING_OF_DRAIN, PING_BYTES) == 0)
                session_set_drain(session, DRAIN_ACKNOWLEDGED);
}

static void receive_settings_ack(struct session *session)
{
        session->settings_acknowledged = true;
        if (session->drain == DRAIN_WANTED)
                session_announce_drain(session);
}

/* A server may lower its limit below what we were about to send: those would wait for it, perhaps for ever. */
static void receive_settings(struct session *session)
{
        session->settings_received = true;
        if (session->role == SESSION_SERVER)
                return;
        session_refuse_requests(session, session_peer_streams_max(session));
        session->events->on_settings(session->user);
}

/* Streams that were sent and that the server has not processed are closed by nghttp2, right behind this. */
static void receive_goaway(struct session *session, const nghttp2_goaway *frame)
{
        const struct session_goaway goaway = {
                .last_id = frame->last_stream_id,
                .error_code = frame->error_code,
                .text = (const char *)frame->opaque_data,
                .text_size = frame->opaque_data_len,
        };

        if (session->role == SESSION_SERVER)
                return; /* a client's goes on until it closes the connection */
        session->events->on_goaway(session->user, &goaway);
        session_refuse_requests(session, 0);
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *user)
{
        struct session *session = user;

        (void)h2;
        switch (frame->hd.type) {
        case NGHTTP2_HEADERS:
                receive_headers(session, frame);
                break;
        case NGHTTP2_DATA:
                return receive_data(session, frame);
        case NGHTTP2_RST_STREAM:
                if (session->role == SESSION_SERVER)
                        session->resets++;
                else
                        glitches_reset(&session->glitches);
                break;
        case NGHTTP2_SETTINGS:
                if (frame->hd.flags & NGHTTP2_FLAG_ACK)
                        receive_settings_ack(session);
                else
                        receive_settings(session);
                break;
        case NGHTTP2_GOAWAY:
                receive_goaway(session, &frame->goaway);
                break;
        case NGHTTP2_PING:
                if (frame->hd.flags & NGHTTP2_FLAG_ACK)
                        receive_pong(session, frame->ping.opaque_data);
                else
                        session->pings++;
                break;
        }
        return 0;
}

static int on_data_chunk(nghttp2_session *h2, uint8_t flags, int32_t id, const uint8_t *data,
        size_t size, void *user)
{
        struct session *session = user;
        struct stream *stream = session_stream(session, id);

        (void)h2;
        (void)flags;
        session->received_bytes += (uint32_t)size;
        if (stream) {
                stream->unconsumed_bytes += (uint32_t)size;
                session->events->on_data(stream, data, size);
        }
        return 0;
}

/* Each field is valid, but they contradict each other or the body. */
static void report_messaging(struct session *session, const nghttp2_frame *frame)
{
        struct stream *stream = session_stream(session, frame->hd.stream_id);
        const char *rule = NULL;

        if (frame->hd.type == NGHTTP2_DATA)
                rule = SESSION_RULE_LENGTH;
        else if (stream && stream->has_headers)
                rule = frame->hd.flags & NGHTTP2_FLAG_END_STREAM
                               ? SESSION_RULE_LENGTH
                               : "trailers that do not end the stream";
        report_malformed(session, stream, rule);
}

/*
 * nghttp2 drops this frame. DATA for a stream that is over, or was refused, may have been on its way when we ended the stream.
 * After the last GOAWAY that is true of new streams as well, so nothing is counted then.
 */
static int on_invalid_frame(nghttp2_session *h2, const nghttp2_frame *frame, int error, void *user)
{
        struct session *session = user;

        (void)h2;
        if (frame->hd.type == NGHTTP2_DATA && error == NGHTTP2_ERR_STREAM_CLOSED &&
                session->drain < DRAIN_DONE)
                glitches_late_data(&session->glitches, (uint32_t)frame->hd.length,
                        frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
        if (error == NGHTTP2_ERR_HTTP_MESSAGING)
                report_messaging(session, frame);
        if (error == NGHTTP2_ERR_REFUSED_STREAM) {
                session->has_reset = true;
                session_expect_late(session);
        }
        return 0;
}

static int on_stream_close(nghttp2_session *h2, int32_t id, uint32_t error_code, void *user)
{
        struct session *session = user;
        struct stream *stream = session_stream(session, id);

        (void)h2;
        if (stream) /* else it was refused */
                session_close_stream(session, stream, error_code);
        return 0;
}

void receive_set_callbacks(nghttp2_session_callbacks *callbacks)
{
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
        nghttp2_session_callbacks_set_on_invalid_header_callback2(callbacks, on_invalid_header);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
}
