/* SPDX-License-Identifier: MIT */
#include "server/bad_preface.h"

#include <string.h>

#include "server/connections.h"
#include "server/escape.h"
#include "transport/tls.h"

#define SHOWN_BYTES_MAX 24
#define METHOD_BYTES_MAX 20

static const char preface[] = "PRI * HTTP/2.0"; /* RFC 9113 section 3.4 */

/* Of HAProxy's PROXY protocol, sections 2.1 and 2.2. */
static const char proxy_v1[] = "PROXY ";
static const char proxy_v2[] = "\r\n\r\n\0\r\nQUIT\n";

/*
 * RFC 9110 wants an Upgrade field with this status (section 15.5.22), and "upgrade" in Connection (section 7.8). It only
 * names the protocol: HTTP/2 has no upgrade from HTTP/1 any more (RFC 9113, section 3.1).
 */
#define ANSWER_HEAD                                                                                \
        "HTTP/1.1 426 Upgrade Required\r\n"                                                        \
        "connection: upgrade, close\r\n"                                                           \
        "upgrade: HTTP/2.0\r\n"                                                                    \
        "content-type: text/plain\r\n"                                                             \
        "content-length: 37\r\n"                                                                   \
        "\r\n"
#define ANSWER_BODY "gRPC is served here: it needs HTTP/2\n"

static const char answer_malformed[] = "HTTP/1.1 400 Bad Request\r\n"
                                       "connection: close\r\n"
                                       "content-length: 0\r\n"
                                       "\r\n";

static size_t smaller(size_t one, size_t other)
{
        return one < other ? one : other;
}

/* Whether @data and @what are the same up to the end of the shorter one. */
static bool may_be(const uint8_t *data, size_t size, const char *what, size_t what_size)
{
        return memcmp(data, what, smaller(size, what_size)) == 0;
}

static bool is_method_byte(uint8_t c)
{
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
}

/* Some clients send an empty line first (RFC 9112, section 2.2). */
static void skip_empty_lines(const uint8_t **line, size_t *size)
{
        while (*size > 0 && (**line == '\r' || **line == '\n')) {
                ++*line;
                --*size;
        }
}

/* What follows METHOD in "METHOD TARGET HTTP/1.x". A long line may have no end yet. */
static enum bad_preface look_at_target(const uint8_t *line, size_t size, bool whole)
{
        static const char version[] = " HTTP/1.";
        const uint8_t *end = memchr(line, '\n', size);

        if (end)
                return memmem(line, (size_t)(end - line), version, sizeof(version) - 1)
                               ? BAD_PREFACE_HTTP1
                               : BAD_PREFACE_OTHER;
        if (!whole)
                return BAD_PREFACE_UNCLEAR;
        return size > 0 && (*line == '/' || *line == '*' || may_be(line, size, "http", 4))
                       ? BAD_PREFACE_HTTP1
                       : BAD_PREFACE_OTHER;
}

static enum bad_preface look_at_line(const uint8_t *line, size_t size, bool whole)
{
        size_t method = 0;

        skip_empty_lines(&line, &size);
        while (method < size && method <= METHOD_BYTES_MAX && is_method_byte(line[method]))
                method++;
        if (method == size)
                return whole ? BAD_PREFACE_OTHER : BAD_PREFACE_UNCLEAR;
        if (method == 0 || line[method] != ' ')
                return BAD_PREFACE_OTHER;
        return look_at_target(line + method + 1, size - method - 1, whole);
}

enum bad_preface bad_preface_classify(const uint8_t *data, size_t size, bool whole)
{
        if (size >= sizeof(preface) - 1 && may_be(data, size, preface, sizeof(preface) - 1))
                return BAD_PREFACE_DAMAGED;
        if (size >= sizeof(proxy_v2) - 1 && may_be(data, size, proxy_v2, sizeof(proxy_v2) - 1))
                return BAD_PREFACE_PROXY_V2;
        if (size >= sizeof(proxy_v1) - 1 && may_be(data, size, proxy_v1, sizeof(proxy_v1) - 1))
                return BAD_PREFACE_PROXY_V1;
        if (size >= 3 && tls_is_record(data, size))
                return BAD_PREFACE_TLS;
        if (!whole && (may_be(data, size, proxy_v2, sizeof(proxy_v2) - 1) ||
                              (size < 3 && tls_is_record(data, size))))
                return BAD_PREFACE_UNCLEAR;
        return look_at_line(data, size, whole);
}

/* The first line that the peer sent, or its beginning. */
static void quote_beginning(
        char text[ESCAPED_BYTES_MAX(SHOWN_BYTES_MAX)], const uint8_t *data, size_t size)
{
        size_t shown = 0;

        while (shown < smaller(size, SHOWN_BYTES_MAX) &&
                (shown == 0 || (data[shown] != '\r' && data[shown] != '\n')))
                shown++;
        escape(text, data, shown);
}

static const char *describe(enum bad_preface kind, bool takes_http1)
{
        switch (kind) {
        case BAD_PREFACE_HTTP1:
                if (takes_http1)
                        return "its request line is malformed; answered 400 and closed";
                return "it speaks HTTP/1, and gRPC needs HTTP/2; answered 426 and closed";
        case BAD_PREFACE_TLS:
                return "it speaks TLS, but this port is plaintext; closed";
        case BAD_PREFACE_PROXY_V1:
                return "it sends a PROXY protocol v1 header, which is not supported: switch it off "
                       "in the "
                       "proxy; closed";
        case BAD_PREFACE_PROXY_V2:
                return "it sends a PROXY protocol v2 header, which is not supported: switch it off "
                       "in the "
                       "proxy; closed";
        case BAD_PREFACE_DAMAGED:
                return "its HTTP/2 preface is damaged; closed";
        default:
                return takes_http1 ? "that is no HTTP; closed" : "that is not HTTP/2; closed";
        }
}

static void log_kind(const struct connection *connection, enum bad_preface kind)
{
        const struct session *session = &connection->session;
        struct quoit_server *server = shard_of_connection(connection)->server;
        uint64_t now_ns = ring_now_ns(&connection->base->ring);
        const char *what = describe(kind, session->http1_memory);
        char text[ESCAPED_BYTES_MAX(SHOWN_BYTES_MAX)];

        if (kind != BAD_PREFACE_HTTP1 && kind != BAD_PREFACE_OTHER) {
                server_log_peer(
                        server, QUOIT_LOG_INFO, now_ns, "%s: %s", connection->peer.address, what);
                return;
        }
        quote_beginning(text, session->beginning, session->beginning_size);
        server_log_peer(server, QUOIT_LOG_INFO, now_ns, "%s: it begins with \"%s\": %s",
                connection->peer.address, text, what);
}

static void answer_http1(struct session *session)
{
        const uint8_t *line = session->beginning;
        size_t size = session->beginning_size;

        if (session->http1_memory) {
                session_send_raw(session, answer_malformed);
                return;
        }
        skip_empty_lines(&line, &size);
        session_send_raw(session, size >= 5 && memcmp(line, "HEAD ", 5) == 0
                                          ? ANSWER_HEAD /* RFC 9110, section 9.3.2 */
                                          : ANSWER_HEAD ANSWER_BODY);
}

bool bad_preface_answer(struct connection *connection, bool whole)
{
        struct session *session = &connection->session;
        enum bad_preface kind;

        whole |= session->beginning_size == sizeof(session->beginning);
        kind = bad_preface_classify(session->beginning, session->beginning_size, whole);
        if (kind == BAD_PREFACE_UNCLEAR)
                return false;
        log_kind(connection, kind);
        if (kind == BAD_PREFACE_HTTP1)
                answer_http1(session);
        return true;
}
