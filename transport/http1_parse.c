/* SPDX-License-Identifier: MIT */
#include "transport/http1.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "transport/session.h"

/*
 * llhttp's callbacks: a request's target and fields are gathered until all are there, since an event is for a whole field and the
 * pseudo fields go first. 0 goes on; -1 ends the connection, where http1_refuse() has noted why.
 */

/* The head of a target or field in the block; its bytes follow. */
struct piece {
        uint32_t name_size; /* 0: the target */
        uint32_t value_size;
};

static struct http1 *http1_of(llhttp_t *parser)
{
        return parser->data;
}

/* ---- gathering ---- */

static int out_of_memory(struct http1 *http1)
{
        return http1_refuse(http1, "503", "out of memory");
}

static int begin_piece(struct http1 *http1)
{
        const struct piece piece = { 0 };

        http1->field_at = http1->block.size;
        return http1_append(http1, &http1->block, &piece, sizeof(piece)) < 0 ? out_of_memory(http1)
                                                                             : 0;
}

static int count(struct http1 *http1, size_t size)
{
        const quoit_limits *limits = http1->session->limits;

        http1->field_bytes += (uint32_t)size;
        if (http1->field_bytes > limits->header_bytes_max)
                return http1_refuse(
                        http1, "431", "the request's fields are over the limit (header_bytes_max)");
        if (http1->field_count > limits->header_fields_max)
                return http1_refuse(
                        http1, "431", "the request has too many fields (header_fields_max)");
        return 0;
}

/* More of the newest piece: of its name, or of its value. */
static int add(struct http1 *http1, const char *data, size_t size, bool to_name)
{
        struct piece piece;

        if (count(http1, size) < 0)
                return -1;
        if (http1_append(http1, &http1->block, data, size) < 0)
                return out_of_memory(http1);
        memcpy(&piece, http1->block.data + http1->field_at, sizeof(piece));
        if (to_name)
                piece.name_size += (uint32_t)size;
        else
                piece.value_size += (uint32_t)size;
        memcpy(http1->block.data + http1->field_at, &piece, sizeof(piece));
        return 0;
}

static int on_message_begin(llhttp_t *parser)
{
        struct http1 *http1 = http1_of(parser);

        http1_begin_block(http1);
        http1->is_whole = false;
        http1->field_bytes = http1->field_count = 0; /* the last one's trailers counted, too */
        return begin_piece(http1);
}

static int on_target(llhttp_t *parser, const char *data, size_t size)
{
        struct http1 *http1 = http1_of(parser);

        if (http1->field_bytes + size > http1->session->limits->header_bytes_max) {
                http1->has_line = true; /* only HTTP has them that long */
                return http1_refuse(
                        http1, "414", "the request's target is over the limit (header_bytes_max)");
        }
        return add(http1, data, size, false);
}

static int check_version(struct http1 *http1)
{
        if (http1->parser.http_major == 1 && http1->parser.http_minor <= 1)
                return 0;
        return http1_refuse(http1, "505", "its version of HTTP is neither 1.0 nor 1.1");
}

/* Pauses: the bytes behind it are looked at before they are parsed (check_protocol() in http1.c). A line without a version is HTTP/0.9. */
static int on_target_complete(llhttp_t *parser)
{
        struct http1 *http1 = http1_of(parser);

        if (parser->http_minor == 9)
                return check_version(http1);
        http1->protocol_left = HTTP1_PROTOCOL_BYTES;
        return HPE_PAUSED;
}

static int on_version_complete(llhttp_t *parser)
{
        struct http1 *http1 = http1_of(parser);

        if (check_version(http1) < 0)
                return -1;
        http1->has_line = true;
        return 0;
}

/* Of trailers, which nobody asks for, only their size matters. */
static int skip_trailer(struct http1 *http1, size_t size)
{
        if (!http1->session->block_continues)
                http1_begin_block(http1);
        return count(http1, size);
}

static int on_name(llhttp_t *parser, const char *data, size_t size)
{
        struct http1 *http1 = http1_of(parser);

        if (!http1->in_name) {
                http1->in_name = true;
                http1->field_count++;
                http1->field_bytes += FIELD_OVERHEAD_BYTES;
                if (!http1->stream && begin_piece(http1) < 0)
                        return -1;
        }
        return http1->stream ? skip_trailer(http1, size) : add(http1, data, size, true);
}

static int on_name_complete(llhttp_t *parser)
{
        http1_of(parser)->in_name = false;
        return 0;
}

static int on_value(llhttp_t *parser, const char *data, size_t size)
{
        struct http1 *http1 = http1_of(parser);

        return http1->stream ? skip_trailer(http1, size) : add(http1, data, size, false);
}

/* ---- looking at what was gathered ---- */

/* The piece at *@at of the block; moves past it. Lets its name and value be changed. */
static struct session_field next_piece(const struct http1 *http1, size_t *at)
{
        const char *bytes = (const char *)http1->block.data + *at;
        struct piece piece;

        memcpy(&piece, bytes, sizeof(piece));
        bytes += sizeof(piece);
        *at += sizeof(piece) + piece.name_size + piece.value_size;
        return (struct session_field){ .name = bytes,
                .name_size = piece.name_size,
                .value = bytes + piece.name_size,
                .value_size = piece.value_size };
}

static void lower_name(struct session_field *field)
{
        char *name = (char *)field->name; /* in the block, which is ours */

        for (size_t i = 0; i < field->name_size; i++) {
                if (name[i] >= 'A' && name[i] <= 'Z')
                        name[i] += 'a' - 'A';
        }
}

/* RFC 9110, section 5.5. llhttp lets some control characters pass. */
static bool is_good_value(const struct session_field *field)
{
        for (size_t i = 0; i < field->value_size; i++) {
                uint8_t c = (uint8_t)field->value[i];

                if ((c < 0x20 && c != '\t') || c == 0x7f)
                        return false;
        }
        return true;
}

/* A fragment is its client's business (RFC 9112, section 3.2): one reader ends the path there, another does not. */
static bool may_be_target(const char *text, size_t size)
{
        for (size_t i = 0; i < size; i++) {
                if (text[i] <= ' ' || text[i] > '~' || text[i] == '#')
                        return false;
        }
        return size > 0;
}

static bool lacks(const char *text, const char *end, const char *bytes)
{
        for (; text < end; text++) {
                if (*text <= ' ' || *text > '~' || strchr(bytes, *text))
                        return false;
        }
        return true;
}

/* ":80", ":", or nothing. */
static bool is_port(const char *text, const char *end)
{
        if (text < end && *text++ != ':')
                return false;
        while (text < end && *text >= '0' && *text <= '9')
                text++;
        return text == end;
}

/* A host, perhaps with a port. Bytes that no URI may have there are refused: they are no accident (RFC 3986, section 3.2). */
static bool is_authority(const char *text, size_t size)
{
        const char *end = text + size, *host_end;

        if (size > 0 && *text == '[') {
                host_end = memchr(text, ']', size);
                return host_end && lacks(text + 1, host_end, "[/?#@\\,\"<>^`{|}") &&
                       is_port(host_end + 1, end);
        }
        host_end = memchr(text, ':', size);
        if (!host_end)
                host_end = end;
        return lacks(text, host_end, "[]/?#@\\,\"<>^`{|}") && is_port(host_end, end);
}

static bool value_is(const struct session_field *field, const char *what)
{
        return field->value_size == strlen(what) &&
               strncasecmp(field->value, what, field->value_size) == 0;
}

/* What the fields say about the message itself. */
struct framing_fields {
        unsigned hosts, lengths, codings;
        bool is_chunked; /* the only coding */
        bool has_expectation; /* 100-continue */
        struct session_field host;
};

/* Fields of this connection alone (RFC 9110, section 7.6.1), and what became a pseudo field. */
static bool is_for_us(const struct session_field *field)
{
        static const struct {
                const char *name;
                size_t size;
        } names[] = {
#define NAME(text) { text, sizeof(text) - 1 }
                NAME("connection"),
                NAME("host"),
                NAME("expect"),
                NAME("http2-settings"),
                NAME("keep-alive"),
                NAME("proxy-connection"),
                NAME("te"),
                NAME("trailer"),
                NAME("transfer-encoding"),
                NAME("upgrade"),
#undef NAME
        };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                if (field->name_size == names[i].size &&
                        memcmp(field->name, names[i].name, names[i].size) == 0)
                        return true;
        }
        return false;
}

static int note_field(
        struct http1 *http1, const struct session_field *field, struct framing_fields *seen)
{
        if (session_field_is(field, "host")) {
                seen->hosts++;
                seen->host = *field;
        } else if (session_field_is(field, "content-length")) {
                seen->lengths++;
        } else if (session_field_is(field, "transfer-encoding")) {
                seen->is_chunked = ++seen->codings == 1 && value_is(field, "chunked");
        } else if (session_field_is(field, "expect")) {
                if (!value_is(field, "100-continue"))
                        return http1_refuse(
                                http1, "417", "it expects something else than 100-continue");
                seen->has_expectation = true;
        }
        return 0;
}

/* Goes through all fields, and makes their names what events are to have. */
static int look_at_fields(struct http1 *http1, size_t at, struct framing_fields *seen)
{
        while (at < http1->block.size) {
                struct session_field field = next_piece(http1, &at);

                lower_name(&field);
                session_field_strip(&field);
                if (!is_good_value(&field))
                        return http1_refuse(http1, "400", "a field's value has control characters");
                if (note_field(http1, &field, seen) < 0)
                        return -1;
        }
        return 0;
}

/* Where one reader may see another end of the message than we do (RFC 9112, section 6.3), or another server. */
static int check_framing(struct http1 *http1, const struct framing_fields *seen)
{
        if (seen->codings > 0 && seen->lengths > 0)
                return http1_refuse(
                        http1, "400", "it has both a content-length and a transfer-encoding");
        if (seen->lengths > 1)
                return http1_refuse(http1, "400", "it has two content-lengths");
        if (seen->codings > 0 && http1->is_old)
                return http1_refuse(http1, "400", "HTTP/1.0 has no transfer-encoding");
        if (seen->codings > 0 && !seen->is_chunked)
                return http1_refuse(http1, "501", "its transfer-encoding is not chunked alone");
        if (seen->hosts > 1 || (seen->hosts == 0 && !http1->is_old))
                return http1_refuse(http1, "400", "it does not have one host");
        if (seen->hosts == 1 && !is_authority(seen->host.value, seen->host.value_size))
                return http1_refuse(http1, "400", "its host is malformed");
        return 0;
}

/* Splits "http://HOST/PATH" (RFC 9112, section 3.2.2), whose host goes before the field's. */
static bool split_absolute(struct session_field *target, struct session_field *authority)
{
        const char *end = target->value + target->value_size, *host, *path;

        if (target->value_size > 7 && strncasecmp(target->value, "http://", 7) == 0)
                host = target->value + 7;
        else if (target->value_size > 8 && strncasecmp(target->value, "https://", 8) == 0)
                host = target->value + 8;
        else
                return false;
        path = memchr(host, '/', (size_t)(end - host));
        if (!path)
                path = end;
        authority->value = host;
        authority->value_size = (size_t)(path - host);
        target->value = path < end ? path : "/";
        target->value_size = path < end ? (size_t)(end - path) : 1;
        return authority->value_size > 0 && is_authority(host, authority->value_size);
}

/* RFC 9112, section 3.2: a path, "*" for OPTIONS, or a whole URI, from which the path and the host are taken. */
static int check_target(
        struct http1 *http1, struct session_field *target, struct session_field *authority)
{
        bool is_path = target->value_size > 0 && *target->value == '/';

        if (http1->parser.method == HTTP_CONNECT)
                return http1_refuse(http1, "405", "CONNECT: this is no proxy");
        if (!may_be_target(target->value, target->value_size))
                return http1_refuse(http1, "400", "its target has bytes that no URI has");
        if (is_path || (http1->parser.method == HTTP_OPTIONS && target->value_size == 1 &&
                               *target->value == '*'))
                return 0;
        if (split_absolute(target, authority))
                return 0;
        return http1_refuse(http1, "400", "its target is neither a path nor a URI of HTTP");
}

/* ---- what becomes of it ---- */

static void emit(struct stream *stream, const char *name, const char *value, size_t size)
{
        const struct session_field field = {
                .name = name, .name_size = strlen(name), .value = value, .value_size = size
        };

        stream->session->events->on_field(stream, &field);
}

static void emit_fields(struct http1 *http1, const struct session_field *target, size_t at,
        const struct session_field *authority)
{
        const char *method = llhttp_method_name(http1->parser.method);
        const char *scheme = http1->session->is_secure ? "https" : "http";
        struct stream *stream = http1->stream;

        emit(stream, ":method", method, strlen(method));
        emit(stream, ":path", target->value, target->value_size);
        if (authority->value)
                emit(stream, ":authority", authority->value, authority->value_size);
        emit(stream, ":scheme", scheme, strlen(scheme));
        while (at < http1->block.size) {
                struct session_field field = next_piece(http1, &at);

                session_field_strip(&field);
                if (!is_for_us(&field))
                        http1->session->events->on_field(stream, &field);
        }
}

static int open_stream(struct http1 *http1)
{
        struct session *session = http1->session;
        struct stream *stream = session->events->on_stream(session->user);

        if (!stream)
                return http1_refuse(http1, "503", "too many of its calls still run");
        http1->stream = stream;
        stream->session = session;
        stream->id = session->last_id > 0 ? session->last_id + 2 : 1;
        stream->field_bytes = http1->field_bytes;
        stream->field_count = (uint16_t)http1->field_count;
        session->stream_count++;
        session_open_stream(session, stream);
        return 0;
}

/* Whether a body follows. */
static bool has_body(const struct http1 *http1)
{
        return http1->parser.flags & F_CHUNKED || http1->parser.content_length > 0;
}

static void note_message(struct http1 *http1)
{
        http1->is_head = http1->parser.method == HTTP_HEAD;
        http1->is_kept = llhttp_should_keep_alive(&http1->parser);
        http1->parser.upgrade = 0; /* no protocol is changed to: "h2c", "websocket" */
}

static int on_headers_complete(llhttp_t *parser)
{
        struct http1 *http1 = http1_of(parser);
        struct session *session = http1->session;
        struct framing_fields seen = { 0 };
        struct session_field target;
        size_t at = 0;

        target = next_piece(http1, &at);
        http1->is_old = parser->http_minor == 0;
        if (check_version(http1) < 0 || look_at_fields(http1, at, &seen) < 0 ||
                check_framing(http1, &seen) < 0 || check_target(http1, &target, &seen.host) < 0 ||
                open_stream(http1) < 0)
                return -1;
        note_message(http1);
        emit_fields(http1, &target, at, &seen.host);
        http1_clear(http1, &http1->block);
        http1->field_bytes = http1->field_count = 0;
        http1->framing_bytes = 0;
        session->settings_received = true;
        session->block_continues = false;
        http1->stream->block_ends = !has_body(http1);
        session->events->on_headers(http1->stream, false);
        http1->stream->has_headers = true;
        http1->awaits_continue = seen.has_expectation && !http1->is_old && has_body(http1);
        http1->continues = http1->awaits_continue && http1->answer == HTTP1_ANSWER_NONE;
        return 0;
}

static int on_body(llhttp_t *parser, const char *data, size_t size)
{
        struct http1 *http1 = http1_of(parser);
        struct session *session = http1->session;

        http1->continues = http1->awaits_continue = false; /* it does not wait */
        http1->framing_bytes = 0;
        if (http1->skips)
                return 0;
        session->received_bytes += (uint32_t)size;
        http1->stream->unconsumed_bytes += (uint32_t)size;
        session->events->on_data(http1->stream, (const uint8_t *)data, size);
        return 0;
}

static int on_chunk_extension(llhttp_t *parser, const char *data, size_t size)
{
        (void)data;
        (void)size;
        return http1_refuse(http1_of(parser), "400", "a chunk has an extension");
}

/* What follows is another request: its turn comes when this one is answered. */
static int on_message_complete(llhttp_t *parser)
{
        struct http1 *http1 = http1_of(parser);

        http1->is_whole = true;
        http1->continues = false;
        http1->session->block_continues = false;
        if (http1->skips) {
                http1->skips = false;
                return HPE_PAUSED;
        }
        stream_set_state(http1->stream, STREAM_HALF_CLOSED_REMOTE);
        http1->session->events->on_end(http1->stream);
        return HPE_PAUSED;
}

const llhttp_settings_t http1_parser_settings = {
        .on_message_begin = on_message_begin,
        .on_url = on_target,
        .on_url_complete = on_target_complete,
        .on_version_complete = on_version_complete,
        .on_header_field = on_name,
        .on_header_field_complete = on_name_complete,
        .on_header_value = on_value,
        .on_headers_complete = on_headers_complete,
        .on_body = on_body,
        .on_chunk_extension_name = on_chunk_extension,
        .on_message_complete = on_message_complete,
};
