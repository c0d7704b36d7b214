/* SPDX-License-Identifier: MIT */
#include "transport/session.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "transport/callbacks.h"

#ifdef NGHTTP2_HAS_MAX_HEADER_STRING
/* A string that is longer is over the limit by itself: nghttp2 need not keep it. It accepts no less than the dynamic table's size. */
static size_t header_string_bytes_max(const quoit_limits *limits)
{
        size_t bytes = limits->header_bytes_hard_max;

        return bytes > NGHTTP2_DEFAULT_HEADER_TABLE_SIZE ? bytes
                                                         : NGHTTP2_DEFAULT_HEADER_TABLE_SIZE;
}
#endif

static int options_new(const quoit_limits *limits, nghttp2_option **ret_option)
{
        nghttp2_option *option;

        if (nghttp2_option_new(&option) < 0)
                return -ENOMEM;
        nghttp2_option_set_no_auto_window_update(option, 1);
        nghttp2_option_set_no_closed_streams(option, 1);
        nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(option, 1);
        nghttp2_option_set_max_outbound_ack(option, limits->control_queue_max);
        nghttp2_option_set_max_continuations(option, limits->continuation_frames_max);
        nghttp2_option_set_glitch_rate_limit(
                option, limits->glitches_burst_max, limits->glitches_per_second);
        /* it would not count those that we are made to send: see `resets` */
        nghttp2_option_set_stream_reset_rate_limit(option, UINT64_MAX, UINT64_MAX);
#ifdef NGHTTP2_HAS_MAX_HEADER_STRING /* subprojects/packagefiles/nghttp2 */
        nghttp2_option_set_max_header_string(option, header_string_bytes_max(limits));
#endif
#ifdef NGHTTP2_HAS_MAX_HEADER_FIELDS /* the same */
        nghttp2_option_set_max_header_fields(option, limits->header_fields_max);
#endif
        *ret_option = option;
        return 0;
}

/*
 * The seed of the session that is being made on this thread, for give_seed(): nghttp2 calls it without an argument of ours.
 * initial-exec: with the default model of thread-local storage libquoit.so would have to link the dynamic linker.
 */
static _Thread_local uint64_t new_session_seed __attribute__((tls_model("initial-exec")));

static void give_seed(uint8_t *bytes, size_t size)
{
        memset(bytes, 0, size);
        memcpy(bytes, &new_session_seed,
                size < sizeof(new_session_seed) ? size : sizeof(new_session_seed));
}

static int h2_new(struct session *session, nghttp2_mem *memory, uint64_t seed)
{
        int (*const new_session)(nghttp2_session **, const nghttp2_session_callbacks *, void *,
                const nghttp2_option *, nghttp2_mem *) = session->role == SESSION_SERVER
                                                                 ? nghttp2_session_server_new3
                                                                 : nghttp2_session_client_new3;
        nghttp2_session_callbacks *callbacks = NULL;
        nghttp2_option *option = NULL;
        int r = -ENOMEM;

        if (nghttp2_session_callbacks_new(&callbacks) == 0 &&
                options_new(session->limits, &option) == 0) {
                receive_set_callbacks(callbacks);
                send_set_callbacks(callbacks);
                nghttp2_session_callbacks_set_rand_callback(callbacks, give_seed);
                new_session_seed = seed;
                if (new_session(&session->h2, callbacks, session, option, memory) == 0)
                        r = 0;
        }
        nghttp2_option_del(option);
        nghttp2_session_callbacks_del(callbacks);
        return r;
}

static int submit_settings(struct session *session)
{
        const quoit_limits *limits = session->limits;
        const nghttp2_settings_entry settings[] = {
                session->role == SESSION_SERVER
                        ? (nghttp2_settings_entry){ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                                  limits->streams_max }
                        : (nghttp2_settings_entry){ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
                { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits->stream_window_bytes },
                { NGHTTP2_SETTINGS_MAX_FRAME_SIZE, limits->frame_bytes_max },
                { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits->header_bytes_max },
                { NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
        };

        if (nghttp2_submit_settings(session->h2, NGHTTP2_FLAG_NONE, settings,
                    sizeof(settings) / sizeof(*settings)) < 0 ||
                nghttp2_session_set_local_window_size(session->h2, NGHTTP2_FLAG_NONE, 0,
                        (int32_t)limits->connection_window_bytes) < 0)
                return -ENOMEM;
        return 0;
}

static int init(struct session *session, nghttp2_mem *memory, uint64_t seed)
{
        int r;

        list_init(&session->streams);
        list_init(&session->requests);
        session->stream_window_bytes = session->limits->stream_window_bytes;
        r = h2_new(session, memory, seed);
        if (r == 0)
                r = submit_settings(session);
        if (r < 0)
                session_deinit(session);
        return r;
}

int session_init_server(struct session *session, nghttp2_mem *memory, const quoit_limits *limits,
        uint64_t seed, const struct session_events *events, void *user)
{
        *session = (struct session){
                .events = events,
                .user = user,
                .role = SESSION_SERVER,
                .limits = limits,
                .frames_end = NGHTTP2_CLIENT_MAGIC_LEN,
        };
        return init(session, memory, seed);
}

int session_init_client(struct session *session, nghttp2_mem *memory, const quoit_limits *limits,
        const struct session_events *events, void *user)
{
        *session = (struct session){
                .events = events,
                .user = user,
                .role = SESSION_CLIENT,
                .limits = limits,
                .preface_size = NGHTTP2_CLIENT_MAGIC_LEN,
        };
        return init(session, memory, 0);
}

static void close_all(struct session *session, struct list *streams)
{
        struct list *link;

        while ((link = streams->next) != streams)
                session_close_stream(
                        session, CONTAINER_OF(link, struct stream, link), NGHTTP2_CANCEL);
}

void session_deinit(struct session *session)
{
        if (!session->h2 && !session->http1)
                return;
        close_all(session, &session->streams);
        close_all(session, &session->requests);
        nghttp2_session_del(session->h2); /* takes NULL */
        session->h2 = NULL;
        http1_free(session->http1);
        session->http1 = NULL;
}

void session_allow_http1(struct session *session, nghttp2_mem *memory, bool is_secure)
{
        session->http1_memory = memory;
        session->is_secure = is_secure;
}

struct stream *session_stream(struct session *session, int32_t id)
{
        if (!session->current || session->current->id != id)
                session->current = nghttp2_session_get_stream_user_data(session->h2, id);
        return session->current;
}

void session_note_id(struct session *session, int32_t id)
{
        if (id != session->last_id + 2)
                session->run_id = id;
        session->last_id = id;
}

void session_open_stream(struct session *session, struct stream *stream)
{
        session_note_id(session, stream->id);
        stream_set_state(stream, STREAM_OPEN);
        list_append(&session->streams, &stream->link);
        session->current = stream;
}

void session_close_stream(struct session *session, struct stream *stream, uint32_t error_code)
{
        if (stream->state != STREAM_CLOSED)
                stream_set_state(stream, STREAM_CLOSED);
        if (session->current == stream)
                session->current = NULL;
        list_remove(&stream->link);
        session->stream_count--;
        stream->session = NULL;
        session->events->on_close(stream, error_code);
}

void session_report_malformed(struct session *session, const struct session_malformed *what)
{
        if (!what->stream || what->stream->malformed_reported)
                return;
        what->stream->malformed_reported = true;
        session->events->on_malformed(session->user, what);
}

void session_expect_late(struct session *session)
{
        glitches_expect_late(&session->glitches, session->stream_window_bytes,
                (uint32_t)session_receive_window_bytes(session), session->limits->streams_max);
}

void session_reset_stream(struct session *session, struct stream *stream, uint32_t error_code)
{
        if (session->http1) {
                http1_reset(session->http1, error_code);
                return;
        }
        if (stream->unsent && stream->is_reset)
                return; /* it is not sent, and no RST_STREAM may be for a stream that was not */
        if (!stream->is_reset && stream_is_remote_open(stream))
                session_expect_late(session);
        stream->is_reset = true;
        session_must_send(session,
                nghttp2_submit_rst_stream(session->h2, NGHTTP2_FLAG_NONE, stream->id, error_code));
}

void session_must_send(struct session *session, int r)
{
        session->has_lost |= r == NGHTTP2_ERR_NOMEM;
}

/*
 * Whether a peer makes us answer and does not read the answers (CVE-2019-9514: refused streams). nghttp2 bounds the ACKs that
 * wait to be sent, but not the RST_STREAMs. A stream that runs has at most headers, trailers, a reset and an update.
 */
static bool answers_pile_up(const struct session *session)
{
        const quoit_limits *limits = session->limits;

        return nghttp2_session_get_outbound_queue_size(session->h2) >
               (size_t)limits->control_queue_max + 4 * (size_t)limits->streams_max;
}

uint32_t session_peer_streams_max(const struct session *session)
{
        return nghttp2_session_get_remote_settings(
                session->h2, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

/* nghttp2 would take them behind a GOAWAY of ours. */
bool session_takes_requests(const struct session *session)
{
        return !session->terminated && session->drain == DRAIN_NONE &&
               nghttp2_session_check_request_allowed(session->h2);
}

uint32_t session_streams_left(const struct session *session)
{
        uint32_t peer_max = session_peer_streams_max(session);
        uint32_t max = session->limits->streams_max;

        if (peer_max < max)
                max = peer_max;
        if (!session_takes_requests(session))
                return 0;
        return max > session->stream_count ? max - session->stream_count : 0;
}

struct stream *session_next_request(struct session *session, int32_t id)
{
        struct stream *stream = CONTAINER_OF(session->requests.next, struct stream, link);

        return list_is_empty(&session->requests) || stream->id != id ? NULL : stream;
}

/* nghttp2 keeps what it was given of them, and drops it when their turn comes. */
void session_refuse_requests(struct session *session, uint32_t count)
{
        while (session->stream_count > count && !list_is_empty(&session->requests)) {
                struct stream *stream = CONTAINER_OF(session->requests.prev, struct stream, link);

                if (nghttp2_session_get_stream_user_data(session->h2, stream->id))
                        break; /* the oldest: its HEADERS are out, and only its CONTINUATION is not */
                session_reset_stream(session, stream, NGHTTP2_CANCEL);
                session_close_stream(session, stream, NGHTTP2_REFUSED_STREAM);
        }
}

static void keep_beginning(struct session *session, const void *data, size_t size)
{
        size_t room = sizeof(session->beginning) - session->beginning_size;

        if (size > room)
                size = room;
        memcpy(session->beginning + session->beginning_size, data, size);
        session->beginning_size += (uint8_t)size;
}

static void note_preface(struct session *session, size_t size)
{
        size_t rest = NGHTTP2_CLIENT_MAGIC_LEN - session->preface_size;

        session->preface_size += (uint8_t)(size < rest ? size : rest);
}

#define ANSWERS_PILE_UP "too many answers to its frames wait (control_queue_max)"

/* nghttp2 has given up and has made no GOAWAY: we make it. */
static void end_for(struct session *session, int error)
{
        if (session->terminated)
                return;
        switch (error) {
        case NGHTTP2_ERR_FLOODED:
                session_blame(session, NGHTTP2_ENHANCE_YOUR_CALM, ANSWERS_PILE_UP);
                break;
        case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS:
                session_blame(session, NGHTTP2_ENHANCE_YOUR_CALM,
                        "too many CONTINUATION frames (continuation_frames_max)");
                break;
        default:
                session_blame(session, NGHTTP2_PROTOCOL_ERROR, nghttp2_strerror(error));
                break;
        }
}

/* A server that speaks HTTP/2 begins with SETTINGS (RFC 9113, section 3.4). */
static bool begins_otherwise(const struct session *session)
{
        return session->beginning_size >= FRAME_HEADER_BYTES &&
               (session->beginning[3] != NGHTTP2_SETTINGS ||
                       session->beginning[4] & NGHTTP2_FLAG_ACK);
}

/* So that the log can say what the server speaks instead. False: that is not HTTP/2. */
static bool note_beginning(struct session *session, const uint8_t *data, size_t size)
{
        if (session->role == SESSION_SERVER || session->settings_received)
                return true;
        keep_beginning(session, data, size);
        session->bad_preface = begins_otherwise(session);
        return !session->bad_preface;
}

/* Until there is a whole request line it may be something else. */
static int feed_http1(struct session *session, const uint8_t *data, size_t size)
{
        if (!session->http1->has_line)
                keep_beginning(session, data, size);
        return http1_feed(session->http1, data, size);
}

/* The client does not begin with HTTP/2's preface; some of its bytes may have been the same. */
static int begin_otherwise(struct session *session, const uint8_t *data, size_t size)
{
        const uint8_t *magic = (const uint8_t *)NGHTTP2_CLIENT_MAGIC;
        int r;

        if (!session->http1_memory) {
                session->bad_preface = session->terminated = true;
                keep_beginning(session, magic, session->preface_size);
                keep_beginning(session, data, size);
                return -EPROTO; /* without a GOAWAY (RFC 9113, section 3.4) */
        }
        r = http1_new(session);
        if (r < 0)
                return r;
        nghttp2_session_del(session->h2);
        session->h2 = NULL;
        session->fed_bytes = 0;
        session->block_end = 0;
        r = feed_http1(session, magic, session->preface_size);
        if (r == -EPROTO && session->bad_preface)
                keep_beginning(session, data, size);
        return r < 0 ? r : feed_http1(session, data, size);
}

int session_feed(struct session *session, const uint8_t *data, size_t size)
{
        uint32_t before = session->received_bytes, received;
        nghttp2_ssize r;

        if (session->terminated) {
                if (session->bad_preface)
                        keep_beginning(session, data, size);
                return -EPROTO;
        }
        if (session->http1)
                return feed_http1(session, data, size);
        if (!note_beginning(session, data, size)) {
                session_terminate(session, NGHTTP2_PROTOCOL_ERROR, NULL);
                return -EPROTO;
        }
        r = nghttp2_session_mem_recv2(session->h2, data, size);
        if (r == NGHTTP2_ERR_BAD_CLIENT_MAGIC)
                return begin_otherwise(session, data, size);
        session->fed_bytes += size;
        note_preface(session, size); /* also if something behind it fails: a GOAWAY says why */
        if (r == NGHTTP2_ERR_NOMEM)
                return -ENOMEM;
        if (r < 0) {
                end_for(session, (int)r);
                return -EPROTO;
        }
        assert((size_t)r == size);
        /* One slow stream must not stop the others: only its own window stays shut. */
        received = session->received_bytes - before;
        if (received > 0)
                session_must_send(
                        session, nghttp2_session_consume_connection(session->h2, received));
        if (answers_pile_up(session)) {
                session_blame(session, NGHTTP2_ENHANCE_YOUR_CALM, ANSWERS_PILE_UP);
                return -EPROTO;
        }
        return 0;
}

bool session_has_output(const struct session *session)
{
        if (session->http1)
                return http1_has_output(session->http1);
        if (session->preface_size <
                NGHTTP2_CLIENT_MAGIC_LEN) /* who may yet turn out to speak HTTP/1 can't read frames */
                return session->raw != NULL;
        return session->drain == DRAIN_DUE || session->has_lost ||
               nghttp2_session_want_write(session->h2);
}

/*
 * It names the newest stream. The frame may have to wait for room in an output, and nghttp2 accepts new streams until it is made: those
 * that come meanwhile are refused in receive.c, as their client takes them for unprocessed.
 */
static void submit_last_goaway(struct session *session)
{
        session_set_drain(session, DRAIN_DONE);
        session->goaway_id = nghttp2_session_get_last_proc_stream_id(session->h2);
        session_must_send(session, nghttp2_submit_goaway(session->h2, NGHTTP2_FLAG_NONE,
                                           session->goaway_id, NGHTTP2_NO_ERROR, NULL, 0));
}

int session_fill(struct session *session, struct output *output)
{
        int r = 0;

        if (session->raw) {
                output_copy(output, session->raw, strlen(session->raw));
                session->raw = NULL;
                return 0;
        }
        if (session->http1)
                return http1_fill(session->http1, output);
        if (session->drain == DRAIN_DUE)
                submit_last_goaway(session);
        if (session->has_lost)
                return -ENOMEM;
        session->output = output;
        while (output_has_room(output, 1)) {
                const uint8_t *data;
                nghttp2_ssize size = nghttp2_session_mem_send2(session->h2, &data);

                if (size < 0)
                        r = -ENOMEM; /* all that mem_send2 fails with: our callbacks do not */
                if (size <= 0)
                        break;
                output_copy(output, data, (size_t)size);
        }
        session->output = NULL;
        return r;
}

void session_send_raw(struct session *session, const char *text)
{
        session->raw = text;
}

void session_release(const struct session_events *events, struct output *output)
{
        for (unsigned i = 0; i < output->pinned_count; i++) {
                struct stream *stream = output->pinned[i];

                if (--stream->pins == 0)
                        events->on_unpinned(stream);
        }
        output->pinned_count = 0;
}

bool session_is_over(const struct session *session)
{
        if (session->http1)
                return http1_is_over(session->http1);
        return !nghttp2_session_want_read(session->h2) && !nghttp2_session_want_write(session->h2);
}

void session_set_drain(struct session *session, enum drain_step step)
{
        assert(step > session->drain);
        session->drain = step;
}

void session_announce_drain(struct session *session)
{
        session_set_drain(session, DRAIN_ANNOUNCED);
        session_must_send(session, nghttp2_submit_shutdown_notice(session->h2));
        session_must_send(session, nghttp2_submit_ping(session->h2, NGHTTP2_FLAG_NONE,
                                           (const uint8_t *)PING_OF_DRAIN));
}

void session_drain(struct session *session)
{
        if (session->drain > DRAIN_NONE)
                return;
        if (session->role == SESSION_CLIENT) /* no streams of the peer can be on their way */
                session_drain_now(session);
        else if (session->http1) /* each answer says it from now on; requests may be on their way */
                session_set_drain(session, DRAIN_ACKNOWLEDGED);
        else if (session->settings_acknowledged)
                session_announce_drain(session);
        else
                session_set_drain(session, DRAIN_WANTED);
}

void session_drain_now(struct session *session)
{
        if (session->drain < DRAIN_DUE)
                session_set_drain(session, DRAIN_DUE);
}

void session_terminate(struct session *session, uint32_t error_code, const char *reason)
{
        size_t size = reason ? strlen(reason) : 0;
        int32_t id;

        session->terminated = true;
        session->fault_reported |= reason != NULL;
        if (session->http1)
                return;
        id = nghttp2_session_get_last_proc_stream_id(session->h2);
        /* one that waits to go out must not be followed by a larger id (RFC 9113, section 6.8) */
        if (session->drain == DRAIN_DONE && session->goaway_id < id)
                id = session->goaway_id;
        if (size > 0) /* goes out ahead of the one that ends the session */
                (void)nghttp2_submit_goaway(session->h2, NGHTTP2_FLAG_NONE, id, error_code,
                        (const uint8_t *)reason, size);
        session_must_send(session, nghttp2_session_terminate_session2(session->h2, id, error_code));
}

void session_blame(struct session *session, uint32_t error_code, const char *why)
{
        if (!session->fault_reported)
                session->events->on_fault(session->user, error_code, why, strlen(why));
        session_terminate(session, error_code, why);
}

void session_measure(struct session *session)
{
        if (session->h2)
                session_must_send(session, nghttp2_submit_ping(session->h2, NGHTTP2_FLAG_NONE,
                                                   (const uint8_t *)PING_OF_ROUND_TRIP));
}

void session_set_windows(
        struct session *session, uint32_t stream_window_bytes, uint32_t connection_window_bytes)
{
        const nghttp2_settings_entry setting = { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                stream_window_bytes };

        if (session->http1)
                return;
        if (session->stream_window_bytes < stream_window_bytes)
                session->stream_window_bytes = stream_window_bytes;
        session_must_send(
                session, nghttp2_submit_settings(session->h2, NGHTTP2_FLAG_NONE, &setting, 1));
        session_must_send(session, nghttp2_session_set_local_window_size(session->h2,
                                           NGHTTP2_FLAG_NONE, 0, (int32_t)connection_window_bytes));
}

int32_t session_send_window_bytes(const struct session *session)
{
        return session->h2 ? nghttp2_session_get_remote_window_size(session->h2) : 0;
}

int32_t session_receive_window_bytes(const struct session *session)
{
        return session->h2 ? nghttp2_session_get_local_window_size(session->h2) : 0;
}

void session_ping(struct session *session)
{
        if (session->h2)
                session_must_send(
                        session, nghttp2_submit_ping(session->h2, NGHTTP2_FLAG_NONE, NULL));
}
